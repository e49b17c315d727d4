"""A program's own words reach the user: what it prints, and its errors once, with its own frames only."""

from pathlib import Path

import pytest

from tests.stack import Ran, Stack


@pytest.fixture
def preview_of(engine: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Previews a program of these lines."""

    def preview(program: str) -> Ran:
        folder = tmp_path / "program"
        folder.mkdir()
        (folder / "__main__.py").write_text(program)
        (folder / "Pulumi.yaml").write_text(
            f"name: host-test\nruntime: {{name: python, options: {{virtualenv: {Stack.virtualenv()}}}}}\n"
        )
        stack = Stack(folder, name="dev", home=tmp_path)
        stack.init()
        return stack.preview()

    return preview


def test_what_a_program_prints_is_shown(preview_of) -> None:  # type: ignore[no-untyped-def]
    assert "hello from the program" in preview_of("print('hello from the program')").ok().text


def test_an_exception_shows_the_program_s_own_frames(preview_of) -> None:  # type: ignore[no-untyped-def]
    said = preview_of("def broken():\n    return 1 / 0\n\nbroken()\n")

    assert said.exit_code != 0
    assert "ZeroDivisionError" in said.text
    assert "broken()" in said.text
    assert "runpy" not in said.text


def test_a_run_error_shows_its_message_alone(preview_of) -> None:  # type: ignore[no-untyped-def]
    said = preview_of("import pulumi\nraise pulumi.RunError('replicas is 0; allowed: from 1')").failed().text

    assert said.count("replicas is 0; allowed: from 1") <= 2, "once while it runs, once in the summary"


def test_every_run_starts_from_nothing(preview_of) -> None:  # type: ignore[no-untyped-def]
    assert (
        "in a process of its own" in preview_of("import sys\nprint('in a process of its own', sys.argv[:0])").ok().text
    )
