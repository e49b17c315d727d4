"""`faults` runs the tests that `test` runs too, with more moments."""

import subprocess
import sys
from pathlib import Path

from bootstrap.commands import faults

REPOSITORY = Path(__file__).resolve().parents[4]


def test_it_chooses_a_test_for_each_process_and_gives_the_number_of_moments() -> None:
    chosen = ["-n0" if one == "-n" else one for one in faults.ARGUMENTS if one != "2"]

    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *chosen],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip

    tests = [line for line in collected.stdout.splitlines() if "::" in line]
    assert [test.partition("[")[2] for test in tests] == ["the training process]", "the plugin]", "the engine]"]
