"""The context's digest covers what a build reads, and nothing of where or when."""

import os
import shutil
from pathlib import Path

import pytest

from airgap.plugins.docker.context import context_digest, dockerfile_in_context, mode_text
from sealift.provider import PluginError

OFFICIAL_PROGRAM = Path(__file__).parents[2] / "cluster" / "official_program"


def context(folder: Path) -> Path:
    """A context of two files, the same wherever it is written."""
    (folder / "server").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "server" / "app.py").write_text("print(1)\n")
    for path in (folder / "Dockerfile", folder / "server" / "app.py"):
        path.chmod(0o644)
    (folder / "server").chmod(0o755)
    return folder


def digest(folder: Path) -> str:
    return context_digest(str(folder), str(folder / "Dockerfile"))


def test_it_is_the_official_plugin_s_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both values are what the plugin's own function (release 5.1.0) says of these folders."""
    app = tmp_path / "app"
    shutil.copytree(OFFICIAL_PROGRAM / "app", app)
    for path in app.iterdir():
        path.chmod(0o644)
    varied = tmp_path / "ctx"
    for name, content, mode in [
        ("Dockerfile", "FROM scratch\n", 0o644), (".dockerignore", "# notes\n*.log\nb.d/*\n!b.d/run\n", 0o644),
        ("a/b", "1\n", 0o644), ("a/B", "3\n", 0o644), ("a.txt", "2\n", 0o644), ("noise.log", "x\n", 0o644),
        ("b.d/run", "y\n", 0o4755), ("b.d/walk", "z\n", 0o644),
    ]:  # fmt: skip
        (varied / name).parent.mkdir(parents=True, exist_ok=True)
        (varied / name).write_text(content)
        (varied / name).chmod(mode)
    (varied / "empty").mkdir()
    (varied / "a" / "link").symlink_to("../a.txt")
    monkeypatch.chdir(tmp_path)

    assert context_digest("app", "app/Dockerfile") == "c877e61a8d6cf2eb982b765c6e3c40609456b40353fdadca909a357bad4e42b1"
    assert context_digest("ctx", "ctx/Dockerfile") == "78a0c6f9f59e457714f0e044a68a7bdad7166ee5b680014547f5f9827112c06d"


@pytest.mark.parametrize(
    ("mode", "text"),
    [(0o100644, "-rw-r--r--"), (0o104755, "urwxr-xr-x"), (0o103700, "gtrwx------"), (0o120777, "Lrwxrwxrwx"),
     (0o010600, "prw-------"), (0o140755, "Srwxr-xr-x"), (0o020666, "Dcrw-rw-rw-"), (0o060660, "Drw-rw----")],
)  # fmt: skip
def test_a_mode_reads_as_in_go(mode: int, text: str) -> None:
    assert mode_text(mode) == text


@pytest.mark.parametrize("target", ["nothing", "link"])
def test_a_link_to_nothing_is_named(tmp_path: Path, target: str) -> None:
    folder = context(tmp_path / "context")
    (folder / "link").symlink_to(target)

    with pytest.raises(PluginError, match="has no target"):
        digest(folder)


def test_the_same_files_elsewhere_and_at_another_time_have_the_same_digest(tmp_path: Path) -> None:
    here, there = context(tmp_path / "here"), context(tmp_path / "there" / "deeper")
    os.utime(there / "Dockerfile", (1, 1))

    assert digest(here) == digest(there)


def test_a_changed_byte_mode_or_name_changes_it(tmp_path: Path) -> None:
    folder = context(tmp_path / "context")
    seen = {digest(folder)}

    (folder / "server" / "app.py").write_text("print(2)\n")
    seen.add(digest(folder))
    (folder / "server" / "app.py").chmod(0o755)
    seen.add(digest(folder))
    (folder / "server" / "app.py").rename(folder / "server" / "main.py")
    seen.add(digest(folder))

    assert len(seen) == 4


def test_what_dockerignore_names_is_left_out(tmp_path: Path) -> None:
    folder = context(tmp_path / "context")
    (folder / ".dockerignore").write_text("# notes\n*.log\n")
    before = digest(folder)

    (folder / "build.log").write_text("noise")

    assert digest(folder) == before


def test_the_dockerfile_is_named_relative_to_the_context(tmp_path: Path) -> None:
    folder = context(tmp_path / "context")

    assert dockerfile_in_context(str(folder), str(folder / "Dockerfile")) == "Dockerfile"


@pytest.mark.parametrize(
    ("missing", "word"), [("context", "build.context"), ("context/Dockerfile", "build.dockerfile")]
)
def test_a_missing_part_is_named(tmp_path: Path, missing: str, word: str) -> None:
    folder = context(tmp_path / "context")
    path = tmp_path / missing
    path.rename(tmp_path / "elsewhere")

    with pytest.raises(PluginError, match=word):
        digest(folder)
