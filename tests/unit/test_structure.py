"""The structure that the design promises: imports follow the data, and public surfaces change on purpose only."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from docs import generate
from sealift import __main__ as command
from sealift import rooms
from sealift.serving.version import VERSION

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def test_imports_follow_the_data_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")

    linted = subprocess.run([lint, "--no-cache"], cwd=PROJECT_ROOT, capture_output=True, text=True)

    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_every_package_has_its_place_in_the_layers_and_in_every_list() -> None:
    """import-linter asks this of a package's inside (exhaustive), never of the packages themselves."""
    packages = {
        folder.name
        for folder in PROJECT_ROOT.iterdir()
        if folder.name[0] != "." and folder.name != "tests" and folder.is_dir() and any(folder.rglob("*.py"))
    }
    tools = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["tool"]
    linted = tools["importlinter"]
    (placed,) = (modules(one) for one in linted["contracts"] if one["name"] == "packages in layers")
    (own_warnings,) = re.findall(r"\(\?!(.*)\)", " ".join(tools["pytest"]["ini_options"]["filterwarnings"]))

    assert placed == packages == set(linted["root_packages"])
    assert set(tools["mypy"]["files"]) == packages | {"tests", "__main__.py"}
    assert set(own_warnings.split("|")) == set(rooms.PACKAGES) == packages - {"benchmarks", "docs", "examples"}


def modules(contract: dict[str, list[str]]) -> set[str]:
    return {module for layer in contract["layers"] for module in re.split(r" [|:] ", layer)}


@pytest.mark.parametrize(
    "name",
    ["components", "sealift.provider", "sealift.sealing", "sealift.settings", "sealift.signing", "sealift.stores"],
)
def test_all_is_sorted_and_every_name_is_there(name: str) -> None:
    package = importlib.import_module(name)

    assert sorted(package.__all__, key=lambda name: (not name.isupper(), name)) == package.__all__, "constants first"
    assert [public for public in package.__all__ if not hasattr(package, public)] == []


def test_a_wheel_holds_the_library_and_its_command(tmp_path: Path) -> None:
    shutil.copytree(PROJECT_ROOT / "sealift", tmp_path / "sealift", ignore=shutil.ignore_patterns("__pycache__"))
    for other in ("tests", "training", "components"):
        (tmp_path / other).mkdir()
        (tmp_path / other / "mine.py").touch()
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT_ROOT / file, tmp_path)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"

    built = subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True, check=True)

    wheel = zipfile.ZipFile(tmp_path / built.stdout.splitlines()[-1])
    information = f"sealift-{VERSION}.dist-info"
    assert {name.partition("/")[0] for name in wheel.namelist()} == {"sealift", information}
    assert {
        "sealift/py.typed", "sealift/sealing/stream.py", "sealift/serving/page/page.html",
        f"{information}/licenses/LICENSE",
    } <= set(wheel.namelist())  # fmt: skip
    assert b"sealift = sealift.__main__:main" in wheel.read(f"{information}/entry_points.txt")
    assert b"License-Expression: Apache-2.0" in wheel.read(f"{information}/METADATA")
    wheel.extractall(tmp_path / "installed")
    command = [sys.executable, "-m", "sealift", "--version"]
    said = subprocess.run(command, cwd=tmp_path / "installed", capture_output=True, text=True, check=True)
    assert said.stdout == f"{VERSION}\n"


def test_the_command_s_exit_code_is_the_server_s(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sealift", "serve", "--artifact", "nowhere/" + "0" * 32, "--key", "nokey.pem"]

    ran = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True)
    wrong = subprocess.run(command[:4], cwd=PROJECT_ROOT, capture_output=True, text=True)

    assert ran.returncode == 1 and "nowhere" in ran.stderr and "Traceback" not in ran.stderr
    assert wrong.returncode == 1 and "see sealift serve --help" in wrong.stderr


def test_the_command_names_the_extra_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_it(*_: object, **__: object) -> int:
        raise ModuleNotFoundError("No module named 'msgspec'", name="msgspec")

    monkeypatch.setattr("sealift.serving.__main__.main", without_it)

    assert command.main(["serve"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == 'hint: pip install "sealift[serve]"'


def test_there_is_one_version() -> None:
    assert tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_the_name_of_a_class_is_its_own_in_the_whole_tree() -> None:
    found: dict[str, list[str]] = {}
    for package in rooms.PACKAGES:
        for path in (PROJECT_ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found.setdefault(node.name, []).append(path.relative_to(PROJECT_ROOT).as_posix())

    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_the_plugin_s_process_loads_neither_torch_nor_the_docker_and_kubernetes_sdks() -> None:
    program = "import sys, components.plugin.__main__; print(sorted({name.split('.')[0] for name in sys.modules}))"

    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    ).stdout

    for heavy in ("torch", "numpy", "sklearn", "onnx", "pulumi_docker", "pulumi_kubernetes", "docker", "kubernetes"):
        assert f"'{heavy}'" not in loaded


@pytest.mark.parametrize("file", generate.generated(), ids=lambda file: str(file.name))
def test_what_is_generated_is_what_the_declarations_say(file: Path) -> None:
    assert file.read_text() == generate.generated()[file], "run `make docs`"


def test_the_guide_for_contributors_names_files_that_are_there() -> None:
    named = set(re.findall(r"`([a-z_]+/[a-z_/]*(?:\.py|/))`", (PROJECT_ROOT / "CONTRIBUTING.md").read_text()))

    assert len(named) > 20
    assert sorted(path for path in named if not (PROJECT_ROOT / path).exists()) == []
