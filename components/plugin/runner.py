"""Starts one training process, streams what it tells, and ends it: `python -m training`, never an import.

The job, the keys of the run and the recipients go in by standard input (never by argument or environment, where other
processes could read them) and its events come back on a pipe of their own, so that user code may print what it likes.
The process watches its standard input: when this one dies, however it dies, training saves a checkpoint and stops.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from provider import Cancelled, PluginError
from training.process import COMMAND, environment

SAVE_SECONDS: Final = 10  # how long a cancelled run may take to save its checkpoint before it is killed
LAST_LINES: Final = 20

Event = dict[str, Any]
OnEvent = Callable[[Event], Awaitable[None]]


async def run_training(
    request: Mapping[str, object],
    *,
    timeout_seconds: float,
    cancelled: asyncio.Event,
    on_event: OnEvent,
    command: Sequence[str] = COMMAND,
) -> Event:
    """Runs `request` (the job as `python -m training` documents it) and returns its result event.

    Raises Cancelled on `cancelled` or after `timeout_seconds` (0: no limit), after the process saved its checkpoint;
    PluginError when the process reports an error or dies.
    """
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command, "--events", str(writing),
            env=environment(os.environ), pass_fds=(writing,),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    finally:
        os.close(writing)
    last_lines: deque[str] = deque(maxlen=LAST_LINES)
    output = asyncio.create_task(_collect(process.stdout, last_lines))
    try:
        async with asyncio.timeout(timeout_seconds or None), _cancel_on(cancelled):
            _send(process, request)
            outcome, memory_bytes = await _read_events(reading, on_event)
            await process.wait()
    except TimeoutError:
        await _stop(process)
        raise Cancelled(
            f"timeoutSeconds is {timeout_seconds:g} and training was not done by then",
            "the checkpoint is kept: run `pulumi up` again to go on from it, or raise timeoutSeconds",
        ) from None
    except asyncio.CancelledError:
        await _stop(process)
        if cancelled.is_set():
            raise Cancelled(
                "training was cancelled", "the checkpoint is kept: the next `pulumi up` goes on from it"
            ) from None
        raise
    finally:
        output.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await output
    return _result(outcome, process.returncode, memory_bytes, last_lines)


def _send(process: asyncio.subprocess.Process, request: Mapping[str, object]) -> None:
    if process.stdin is None:
        raise AssertionError("internal error: the training process has no standard input")
    process.stdin.write(json.dumps(request).encode() + b"\n")


async def _read_events(reading: int, on_event: OnEvent) -> tuple[Event | None, int]:
    """Passes on every event until the pipe ends; returns the last `result` or `error`, and the most memory told of."""
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", buffering=0)
    )
    outcome: Event | None = None
    memory_bytes = 0
    try:
        async for line in reader:
            event: Event = json.loads(line)
            memory_bytes = max(memory_bytes, event.get("memory_bytes", 0))
            if event["event"] in ("result", "error"):
                outcome = event
            else:
                await on_event(event)
    finally:
        transport.close()
    return outcome, memory_bytes


async def _collect(stream: asyncio.StreamReader | None, last_lines: deque[str]) -> None:
    """Keeps the last lines that training code printed, whatever their length."""
    if stream is None:
        raise AssertionError("internal error: the training process has no output pipe")
    rest = b""
    while chunk := await stream.read(64 * 1024):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[-4096:]
        last_lines.extend(line[-500:].decode(errors="replace") for line in lines)


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


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Asks the process to save its checkpoint and end; kills it when that takes too long."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), SAVE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _result(outcome: Event | None, exit_code: int | None, memory_bytes: int, last_lines: deque[str]) -> Event:
    if outcome is not None and outcome["event"] == "result":
        return outcome
    if outcome is not None:
        raise PluginError(str(outcome["message"]), str(outcome.get("hint", "")))
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
