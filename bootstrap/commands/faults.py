"""`faults`: kills training, plugin and engine at many random moments; `test` does the same at a few."""

from bootstrap.commands import test
from bootstrap.context import Context

MOMENTS = 50
"""For each of them: some twenty minutes on two cores."""
ARGUMENTS = ("--moments", str(MOMENTS), "-n", "2", "-k", "random_moments", "-rP", "tests/engine/test_interruptions.py")


def run(context: Context) -> int:
    """pytest's exit status."""
    return test.run(context, ARGUMENTS)
