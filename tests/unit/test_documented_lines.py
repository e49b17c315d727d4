"""Whatever the documents say to type is there: targets, modules, options, outputs, files.

`pulumi config set` has test_documented_commands.py; tests/cluster types what can be typed. Nothing is run
here but `--help`.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from sealift.rooms import PACKAGES
from tests.documented import PAGES, PROJECT_ROOT, commands, spans

MODULE = re.compile(r"^python3? -m (\S+)(.*)$")
SUFFIX = "py|md|toml|ya?ml|json|txt|lock|html|js|css|csv|parquet|onnx|pem|svg|png|proto|safetensors|sh"
FILE = re.compile(rf"^(?:[\w.-]+/)*[\w-]+\.(?:{SUFFIX})$|^(?:[\w.-]+/)+$")
FOLDERS = "|".join(re.escape(one) for one in (*PACKAGES, "benchmarks", "docs", "examples", "tests", ".github", ".ci"))
IN_A_FOLDER_OF_OURS = re.compile(rf"^(?:{FOLDERS})/(?!v1\b)[\w./-]+$")
"""Also without a suffix. `sealift/v1/…` are the labels of the format's keys."""
OF_OTHERS = {
    ".sealift/": "made by set-up",
    "site/": "made by `make docs`",
    "data/churn.csv": "an example of a user's data set",
    "models/": "an example of a user's networks",
    "server.pem": "an example of a user's certificate",
    "locks/": "in an artifact store",
    "leases/": "in an artifact store",
}
"""Files that documents name and the checkout does not have, with the reason."""
IMAGE = re.compile(r' src(?:set)?="([^"]+)"')
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


@cache
def makefile() -> str:
    return (PROJECT_ROOT / "Makefile").read_text()


@cache
def help_of(*words: str) -> str:
    """What `python -m WORDS --help` prints."""
    ran = subprocess.run(
        [sys.executable, "-m", *words, "--help"], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_commands_of_each_kind_are_found() -> None:
    assert len(commands("make")) >= 8
    assert len([one for one in commands("python", "python3") if MODULE.match(one)]) >= 6
    assert len([one for one in commands("pulumi") if "config set" not in one]) >= 10


@pytest.mark.parametrize("command", commands("make"))
def test_make_has_the_targets_and_reads_the_variables(command: str) -> None:
    words = command.split()[1:]
    phony = re.search(r"^\.PHONY: (.*)$", makefile(), re.MULTILINE)
    assert phony is not None

    assert {word for word in words if "=" not in word} <= {*phony[1].split()}
    assert [
        name for name in (word.partition("=")[0] for word in words if "=" in word)
        if not re.search(rf"\$\({name}\)|^export .*\b{name}\b|^{name} \?=", makefile(), re.MULTILINE)
    ] == []  # fmt: skip


@pytest.mark.parametrize("command", [one for one in commands("python", "python3") if MODULE.match(one)])
def test_a_module_has_the_options(command: str) -> None:
    match = MODULE.match(command)
    assert match is not None
    subcommand = match[2].split()[:1] if match[1] == "sealift" else []
    known = help_of(match[1], *subcommand)

    options = re.findall(r"(?<=\s)--[\w-]+", match[2])
    assert [one for one in options if not re.search(rf"(?<![\w-]){one}(?![\w-])", known)] == []


@pytest.mark.parametrize("command", [one for one in commands("pulumi") if one.startswith("pulumi stack output ")])
def test_the_program_has_the_output(command: str) -> None:
    output = command.split()[3]

    assert re.search(rf'["\']{output}["\']', (PROJECT_ROOT / "__main__.py").read_text())


@pytest.mark.parametrize("command", [one for one in commands("pulumi") if one.startswith("pulumi -C ")])
def test_the_folder_has_a_program(command: str) -> None:
    assert (PROJECT_ROOT / command.split()[2] / "Pulumi.yaml").is_file()


@pytest.mark.parametrize("document", PAGES, ids=lambda one: str(one.relative_to(PROJECT_ROOT)))
def test_a_link_within_the_project_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    targets = [one for one in (*LINK.findall(text), *IMAGE.findall(text)) if "://" not in one]

    assert [one for one in targets if not (document.parent / one).exists()] == []


def test_files_are_named() -> None:
    assert len([one for one in spans(PROJECT_ROOT / "CONTRIBUTING.md") if is_file_of_ours(one)]) > 30
    assert {*OF_OTHERS} <= {one for document in PAGES for one in spans(document)}


@pytest.mark.parametrize("document", PAGES, ids=lambda one: str(one.relative_to(PROJECT_ROOT)))
def test_a_named_file_exists(document: Path) -> None:
    """By its path from the root, or, in CONTRIBUTING's line about one package, from that package."""
    folders = [PROJECT_ROOT]
    if document.name == "CONTRIBUTING.md":
        folders += [path for path in PROJECT_ROOT.iterdir() if path.is_dir()]
    named = [one for one in spans(document) if is_file_of_ours(one) and one not in OF_OTHERS]

    assert [one for one in named if not any((folder / one).exists() for folder in folders)] == []


@pytest.mark.parametrize(
    "name",
    ["training/gone.py", "gone.toml", "docs/how-to/gone.md", "sealift/gone", ".github/workflows/gone.yml", "gone/"],
)
def test_a_name_that_looks_like_a_file_of_ours_is_checked(name: str) -> None:
    assert is_file_of_ours(name)


@pytest.mark.parametrize(
    "name", ["/openapi.json", "training.seed", "sealift/v1/record", "python -m training", "text/html"]
)
def test_a_name_of_something_else_is_not(name: str) -> None:
    assert not is_file_of_ours(name)


def is_file_of_ours(name: str) -> bool:
    return bool(FILE.match(name) or IN_A_FOLDER_OF_OURS.match(name))
