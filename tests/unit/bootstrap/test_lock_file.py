"""Reading requirement locks."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from bootstrap import lock_file
from bootstrap.steps import python_environment
from sealift.rooms import PACKAGES

REPOSITORY = Path(__file__).resolve().parents[3]
OF_OTHER_ENVIRONMENTS = re.compile(r"/peer_\w+\.py$|/tests/conformance/programs/")
"""Programs that compare us with other software, which they import from their own environments."""
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
    text = (REPOSITORY / "pyproject.toml").read_text()
    groups: dict[str, list[str]] = tomllib.loads(text)["dependency-groups"]
    lines = text.partition("[dependency-groups]")[2].partition("\n[")[0].splitlines()
    wanted = [line for line in lines if line.startswith("    ")]

    assert len(wanted) == sum(map(len, groups.values())) > 40
    assert [line for line in wanted if "# why: " not in line] == []
    names = {tuple(one.split(";")[0].strip().split("==")) for group in groups.values() for one in group}
    assert names <= locked


@pytest.mark.parametrize("package", [*PACKAGES, "benchmarks", "docs", "examples", "tests", "."])
def test_every_imported_package_is_a_requirement(package: str) -> None:
    """Not only one of another package's requirements."""
    project, distributions = tomllib.loads((REPOSITORY / "pyproject.toml").read_text()), packages_distributions()
    required = {re.split("[=;]", one)[0].strip() for group in project["dependency-groups"].values() for one in group}
    files = (REPOSITORY / package).glob("*.py" if package == "." else "**/*.py")
    ours = {*PACKAGES, "benchmarks", "docs", "examples", "tests", "__main__"}
    found = {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in files if not OF_OTHER_ENVIRONMENTS.search(str(path))
        for name in imported(path) - ours - sys.stdlib_module_names
        if not required & {one.lower().replace("_", "-") for one in distributions.get(name, ())}
    }  # fmt: skip

    assert found == set()


def imported(path: Path) -> set[str]:
    def names() -> Iterator[str]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (one.name for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.module

    return {one.partition(".")[0] for one in names()}


def test_the_server_s_list_is_the_group_s_and_the_extra_allows_it() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    pinned = (REPOSITORY / "sealift" / "serving" / "requirements.txt").read_text().splitlines()
    server = {line.partition("#")[0].strip() for line in pinned if line and not line.startswith("#")}
    of_the_checkout = {one for group in project["dependency-groups"].values() for one in group}
    library = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["serve"]]

    assert server <= of_the_checkout
    assert {re.split("[=>;]", one)[0] for one in library} == {re.split("[=;]", one)[0].strip() for one in server}


def test_the_cpu_build_leaves_out_every_part_of_cuda() -> None:
    pins = lock_file.parse((REPOSITORY / "requirements.lock").read_text())
    left = lock_file.parse(lock_file.without(pins, python_environment.CUDA_ONLY))

    assert [pin.name for pin in left if "cu1" in pin.name or "nvidia" in pin.name or "cuda" in pin.name] == []
    assert {"torch", "triton"} <= {pin.name for pin in pins} - {pin.name for pin in left}
    assert {"numpy", "sympy"} <= {pin.name for pin in left}
