"""Program and plugin run in what set-up made, or not at all: no language host makes an environment of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

PROJECT_ROOT: Final = Path(__file__).resolve().parents[3]
PLUGIN: Final = Path("components/plugin/pulumi-resource-sealift")
PROJECTS: Final = [PROJECT_ROOT / "Pulumi.yaml", *sorted(PROJECT_ROOT.glob("examples/*/Pulumi.yaml"))]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Without set-up's environment, in a folder whose name has a space."""
    root = tmp_path / "a clone"
    shutil.copytree(environment(PROJECT_ROOT / "Pulumi.yaml"), root / "bootstrap" / "venv", symlinks=True)
    (root / PLUGIN).parent.mkdir(parents=True)
    shutil.copy(PROJECT_ROOT / PLUGIN, root / PLUGIN)
    return root


def environment(project: Path) -> Path:
    """The folder that the official language host takes for the program's environment."""
    options = yaml.safe_load(project.read_text())["runtime"]["options"]
    assert options["toolchain"] == "pip", "else a uv.lock or poetry.lock in a folder above decides"
    return Path(os.path.normpath(project.parent / options["virtualenv"]))


def ran(*arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if name != "SEALIFT_PYTHON"}
    argv = list(map(str, arguments))
    return subprocess.run(argv, env=inherited | variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_the_official_host_finds_an_environment_and_makes_none(project: Path) -> None:
    """It looks for bin/python there, and installs requirements.txt where there is none."""
    python = environment(project) / "bin" / "python"
    tracked = subprocess.run(
        ["git", "ls-files", "-s", python.relative_to(PROJECT_ROOT)], cwd=PROJECT_ROOT, capture_output=True, text=True
    )

    assert tracked.stdout.startswith("100755 ")


def test_before_set_up_program_and_plugin_say_what_to_do(clone: Path) -> None:
    for command in ([clone / "bootstrap/venv/bin/python", "program"], [clone / PLUGIN, "127.0.0.1:1"]):
        refused: Any = ran(*command)

        assert refused.returncode == 1
        assert "run `make setup`" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_before_set_up_no_package_is_there(clone: Path) -> None:
    """An error here would hide from the user of the official host what the program's says."""
    assert ran(clone / "bootstrap/venv/bin/python", "-m", "pip", "list", "--format", "json").stdout == "[]\n"


def test_after_set_up_it_is_set_up_s_python(clone: Path) -> None:
    made = clone / ".tools" / "venv" / "bin" / "python"
    made.parent.mkdir(parents=True)
    made.write_text('#!/bin/sh\necho "made: $*"\n')
    made.chmod(0o755)

    assert ran(clone / "bootstrap/venv/bin/python", "-c", "two words").stdout == "made: -c two words\n"
    assert ran(clone / PLUGIN, "127.0.0.1:1").stdout == "made: -P -m components.plugin 127.0.0.1:1\n"


def test_another_python_can_be_named(clone: Path) -> None:
    asked = ran(clone / "bootstrap/venv/bin/python", "-c", "print('hello')", SEALIFT_PYTHON=sys.executable)

    assert asked.stdout == "hello\n"


def test_nobody_makes_a_virtual_environment_over_it(clone: Path) -> None:
    """As `pulumi install` would."""
    python = clone / "bootstrap" / "venv" / "bin" / "python"
    before = python.read_text()

    assert ran(sys.executable, "-m", "venv", clone / "bootstrap" / "venv").returncode != 0
    assert python.read_text() == before
    assert not python.is_symlink()
