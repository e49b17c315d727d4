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


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys\nsys.exit(3)", "program exited with non-zero exit code: 3"),
        ("import os\nos._exit(4)", "program exited with non-zero exit code: 4"),
        ("import sys\nsys.exit('not on Mondays')", "not on Mondays"),
    ],
)
def test_a_program_that_exits_is_told_by_its_code(preview_of, program: str, words: str) -> None:  # type: ignore[no-untyped-def]
    said = preview_of(program).failed().text

    assert words in said
    assert "Traceback" not in said
    assert "inline source" not in said


def test_exit_code_32_says_that_the_user_was_told(preview_of) -> None:  # type: ignore[no-untyped-def]
    said = preview_of("import pulumi, sys\npulumi.log.error('replicas is 0')\nsys.exit(32)").failed().text

    assert said.partition("Diagnostics:")[2].count("replicas is 0") == 1
    assert "exit code" not in said
    assert "Traceback" not in said


def test_exit_code_0_ends_a_program_well(preview_of) -> None:  # type: ignore[no-untyped-def]
    preview_of("import sys\nsys.exit()").ok()


def test_an_error_in_an_apply_shows_the_program_s_own_frames(preview_of) -> None:  # type: ignore[no-untyped-def]
    broken = "import pulumi\n\ndef broken(x):\n    return x / 0\n\n"
    ran = preview_of(broken + "pulumi.export('x', pulumi.Output.from_input(1).apply(broken))\n")
    said = ran.text

    assert ran.exit_code != 0
    assert "ZeroDivisionError" in said
    assert "return x / 0" in said
    assert "inline source" not in said
    assert "language_python" not in said


def test_what_an_error_was_raised_from_is_shown_without_our_frames(preview_of) -> None:  # type: ignore[no-untyped-def]
    program = "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('no') from e\n"
    said = preview_of(program).text

    assert "ZeroDivisionError" in said
    assert "ValueError: no" in said
    assert "direct cause" in said
    assert "runpy" not in said
    assert "language_python" not in said
