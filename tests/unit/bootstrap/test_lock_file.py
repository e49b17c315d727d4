"""Reading requirement locks."""

import re
from pathlib import Path

import pytest

from bootstrap import lock_file
from bootstrap.steps import python_environment

REPOSITORY = Path(__file__).resolve().parents[3]
LOCK = """\
# a comment
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via onnx
Torch==2.15.0 \\
    --hash=sha256:{a}
"""
LOCK = LOCK.format(a="a" * 64, b="b" * 64)


def test_a_pin_has_name_version_and_hashes_and_keeps_its_marker() -> None:
    numpy, torch = lock_file.parse(LOCK)

    assert (numpy.name, numpy.version) == ("numpy", "2.4.6")
    assert "; python_full_version < '3.12'" in numpy.text
    assert numpy.hashes == (f"sha256:{'a' * 64}", f"sha256:{'b' * 64}")
    assert (torch.name, torch.version) == ("torch", "2.15.0")


def test_packages_are_left_out_by_their_whole_name() -> None:
    """torch must not take torchvision with it."""
    kept = lock_file.without(lock_file.parse(LOCK), re.compile("torch|nump"))

    assert [pin.name for pin in lock_file.parse(kept)] == ["numpy"]


@pytest.mark.parametrize("line", ["requests>=2", "-r other.txt", "    --hash=sha256:ff", "https://example/x.whl"])
def test_a_line_that_is_no_pin_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(line.strip() if not line.startswith(" ") else line))):
        lock_file.parse(line)


@pytest.mark.parametrize(
    "lock", sorted(REPOSITORY.glob("**/requirements.lock")), ids=lambda path: str(path.parent.name)
)
def test_every_pin_of_our_locks_has_a_hash(lock: Path) -> None:
    pins = lock_file.parse(lock.read_text())

    assert pins
    assert [pin.name for pin in pins if not pin.hashes] == []


def test_there_is_a_lock() -> None:
    assert (REPOSITORY / "requirements.lock").is_file()


def test_every_requirement_is_pinned_says_why_and_is_locked() -> None:
    locked = {(pin.name, pin.version) for pin in lock_file.parse((REPOSITORY / "requirements.lock").read_text())}
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]

    assert [line for line in wanted if "# why: " not in line] == []
    names = {tuple(line.split("#")[0].split(";")[0].strip().split("==")) for line in wanted}
    assert names <= locked


def test_the_cpu_build_leaves_out_every_part_of_cuda() -> None:
    pins = lock_file.parse((REPOSITORY / "requirements.lock").read_text())
    left = lock_file.parse(lock_file.without(pins, python_environment.CUDA_ONLY))

    assert [pin.name for pin in left if "cu1" in pin.name or "nvidia" in pin.name or "cuda" in pin.name] == []
    assert {"torch", "triton"} <= {pin.name for pin in pins} - {pin.name for pin in left}
    assert {"numpy", "sympy"} <= {pin.name for pin in left}
