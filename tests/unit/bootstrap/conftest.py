"""A checkout to try set-up on: empty, with a terminal that only remembers."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.console import Console, Step
from bootstrap.context import Context
from bootstrap.layout import Layout
from bootstrap.system import daemon


@pytest.fixture(autouse=True)
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No record of a test's daemon goes to the machine's own folder."""
    monkeypatch.setattr(daemon, "COPIES", tmp_path / "run" / "daemons")


@pytest.fixture
def terminal() -> io.StringIO:
    """What was shown."""
    return io.StringIO()


@pytest.fixture
def context(tmp_path: Path, terminal: io.StringIO) -> Context:
    """A checkout under tmp_path whose user has set nothing and has an empty PATH."""
    return Context(Layout(tmp_path / "checkout"), Console(terminal, live=False), user={"PATH": str(tmp_path / "bin")})


@pytest.fixture
def step(context: Context) -> Step:
    return Step("a step", context.console.stream, live=False)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Puts a shell script on the context's PATH: program(name, body)."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def write(name: str, body: str) -> Path:
        script = folder / name
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        return script

    return write
