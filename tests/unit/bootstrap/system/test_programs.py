"""Running other programs: logged, in time, and none left behind."""

import os
import sys
from pathlib import Path

import pytest

from bootstrap.errors import ProgramFailed
from bootstrap.system import programs


def run(tmp_path: Path, code: str, **options: float) -> list[str]:
    seen: list[str] = []
    programs.run(
        [sys.executable, "-c", code],
        log=tmp_path / "log",
        progress=seen.append,
        timeout_seconds=options.get("timeout_seconds"),
    )
    return seen


def test_both_streams_go_to_the_log(tmp_path: Path) -> None:
    run(tmp_path, "import sys; print('out'); print('err', file=sys.stderr)")

    assert sorted((tmp_path / "log").read_text().splitlines()[1:]) == ["err", "out"]


def test_the_newest_line_is_shown_while_it_works(tmp_path: Path) -> None:
    seen = run(tmp_path, "import time; print('one', flush=True); time.sleep(0.3); print('two', flush=True)")

    assert any(text.strip().endswith("one") for text in seen)
    assert seen[-1].strip().endswith("two")


def test_a_failure_shows_the_status_and_the_end_of_what_was_said(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match=r"ended with exit status 3:\n(.|\n)*the reason") as caught:
        run(tmp_path, "print('the reason'); raise SystemExit(3)")

    assert caught.value.ways == (f"read the whole log: {tmp_path / 'log'}",)


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match="took longer than 1 s"):
        run(tmp_path, "import time; time.sleep(1e6)", timeout_seconds=0.6)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match="`no-such-program` could not be started"):
        programs.run(["no-such-program"], log=tmp_path / "log", progress=lambda _: None)


def test_an_interrupt_leaves_no_child(tmp_path: Path) -> None:
    """Ctrl-C while a build runs: the build ends too."""
    told = tmp_path / "pid"
    code = f"""
import os, pathlib, time
pathlib.Path({str(told)!r}).write_text(str(os.getpid()))
print("up", flush=True)
time.sleep(60)
"""

    def interrupt(text: str) -> None:
        if "up" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        programs.run([sys.executable, "-c", code], log=tmp_path / "log", progress=interrupt)

    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)


@pytest.mark.parametrize("argv", [["no-such-program"], ["false"], ["sleep", "30"]])
def test_asking_gives_nothing_when_absent_failing_or_late(argv: list[str]) -> None:
    assert programs.ask(argv, timeout_seconds=0.3) is None


def test_asking_gives_what_was_said() -> None:
    assert programs.ask(["echo", "  words "]) == "words"
