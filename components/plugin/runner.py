"""Starts one training process, streams what it tells, and ends it: `python -m training`, never an import.

The job, the keys of the run and the recipients go in by standard input (never by argument or environment, where other
processes could read them) and its events come back on a pipe of their own, so that user code may print what it likes.
The process watches its standard input: when this one dies, however it dies, training saves a checkpoint and stops.

The end of the process is the end of the run. What its code leaves behind may hold on to its pipes for ever, so nobody
waits for their ends: whatever is left of its process group is killed, and a mark of ours ends each pipe.
"""

import asyncio
import contextlib
import json
import os
import secrets
import signal
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from sealift.provider import Cancelled, PluginError
from training.events import DescentEvent, ErrorEvent, Event, PhaseEvent, ResultEvent, read_event
from training.process import COMMAND, environment

SAVE_SECONDS: Final = 10  # how long a cancelled run may take to save its checkpoint before it is killed
LAST_LINES: Final = 20
LONGEST_EVENT: Final = 64 * 1024 * 1024
LONGEST_LINE: Final = 4096
POLL_SECONDS: Final = 0.02

OnEvent = Callable[[Event], Awaitable[None]]


class RunRefused(PluginError):
    """Its gates refuse the model; `report` names the run's sealed report."""

    def __init__(self, message: str, hint: str, report: Mapping[str, str]) -> None:
        super().__init__(message, hint)
        self.report = report


async def run_training(
    request: Mapping[str, object],
    *,
    timeout_seconds: float,
    cancelled: asyncio.Event,
    on_event: OnEvent,
    command: Sequence[str] = COMMAND,
) -> ResultEvent:
    """Runs `request` (the job as `python -m training` documents it) and returns its result event.

    Raises Cancelled on `cancelled` or after `timeout_seconds` (0: no limit), after the process saved its checkpoint;
    PluginError when the process reports an error or dies.
    """
    events, output = _Pipe(), _Pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command, "--events", str(events.writing),
            env=environment(os.environ), pass_fds=(events.writing,), process_group=0,
            stdin=asyncio.subprocess.PIPE, stdout=output.writing, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    except BaseException:
        events.close()
        output.close()
        raise
    last_lines: deque[str] = deque(maxlen=LAST_LINES)
    printed = asyncio.create_task(_collect(output, last_lines))
    ending = asyncio.create_task(_end(process, events, output))
    try:
        async with asyncio.timeout(timeout_seconds or None), _cancel_on(cancelled):
            _send(process, request)
            outcome, memory_bytes = await _read_events(events, on_event)
            await asyncio.shield(ending)
            await printed
    except TimeoutError:
        await _stop(process, ending)
        raise Cancelled(
            f"timeoutSeconds is {timeout_seconds:g} and training was not done by then",
            "the checkpoint is kept: run `pulumi up` again to go on from it, or raise timeoutSeconds",
        ) from None
    except asyncio.CancelledError:
        await _stop(process, ending)
        if cancelled.is_set():
            raise Cancelled(
                "training was cancelled", "the checkpoint is kept: the next `pulumi up` goes on from it"
            ) from None
        raise
    except BaseException:
        process.kill()
        await ending
        raise
    finally:
        printed.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await printed
        events.close()
        output.close()
    return _result(outcome, process.returncode, memory_bytes, last_lines)


def _send(process: asyncio.subprocess.Process, request: Mapping[str, object]) -> None:
    if process.stdin is None:
        raise AssertionError("internal error: the training process has no standard input")
    process.stdin.write(json.dumps(request).encode() + b"\n")


class _Pipe:
    """A pipe from the process to this one, which ends at a mark that this one writes."""

    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        self._reading = os.fdopen(reading, "rb", buffering=0)
        self._mark = secrets.token_hex(32).encode()

    async def lines(self, longest: int) -> AsyncGenerator[bytes, None]:
        """Until the mark; of a line that is longer than `longest`, its end. Whoever writes on finds no reader."""
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
        """All that was written before is read first; in a thread, since a full pipe takes no mark until then."""
        with contextlib.suppress(BrokenPipeError):
            await asyncio.to_thread(os.write, self.writing, b"\n" + self._mark + b"\n")

    def close(self) -> None:
        os.close(self.writing)
        self._reading.close()


async def _read_events(pipe: _Pipe, on_event: OnEvent) -> tuple[ResultEvent | ErrorEvent | None, int]:
    """Passes on every event until the pipe ends; returns the last `result` or `error`, and the most memory told of."""
    outcome: ResultEvent | ErrorEvent | None = None
    most_bytes = 0
    async with contextlib.aclosing(pipe.lines(LONGEST_EVENT)) as lines:
        async for line in lines:
            event = read_event(line)
            if isinstance(event, PhaseEvent | DescentEvent):
                most_bytes = max(most_bytes, event.memory_bytes)
            if isinstance(event, ResultEvent | ErrorEvent):
                outcome = event
            elif event is not None:
                await on_event(event)
    return outcome, most_bytes


async def _collect(pipe: _Pipe, last_lines: deque[str]) -> None:
    """Keeps the last lines that training code printed, whatever their length."""
    async with contextlib.aclosing(pipe.lines(LONGEST_LINE)) as lines:
        async for line in lines:
            last_lines.append(line[-500:].decode(errors="replace"))


async def _end(process: asyncio.subprocess.Process, *pipes: _Pipe) -> None:
    """Waits for the end of the process, ends what is left of its group, and marks the ends of its pipes.

    `process.wait` would wait for all who have its pipes.
    """
    while process.returncode is None:  # noqa: ASYNC110 - asyncio tells of the end by `wait` alone
        await asyncio.sleep(POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):  # nobody is left in it
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    await asyncio.gather(*(pipe.end() for pipe in pipes))


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


async def _stop(process: asyncio.subprocess.Process, ending: "asyncio.Task[None]") -> None:
    """Asks the process to save its checkpoint and end; kills it when that takes too long."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait({ending}, timeout=SAVE_SECONDS)
    if process.returncode is None:
        process.kill()
    await ending


def _result(
    outcome: ResultEvent | ErrorEvent | None, exit_code: int | None, memory_bytes: int, last_lines: deque[str]
) -> ResultEvent:
    if isinstance(outcome, ResultEvent):
        return outcome
    if isinstance(outcome, ErrorEvent) and outcome.report:
        raise RunRefused(outcome.message, outcome.hint, outcome.report)
    if isinstance(outcome, ErrorEvent):
        raise PluginError(outcome.message, outcome.hint)
    said = "\n".join(last_lines).strip() or "it printed nothing"
    if exit_code == -signal.SIGKILL:
        raise PluginError(
            f"the training process was killed (signal 9) when it had used {memory_bytes / 2**30:.2f} GiB of memory, of "
            f"{_memory_bytes() / 2**30:.2f} GiB that there are; its last output: {said}",
            "most often memory ran out: lower batchSize, stream the data from Parquet (data.memoryBytes) or free some; "
            "the next `pulumi up` goes on from the checkpoint",
        )
    raise PluginError(
        f"the training process ended with exit code {exit_code} before it was done; its last output: {said}",
        "the next `pulumi up` goes on from the last checkpoint",
    )


def _memory_bytes() -> int:
    """Of this machine, or of the control group if that has less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        return min(physical, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return physical
