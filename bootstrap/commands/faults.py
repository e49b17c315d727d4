"""`faults`: kills training, plugin and engine at many random moments, and sends the model server many changed requests;
`test` does the same at a few moments, with a few requests.
"""

from bootstrap.commands import test
from bootstrap.context import Context

MOMENTS = 50
"""For each of them: some twenty minutes on two cores."""
EXAMPLES = 20_000
"""Of requests: some three minutes."""
ARGUMENTS = (
    "--moments", str(MOMENTS), "--examples", str(EXAMPLES), "-n", "2", "-rP",
    "-o", f"faulthandler_timeout={4 * 3600}", "-k", "random_moments or in_any_pieces",
    "tests/engine/test_interruptions.py", "tests/unit/serving/http/test_fuzzing.py",
)  # fmt: skip


def run(context: Context) -> int:
    """pytest's exit status."""
    return test.run(context, ARGUMENTS)
