"""`faults` runs the tests that `test` runs too, with more moments."""

import subprocess
import sys
from pathlib import Path

from bootstrap.commands import faults

REPOSITORY = Path(__file__).resolve().parents[4]


def test_it_chooses_a_test_for_each_process_and_one_of_requests_and_gives_their_numbers() -> None:
    chosen = ["-n0" if one == "-n" else one for one in faults.ARGUMENTS if one != "2"]

    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *chosen],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip

    tests = [line for line in collected.stdout.splitlines() if "::" in line]
    assert [test.partition("[")[2] for test in tests[:3]] == ["the training process]", "the plugin]", "the engine]"]
    assert (
        tests[3] == "tests/unit/serving/http/test_fuzzing.py::test_what_is_changed_is_answered_the_same_in_any_pieces"
    )
    assert {test.partition("::")[0] for test in tests[4:]} == {
        "tests/process/test_killed_stores.py",
        "tests/process/test_faulty_s3.py",
        "tests/process/test_hostile_artifacts.py",
        "tests/process/test_fuzzed_parsers.py",
    }
