"""The context's digest covers what a build reads, and nothing of where or when."""

import os
from pathlib import Path

import pytest

from airgap.plugins.docker.context import context_digest, dockerfile_in_context
from components.plugin.errors import PluginError


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
