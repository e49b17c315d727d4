"""Training in a process of this machine: `python -m training`, never an import.

The request is sent over standard input, never as an argument or in the environment, where other processes could read
its keys. Events come back on a separate pipe, so that user code may print anything. The process watches its standard
input: when this process dies, for whatever reason, training saves a checkpoint and stops.

The end of the process is the end of the run. Processes that its code left behind may hold its pipes open indefinitely,
so this module does not wait for the pipes' ends: it kills the rest of the process group and ends each pipe with a mark.
"""

import asyncio
import contextlib
import os
import secrets
import signal
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from components.plugin.launcher import Ending, Submission
from training.events import Event, read_event
from training.process import COMMAND, environment
from training.request import write_request

SAVE_SECONDS: Final = 10  # time for a cancelled run to save its checkpoint before it is killed
LAST_LINES: Final = 20
LONGEST_EVENT: Final = 64 * 1024 * 1024
LONGEST_LINE: Final = 4096
POLL_SECONDS: Final = 0.02


@dataclass(frozen=True)
class LocalLauncher:
    """Starts `command` for each run, with the option `--events` for the pipe of its events."""

    command: Sequence[str] = COMMAND

    @contextlib.asynccontextmanager
    async def launch(self, submission: Submission) -> AsyncIterator["LocalRun"]:
        """Starts the process in the folder of the code."""
        with _Pipe() as events, _Pipe() as output:
            process = await asyncio.create_subprocess_exec(
                *self.command, "--events", str(events.writing),
                cwd=submission.code_folder, env=environment(os.environ), pass_fds=(events.writing,), process_group=0,
                stdin=asyncio.subprocess.PIPE, stdout=output.writing, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            run = LocalRun(process, events, output)
            try:
                run.send(write_request(submission.request))
                yield run
            finally:
                await run.close()


class LocalRun:
    """Process of one run."""

    def __init__(self, process: asyncio.subprocess.Process, events: "_Pipe", output: "_Pipe") -> None:
        self._process, self._events = process, events
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._printed = asyncio.create_task(_collect(output, self._last_lines))
        self._ended = asyncio.create_task(_end(process, events, output))

    def send(self, line: bytes) -> None:
        """Writes a line to the process's standard input, which stays open."""
        if self._process.stdin is None:
            raise AssertionError("internal error: the training process has no standard input")
        self._process.stdin.write(line)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yields the run's events. Lines that are not events are skipped."""
        async with contextlib.aclosing(self._events.lines(LONGEST_EVENT)) as lines:
            async for line in lines:
                event = read_event(line)
                if event is not None:
                    yield event

    async def ending(self) -> Ending:
        """Returns the end of the process once its output has been read."""
        await asyncio.shield(self._ended)
        await self._printed
        return Ending(self._process.returncode, "\n".join(self._last_lines), _memory_bytes())

    async def stop(self) -> None:
        """Sends SIGTERM, and SIGKILL after SAVE_SECONDS."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.wait({self._ended}, timeout=SAVE_SECONDS)
        await self._kill()

    async def abandon(self) -> None:
        """Stops the process."""
        await self.stop()

    async def close(self) -> None:
        """Kills the process if it still runs, and stops reading its output."""
        await self._kill()
        self._printed.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._printed

    async def _kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._ended


class _Pipe:
    """A pipe from the process to this one. It ends at a mark that this process writes."""

    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        self._reading = os.fdopen(reading, "rb", buffering=0)
        self._mark = secrets.token_hex(32).encode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        os.close(self.writing)
        self._reading.close()

    async def lines(self, longest: int) -> AsyncGenerator[bytes, None]:
        """Yields the lines up to the mark. Of a line longer than `longest` bytes, it yields the end. Later writes fail,
        because nobody reads them.
        """
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._reading
        )
        rest = bytearray()
        try:
            while chunk := await reader.read(64 * 1024):
                first, *others = chunk.split(b"\n")
                rest += first
                del rest[:-longest]
                for other in others:
                    if rest == self._mark:
                        return
                    yield bytes(rest)
                    rest = bytearray(other)
        finally:
            transport.close()

    async def end(self) -> None:
        """Writes the mark after everything written before. It runs in a thread, because a full pipe would block."""
        with contextlib.suppress(BrokenPipeError):
            await asyncio.to_thread(os.write, self.writing, b"\n" + self._mark + b"\n")


async def _collect(pipe: _Pipe, last_lines: deque[str]) -> None:
    """Keeps the last lines that training code printed, whatever their length."""
    async with contextlib.aclosing(pipe.lines(LONGEST_LINE)) as lines:
        async for line in lines:
            last_lines.append(line[-500:].decode(errors="replace"))


async def _end(process: asyncio.subprocess.Process, *pipes: _Pipe) -> None:
    """Waits for the end of the process, kills the rest of its group, and writes the marks that end its pipes.

    `process.wait` would wait for every process that holds the pipes.
    """
    while process.returncode is None:  # noqa: ASYNC110 - asyncio reports the end only through `wait`
        await asyncio.sleep(POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):  # no process is left in the group
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    await asyncio.gather(*(pipe.end() for pipe in pipes))


def _memory_bytes() -> int:
    """Returns the memory of this machine, or of the control group if that has less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        return min(physical, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return physical
