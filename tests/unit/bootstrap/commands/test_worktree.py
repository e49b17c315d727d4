"""A second git worktree borrows the first one's tools for test, check and docs, changes nothing of them, and says who
has to set up where they do not fit. On real repositories.
"""

import io
import json
import subprocess
from pathlib import Path

import pytest

from bootstrap import command_line, content
from bootstrap.commands import check, docs, worktree
from bootstrap.commands import test as chore
from bootstrap.console import Console
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout
from bootstrap.steps import plugins, python_environment

LOCK = "torch==2.0 --hash=sha256:00\n"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A repository that git ignores the tools of."""
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / "requirements.lock").write_text(LOCK)
    (folder / ".gitignore").write_text(".tools/\n.sealift/\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first")
    return folder


@pytest.fixture
def second(first: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "second"
    git(first, "worktree", "add", "--quiet", "-b", "second", str(folder))
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def at(root: Path) -> Context:
    return Context(Layout(root), Console(io.StringIO(), live=False), user={"PATH": "/bin"})


def set_up(root: Path) -> None:
    """What set-up leaves behind of a Python environment with stand-ins."""
    layout = Layout(root)
    content.write(python_environment.remembered_flavour(layout), "cuda\n")
    content.write(layout.python, "")
    key = python_environment.key(layout, root / "requirements.lock", "cuda")
    content.write(python_environment.stamp_of(layout), key)
    facts = {"stand_ins": True, "registry": "localhost:5000", "pulumi_home": "/home/of/pulumi"}
    content.write(layout.environment, json.dumps(facts))
    plugins.write_stand_ins(at(root), {"pulumi-resource-docker": "airgap.plugins.docker"})


def tree(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.rglob("*") if file.is_file()}


def test_a_second_worktree_uses_the_tools_of_the_first_and_changes_nothing_of_them(first: Path, second: Path) -> None:
    set_up(first)
    before = tree(first / ".tools")

    found = worktree.borrow(at(second))

    assert found is not None
    assert found.layout.python == first / ".tools" / "venv" / "bin" / "python"
    assert found.variables["SEALIFT_REGISTRY"] == "localhost:5000"
    assert found.variables["PULUMI_HOME"] == "/home/of/pulumi"
    assert tree(first / ".tools") == before
    assert not (second / ".tools").exists()


def test_sources_and_state_of_stacks_are_the_worktrees_own(first: Path, second: Path) -> None:
    set_up(first)

    found = worktree.borrow(at(second))

    assert found is not None
    assert found.layout.root == second
    assert found.variables["PULUMI_BACKEND_URL"] == (second / ".sealift" / "state").as_uri()
    assert found.variables["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(second / ".sealift" / "passphrase")


def test_the_stand_ins_on_path_start_the_worktrees_own_code_with_the_borrowed_python(first: Path, second: Path) -> None:
    set_up(first)

    found = worktree.borrow(at(second))

    assert found is not None
    path = found.variables["PATH"].split(":")
    assert str(found.layout.stand_ins) in path
    assert str(first / ".tools" / "standins") not in path
    (script,) = found.layout.stand_ins.iterdir()
    assert script.name == "pulumi-resource-docker"
    assert f"PYTHONPATH={second}$" in script.read_text()
    assert f"exec {found.layout.python} -m airgap.plugins.docker" in script.read_text()
    assert (second / ".sealift").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("where", ["the first worktree", "a clone", "no repository", "below one", "a bare one's"])
def test_only_another_worktree_of_a_checkout_borrows(first: Path, second: Path, tmp_path: Path, where: str) -> None:
    set_up(first)
    roots = {
        "the first worktree": first,
        "a clone": tmp_path / "clone",
        "no repository": tmp_path,
        "below one": second / "vendored",
        "a bare one's": tmp_path / "of-bare",
    }
    (second / "vendored").mkdir()
    git(tmp_path, "clone", "--quiet", str(first), str(tmp_path / "clone"))
    git(tmp_path, "clone", "--quiet", "--bare", str(first), str(tmp_path / "bare"))
    git(tmp_path / "bare", "worktree", "add", "--quiet", str(tmp_path / "of-bare"), "HEAD")

    assert worktree.first(roots[where]) is None
    assert worktree.borrow(at(roots[where])) is None
    assert worktree.first(second) == first


def test_a_worktree_with_tools_of_its_own_borrows_nothing(first: Path, second: Path) -> None:
    set_up(first)
    set_up(second)

    assert worktree.borrow(at(second)) is None


def test_where_neither_is_set_up_the_message_says_so(first: Path, second: Path) -> None:
    with pytest.raises(BootstrapError, match="nothing is set up in this worktree or in the first one") as caught:
        worktree.borrow(at(second))

    assert caught.value.ways == (
        f"run make setup in {first}, whose tools all its worktrees use",
        "run make setup here, which installs this worktree's own tools",
    )
    assert not (second / ".tools").exists()


def test_an_environment_that_was_not_finished_is_none(first: Path, second: Path) -> None:
    set_up(first)
    python_environment.stamp_of(Layout(first)).unlink()

    with pytest.raises(BootstrapError, match="nothing is set up"):
        worktree.borrow(at(second))


def test_with_another_lock_the_environment_is_not_used(first: Path, second: Path) -> None:
    set_up(first)
    (second / "requirements.lock").write_text(LOCK.replace("2.0", "2.1"))

    with pytest.raises(BootstrapError, match=r"requirements\.lock differs from that of") as caught:
        worktree.borrow(at(second))

    assert caught.value.ways == ("run make setup here, which installs this worktree's own tools",)


def test_with_a_newer_lock_in_both_the_first_is_to_be_set_up_again(first: Path, second: Path) -> None:
    set_up(first)
    for folder in (first, second):
        (folder / "requirements.lock").write_text(LOCK.replace("2.0", "2.1"))

    with pytest.raises(BootstrapError, match=r"was made from an earlier requirements\.lock") as caught:
        worktree.borrow(at(second))

    assert caught.value.ways[0] == f"run make setup in {first}"


def test_test_check_and_docs_borrow_and_set_nothing_up(
    first: Path, second: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(first)
    (second / "tests" / "unit").mkdir(parents=True)
    ran: list[list[str]] = []

    def run(argv: list[str], *, cwd: Path, env: dict[str, str], check: bool) -> "subprocess.CompletedProcess[str]":
        assert cwd == second
        assert env["VIRTUAL_ENV"] == str(first / ".tools" / "venv")
        ran.append(list(argv))
        return subprocess.CompletedProcess(argv, 0)

    def unwanted(context: Context) -> None:
        raise AssertionError("set-up in a worktree that borrows")

    monkeypatch.setattr(command_line, "set_up", unwanted)
    options = command_line._parser().parse_args(["test"])
    for module in (chore, check, docs):
        monkeypatch.setattr(module, "subprocess", type("Subprocess", (), {"run": staticmethod(run)}))

    assert [options.command(at(second), options), check.run(at(second)), docs.run(at(second))] == [0, 0, 0]

    python = str(first / ".tools" / "venv" / "bin" / "python")
    assert ran == [
        [python, "-m", "pytest", "tests/unit"],
        ["ruff", "check"],
        ["mypy"],
        ["lint-imports"],
        [python, "-m", "docs.generate"],
        [python, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", "site"],
    ]
    assert not (second / ".tools").exists()
