"""atheris on the parsers of what others can write, each for a bounded time in a process of its own.

It is skipped where atheris is not installed: see tests/fuzzing/__main__.py.
"""

import importlib.util
import re
import subprocess
import sys

import pytest

from tests.documented import PROJECT_ROOT

ENDS_WITHIN_SECONDS = 600
LARGE_PARENT = """
import subprocess, sys
block = bytearray(3 << 30)
for place in range(0, len(block), 4096):
    block[place] = 1
del block
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""

pytestmark = pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")


def fuzz(target: str, seconds: int, *before: str) -> int:
    """Returns the number of inputs that were tried."""
    ran = subprocess.run(
        [*before, sys.executable, "-m", "tests.fuzzing", target, "--seconds", str(seconds)],
        cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=seconds + ENDS_WITHIN_SECONDS, check=False,
    )  # fmt: skip
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said[-5000:]
    done = re.search(r"Done (\d+) runs", said)
    assert done is not None, said[-2000:]
    return int(done[1])


@pytest.mark.parametrize("target", ["manifest", "payload", "record"])
def test_at_random_moments_of_a_search_no_input_raises_anything_else(
    target: str, request: pytest.FixtureRequest
) -> None:
    runs = fuzz(target, request.config.getoption("moments"))

    print(f"{target}: {runs} inputs")
    assert runs > 20


def test_a_search_that_a_large_process_starts_does_not_end_for_its_parent_s_memory() -> None:
    """libFuzzer measures with ru_maxrss, which a child inherits."""
    assert fuzz("manifest", 1, sys.executable, "-c", LARGE_PARENT) > 20
