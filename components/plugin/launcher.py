"""The contract of launchers, which run training in some place, and the part that all of them share.

A launcher starts a run and provides its events, its end and a way to stop it. Its input can be sent to any machine: a
request, which contains only the run's own keys, and a folder of code. Time limit, cancellation and the handling of the
run's end are the same for all launchers, so they are here.

PluginError
├── RunFailed       the run reported an error
│   └── RunRefused  its gates refuse the model
├── RunCrashed      the run's process ended without a result or an error
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
"""Events of a run before its end."""
OnNotice = Callable[[Notice], Awaitable[None]]


@dataclass(frozen=True)
class Submission:
    """Input of a run."""

    request: RunRequest
    code_folder: Path
    """Folder with the user's modules and data files, which is the run's working folder."""


@dataclass(frozen=True)
class Ending:
    """End of the run's process."""

    exit_code: int | None
    """Exit code, or the negative number of the signal that killed the process."""
    last_lines: str
    """Last lines that its code printed."""
    memory_bytes: int
    """Memory of the machine or control group in which it ran."""


class LaunchedRun(Protocol):
    """A run that is under way."""

    def events(self) -> AsyncGenerator[Event, None]:
        """Yields all events until the run's end."""

    async def ending(self) -> Ending:
        """Waits for the run's end and returns it."""

    async def stop(self) -> None:
        """Asks the run to save its checkpoint, and kills it if that takes too long. Returns when it has ended."""


    async def abandon(self) -> None:
        """Like `stop`, when the engine is gone. A run in another place than this machine goes on: the next update finds
        it.
        """


class Launcher(Protocol):
    """A place where training runs."""

    def launch(self, submission: Submission) -> contextlib.AbstractAsyncContextManager[LaunchedRun]:
        """Starts a run. No process of the run is left when the context ends, unless it was abandoned."""


class RunFailed(PluginError):
    """The run reported an error."""


class RunRefused(RunFailed):
    """The run's gates refuse the model. `report` names the run's sealed report."""

    def __init__(self, message: str, hint: str, report: Mapping[str, str]) -> None:
        super().__init__(message, hint)
        self.report = report


class RunCrashed(PluginError):
    """The run's process ended without a result or an error."""


class RunCancelled(Cancelled):
    """The engine or the user cancelled the run."""


class RunTimedOut(Cancelled):
    """The run exceeded its time limit."""


async def run_training(
    launcher: Launcher,
    submission: Submission,
    *,
    timeout_seconds: float,
    cancelled: asyncio.Event,
    on_notice: OnNotice,
) -> ResultEvent:
    """Runs training and returns its result. Raises RunCancelled on `cancelled` and RunTimedOut after `timeout_seconds`
    (0: no limit), both with the checkpoint saved; and RunFailed, RunRefused, RunCrashed.
    """
    async with launcher.launch(submission) as run:
        try:
            async with asyncio.timeout(timeout_seconds or None), _cancel_on(cancelled):
                outcome, most_bytes = await _follow(run, on_notice)
                ending = await run.ending()
        except TimeoutError:
            await run.stop()
            raise RunTimedOut(
                f"timeoutSeconds is {timeout_seconds:g}, and training did not finish in that time",
                "the checkpoint is kept; run `pulumi up` again to continue from it, or raise timeoutSeconds",
            ) from None
        except asyncio.CancelledError:
            if not cancelled.is_set():
                await run.abandon()
                raise
            await run.stop()
            raise RunCancelled(
                "training was cancelled", "the checkpoint is kept; the next `pulumi up` continues from it"
            ) from None
    return _result(outcome, ending, most_bytes)


async def _follow(run: LaunchedRun, on_notice: OnNotice) -> tuple[ResultEvent | ErrorEvent | None, int]:
    """Passes on every notice until the end. Returns the last result or error, and the largest memory use in bytes."""
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
    said = ending.last_lines.strip() or "(none)"
    if ending.exit_code == -signal.SIGKILL:
        return RunCrashed(
            f"the training process was killed (signal 9) after it had used {most_bytes / 2**30:.2f} GiB of "
            f"{ending.memory_bytes / 2**30:.2f} GiB of memory; its last output: {said}",
            "the usual cause is a lack of memory: lower batchSize, stream the data from Parquet (data.memoryBytes) or "
            "free some memory; the next `pulumi up` continues from the checkpoint",
        )
    return RunCrashed(
        f"the training process ended with exit code {ending.exit_code} before it finished; its last output: {said}",
        "the next `pulumi up` continues from the last checkpoint",
    )
