"""`faults`: kills training, plugin, engine and writers of stores at many random moments, puts many random faults
between a store and its service, and sends many damaged requests to the model server. `test` does the same at a few
moments.
"""

from bootstrap.commands import test
from bootstrap.context import Context

MOMENTS = 50
"""Number of moments for each process. They take about twenty minutes on two cores."""
EXAMPLES = 20_000
"""Number of damaged requests. They take about three minutes."""
ARGUMENTS = (
    "--moments", str(MOMENTS), "--examples", str(EXAMPLES), "-n", "2", "-rP",
    "-o", f"faulthandler_timeout={4 * 3600}",
    "-k", "random_moments or random_faults or in_any_pieces or every_flipped_byte",
    "tests/engine/test_interruptions.py", "tests/unit/serving/http/test_fuzzing.py",
    "tests/process/test_killed_stores.py", "tests/process/test_faulty_s3.py",
    "tests/process/test_hostile_artifacts.py", "tests/process/test_fuzzed_parsers.py",
)  # fmt: skip


def run(context: Context) -> int:
    """Returns pytest's exit status."""
    return test.run(context, ARGUMENTS)
