"""Where training runs: the contract, and what every launcher's runs have in common.

A launcher starts a run somewhere and gives what it tells, its end, and a way to stop it. What it is given can be sent
anywhere: a request, in which the run's own keys are, and a folder of code. How long a run may take, when it is
cancelled and what is made of its end is the same everywhere, so it is here.

PluginError
├── RunFailed       the run told an error
│   └── RunRefused  its gates refuse the model
├── RunCrashed      the run's process ended without a word
└── Cancelled
    ├── RunCancelled
    └── RunTimedOut
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sealift.provider import Cancelled, PluginError
from training.events import DescentEvent, ErrorEvent, Event, LogEvent, PhaseEvent, ResultEvent
from training.request import RunRequest

Notice = LogEvent | PhaseEvent | DescentEvent
"""What a run tells before its end."""
OnNotice = Callable[[Notice], Awaitable[None]]


@dataclass(frozen=True)
class Submission:
    """All that a run needs."""

    request: RunRequest
    code_folder: Path
    """The user's modules and data files; the run's working folder."""


@dataclass(frozen=True)
class Ending:
    """How the run's process ended."""

    exit_code: int | None
    """Minus the signal's number if one killed it."""
    last_lines: str
    """That its code printed."""
    memory_bytes: int
    """That there are where it ran."""


class LaunchedRun(Protocol):
    """A run that is under way."""

    def events(self) -> AsyncGenerator[Event, None]:
        """All that it tells, until its end."""

    async def ending(self) -> Ending:
        """Waits for it."""

    async def stop(self) -> None:
        """Asks the run to save its checkpoint, and ends it when that takes too long. Returns when it has ended."""


class Launcher(Protocol):
    """A place where training runs."""

    def launch(self, submission: Submission) -> contextlib.AbstractAsyncContextManager[LaunchedRun]:
        """Starts it. Nothing of the run is left when the context ends."""


class RunFailed(PluginError):
    """The run told an error."""


class RunRefused(RunFailed):
    """Its gates refuse the model; `report` names the run's sealed report."""

    def __init__(self, message: str, hint: str, report: Mapping[str, str]) -> None:
        super().__init__(message, hint)
        self.report = report


class RunCrashed(PluginError):
    """The run's process ended without a word."""


class RunCancelled(Cancelled):
    """The engine, or the user, ended it."""


class RunTimedOut(Cancelled):
    """It took longer than it may."""


async def run_training(
    launcher: Launcher,
    submission: Submission,
    *,
    timeout_seconds: float,
    cancelled: asyncio.Event,
    on_notice: OnNotice,
) -> ResultEvent:
    """The run's result. Raises RunCancelled on `cancelled` and RunTimedOut after `timeout_seconds` (0: no limit), with
    the checkpoint saved; RunFailed, RunRefused, RunCrashed.
    """
    async with launcher.launch(submission) as run:
        try:
            async with asyncio.timeout(timeout_seconds or None), _cancel_on(cancelled):
                outcome, most_bytes = await _follow(run, on_notice)
                ending = await run.ending()
        except TimeoutError:
            await run.stop()
            raise RunTimedOut(
                f"timeoutSeconds is {timeout_seconds:g} and training was not done by then",
                "the checkpoint is kept: run `pulumi up` again to go on from it, or raise timeoutSeconds",
            ) from None
        except asyncio.CancelledError:
            await run.stop()
            if cancelled.is_set():
                raise RunCancelled(
                    "training was cancelled", "the checkpoint is kept: the next `pulumi up` goes on from it"
                ) from None
            raise
    return _result(outcome, ending, most_bytes)


async def _follow(run: LaunchedRun, on_notice: OnNotice) -> tuple[ResultEvent | ErrorEvent | None, int]:
    """Passes on every notice until there are no more; returns the last result or error, and the most memory told of."""
    outcome: ResultEvent | ErrorEvent | None = None
    most_bytes = 0
    async with contextlib.aclosing(run.events()) as events:
        async for event in events:
            if isinstance(event, ResultEvent | ErrorEvent):
                outcome = event
                continue
            if not isinstance(event, LogEvent):
                most_bytes = max(most_bytes, event.memory_bytes)
            await on_notice(event)
    return outcome, most_bytes


@contextlib.asynccontextmanager
async def _cancel_on(cancelled: asyncio.Event) -> AsyncIterator[None]:
    """Cancels the body's task once `cancelled` is set."""
    body = asyncio.current_task()
    if body is None:
        raise AssertionError("internal error: no running task")

    async def watch() -> None:
        await cancelled.wait()
        body.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()


def _result(outcome: ResultEvent | ErrorEvent | None, ending: Ending, most_bytes: int) -> ResultEvent:
    if isinstance(outcome, ResultEvent):
        return outcome
    if isinstance(outcome, ErrorEvent):
        raise _failure(outcome)
    raise _crash(ending, most_bytes)


def _failure(error: ErrorEvent) -> RunFailed:
    if error.report:
        return RunRefused(error.message, error.hint, error.report)
    return RunFailed(error.message, error.hint)


def _crash(ending: Ending, most_bytes: int) -> RunCrashed:
    said = ending.last_lines.strip() or "it printed nothing"
    if ending.exit_code == -signal.SIGKILL:
        return RunCrashed(
            f"the training process was killed (signal 9) when it had used {most_bytes / 2**30:.2f} GiB of memory, of "
            f"{ending.memory_bytes / 2**30:.2f} GiB that there are; its last output: {said}",
            "most often memory ran out: lower batchSize, stream the data from Parquet (data.memoryBytes) or free some; "
            "the next `pulumi up` goes on from the checkpoint",
        )
    return RunCrashed(
        f"the training process ended with exit code {ending.exit_code} before it was done; its last output: {said}",
        "the next `pulumi up` goes on from the last checkpoint",
    )
