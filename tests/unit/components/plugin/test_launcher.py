"""What is made of a run is the same wherever it ran."""

import asyncio
from pathlib import Path

import pytest

from components.plugin.launcher import (
    Ending,
    Notice,
    RunCancelled,
    RunCrashed,
    RunFailed,
    RunRefused,
    RunTimedOut,
    Submission,
    run_training,
)
from tests.unit.components.plugin.fake_launcher import FakeLauncher
from training.events import ErrorEvent, Event, LogEvent, PhaseEvent, ResultEvent
from training.job import Job
from training.request import RunRequest

SUBMISSION = Submission(RunRequest(Job(), "file:///nowhere", bytes(32), ("pem",), "ab" * 32), Path())
RESULT = ResultEvent({"artifact_id": "ab"})
LOG = LogEvent("info", "reading")


def run(
    launcher: FakeLauncher, *, timeout_seconds: float = 0, cancelled: bool = False
) -> tuple[ResultEvent, list[Notice]]:
    notices: list[Notice] = []

    async def on_notice(notice: Notice) -> None:
        notices.append(notice)

    async def main() -> ResultEvent:
        cancel = asyncio.Event()
        if cancelled:
            asyncio.get_running_loop().call_later(0.05, cancel.set)
        return await run_training(
            launcher, SUBMISSION, timeout_seconds=timeout_seconds, cancelled=cancel, on_notice=on_notice
        )

    return asyncio.run(main()), notices


def telling(*events: Event) -> FakeLauncher:
    return FakeLauncher(tell=lambda submission: events)


def test_the_result_is_returned_and_what_is_told_before_it_is_passed_on() -> None:
    assert run(telling(LOG, RESULT)) == (RESULT, [LOG])


def test_an_error_is_raised_and_one_with_a_report_names_it() -> None:
    with pytest.raises(RunFailed, match="odd\nhint: mend it"):
        run(telling(ErrorEvent("odd", "mend it")))
    with pytest.raises(RunRefused, match="too bad") as refused:
        run(telling(ErrorEvent("too bad", "", {"artifact_id": "ab"})))
    assert refused.value.report == {"artifact_id": "ab"}


def test_an_end_without_a_word_says_what_is_known_of_it() -> None:
    launcher = telling(PhaseEvent("train", "", 2**30), PhaseEvent("train", "", 5))
    launcher.end = Ending(-9, "last words", 2**31)

    with pytest.raises(RunCrashed, match=r"used 1\.00 GiB of 2\.00 GiB of memory; .*last words"):
        run(launcher)


def test_a_run_that_is_cancelled_or_takes_too_long_is_stopped() -> None:
    for error, options in ((RunCancelled, {"cancelled": True}), (RunTimedOut, {"timeout_seconds": 0.05})):
        launcher = FakeLauncher(hang=True)
        with pytest.raises(error, match=r"checkpoint is kept"):
            run(launcher, **options)
        assert launcher.stopped == 1
