"""A place where training runs, without training."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from components.plugin.launcher import Ending, Submission
from training.events import ErrorEvent, Event

NOT_HERE = ErrorEvent("not trained here", "")


@dataclass
class FakeLauncher:
    """Keeps what it is given; its runs tell what `tell` says, and end, unless they are to `hang`."""

    tell: Callable[[Submission], Sequence[Event]] = lambda submission: [NOT_HERE]
    end: Ending = field(default=Ending(0, "", 0))
    hang: bool = False
    submissions: list[Submission] = field(default_factory=list)
    stopped: int = 0

    @contextlib.asynccontextmanager
    async def launch(self, submission: Submission) -> AsyncIterator["FakeRun"]:
        self.submissions.append(submission)
        yield FakeRun(self, submission)


@dataclass(frozen=True)
class FakeRun:
    launcher: FakeLauncher
    submission: Submission

    async def events(self) -> AsyncGenerator[Event, None]:
        for event in self.launcher.tell(self.submission):
            yield event
        if self.launcher.hang:
            await asyncio.Event().wait()

    async def ending(self) -> Ending:
        return self.launcher.end

    async def abandon(self) -> None:
        await self.stop()

    async def stop(self) -> None:
        self.launcher.stopped += 1
