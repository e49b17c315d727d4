"""Which Pulumi CLI is used, and what is said where none can be had."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap import go_program
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing, ProgramFailed
from bootstrap.steps import engine
from bootstrap.system import network

Program = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "reachable", lambda source: False)


@pytest.fixture
def module(context: Context) -> Path:
    folder = context.layout.root / "airgap" / "engine"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module engine\n\ngo 1.25.11\n")
    (folder / "go.sum").write_text("")
    return folder


@pytest.mark.parametrize(
    ("said", "expected"),
    [("v3.259.0", (3, 259)), ("3.12.1-dev", (3, 12)), ("", (0, 0)), ("pulumi", (0, 0)), ("v3", (0, 0))],
)
def test_versions_are_read(said: str, expected: tuple[int, int]) -> None:
    assert engine.version(said) == expected


def test_the_users_own_cli_is_used(context: Context, step: Step, program: Program) -> None:
    path = program("pulumi", "echo v3.259.0")

    engine.ensure(context, step)

    assert step.result == f"v3.259.0, {path}"


def test_an_old_cli_is_left_alone_and_another_is_built(
    context: Context, terminal: io.StringIO, step: Step, program: Program, module: Path
) -> None:
    program("pulumi", "echo v3.100.0")
    program("go", BUILDS)

    engine.ensure(context, step)

    assert step.result == "v3.259.0, built from its Go module"
    assert "v3.100.0; v3.230 or newer is needed" in terminal.getvalue()


# Answers as Go does, and "builds" by writing what it was called with.
BUILDS = """
case "$1 $2" in
  "env GOVERSION") echo go1.26.8 ;;
  "env GOTOOLCHAIN") echo local ;;
  build*) while [ "$1" != -o ]; do shift; done; echo built > "$2" ;;
esac
"""


def test_a_build_is_done_once(context: Context, step: Step, program: Program, module: Path) -> None:
    program("go", BUILDS)
    engine.ensure(context, step)
    program("go", "exit 1")

    engine.ensure(context, step)

    assert (context.layout.bin / "pulumi").read_text() == "built\n"


def test_a_changed_module_is_built_again(context: Context, step: Step, program: Program, module: Path) -> None:
    program("go", BUILDS)
    engine.ensure(context, step)
    (module / "go.mod").write_text("module engine\n\ngo 1.26\n")
    program("go", BUILDS.replace("echo built", "echo again"))

    engine.ensure(context, step)

    assert (context.layout.bin / "pulumi").read_text() == "again\n"


def test_a_build_that_was_cut_short_counts_for_nothing(
    context: Context, step: Step, program: Program, module: Path
) -> None:
    program("go", BUILDS.replace('echo built > "$2"', 'echo half > "$2"; exit 1'))

    with pytest.raises(ProgramFailed):
        engine.ensure(context, step)

    assert not (context.layout.bin / "pulumi").exists()


def test_without_go_the_message_names_the_part_and_the_ways(context: Context, step: Step, module: Path) -> None:
    with pytest.raises(PartMissing, match="Pulumi CLI: must be built from source, but Go is not installed") as caught:
        engine.ensure(context, step)

    assert caught.value.ways == (
        "install the Pulumi CLI: https://www.pulumi.com/docs/install/",
        "install Go 1.25 or newer and put it on PATH",
    )


@pytest.mark.parametrize(
    ("version", "toolchain", "usable"),
    [
        ("go1.19.8", "", False),
        ("go1.24.1", "local", False),
        ("go1.24.1", "auto", True),
        ("go1.25.0", "local", True),
        ("go1.30.0", "local", True),
        ("devel", "auto", False),
    ],
)
def test_a_go_that_is_too_old_is_refused(
    context: Context, step: Step, program: Program, module: Path, version: str, toolchain: str, usable: bool
) -> None:
    """From 1.21 on, Go fetches the newer toolchain that a module asks for, unless told to stay local."""
    program("go", BUILDS.replace("go1.26.8", version).replace("echo local", f"echo {toolchain}"))

    if usable:
        engine.ensure(context, step)
        assert go_program.is_built(context, "pulumi")
    else:
        with pytest.raises(PartMissing, match=f"is {version}"):
            engine.ensure(context, step)


def test_a_users_pulumi_home_is_left_alone(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold a log-in."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)

    assert engine._home(context) == str(context.layout.tools / "pulumi-home")
    (tmp_path / ".pulumi").mkdir()
    assert engine._home(context) == ""
