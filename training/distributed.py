"""One run in several processes: the parent starts those of its machine, and each takes its share of every batch.

    parent      holds the record's lock, starts the workers, restarts them when one is lost, and seals at the end
    worker 0    sends events, saves checkpoints, measures and exports
    others      compute gradients

recipe/shared.py shares the gradients. All workers pass through the same states, so any of them could be worker 0, and a
run that lost one continues from the last checkpoint.

Nobody else can reach the run. Workers of one machine find each other through a file in a folder that only this user can
open, not through torchrun's rendezvous, a server on all interfaces that unpickles anything a client puts there.
Gradients travel as numbers between sockets on the loopback interface. Workers of several pods meet at an address of the
first pod (pod_meetings.py), behind a NetworkPolicy. Each worker returns its result as JSON on its own pipe.
"""

import contextlib
import ctypes
import datetime
import json
import multiprocessing
import os
import secrets
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any, Final, Protocol

import torch
import torch.distributed
from torch.distributed import FileStore, TCPStore  # type: ignore[attr-defined]

from training.cancellation import EXIT_CODE, Cancellation, CancelledError
from training.errors import TrainingError

RESTARTS: Final = 3
COLLECTIVE_SECONDS: Final = 600
SAVE_SECONDS: Final = 10
"""Seconds that a cancelled worker has to save its checkpoint."""
LOOK_SECONDS: Final = 0.1
"""Seconds between two checks whether the run was cancelled."""
ANSWER_BYTES: Final = 1 << 20
PR_SET_PDEATHSIG: Final = 1
LOOPBACK: Final = "lo"

Said = dict[str, str]
"""Return value of a worker: empty, or an error's message and hint."""


@dataclass(frozen=True)
class Address:
    """Address at which the first of the workers listens, if they are on several machines."""

    host: str
    port: int


@dataclass(frozen=True)
class Seat:
    """Place of a worker among the others."""

    rank: int
    processes: int
    meeting: Path | Address
    """File in which the workers of one machine leave their addresses, or where those of several machines meet."""
    parent: int
    """Process id of the parent."""


class Meetings(Protocol):
    """Where the workers meet."""

    @property
    def processes(self) -> int:
        """Number of workers on all machines."""

    def seats(self) -> list[Seat]:
        """Returns the seats of this machine for the next attempt."""


@dataclass(frozen=True)
class LocalMeetings:
    """Meetings of workers that are all on this machine, in files of a folder that only this user can open."""

    processes: int
    folder: Path

    def seats(self) -> list[Seat]:
        """See Meetings."""
        meeting = self.folder / secrets.token_hex(8)
        return [Seat(rank, self.processes, meeting, os.getpid()) for rank in range(self.processes)]


def launch(processes: int, cancellation: Cancellation, worker: Callable[..., Said], *arguments: object) -> None:
    """Runs `worker(seat, *arguments)` in `processes` processes of this machine, like `launch_at`."""
    with tempfile.TemporaryDirectory(prefix="sealift-workers-") as folder:
        launch_at(LocalMeetings(processes, Path(folder)), cancellation, worker, *arguments)


def launch_at(meetings: Meetings, cancellation: Cancellation, worker: Callable[..., Said], *arguments: object) -> None:
    """Runs `worker(seat, *arguments)` in a process for each of this machine's seats until all are done.

    If a worker is lost, all start again, at most RESTARTS times. Raises TrainingError, CancelledError.
    """
    cancellation.defer(True)
    for _ in range(RESTARTS + 1):
        lost = _attempt(meetings.seats(), cancellation, worker, arguments)
        if lost is None:
            cancellation.defer(False)
            return
        rank, code = lost
    raise TrainingError(
        f"worker {rank} of {meetings.processes} ended early {RESTARTS + 1} times, the last time with exit code "
        f"{code}{' (killed, probably because memory ran out)' if code == -signal.SIGKILL else ''}",
        "lower compute.processes or batchSize; the next `pulumi up` continues from the checkpoint",
    )


def _attempt(
    seats: Sequence[Seat], cancellation: Cancellation, worker: Callable[..., Said], arguments: Sequence[object]
) -> tuple[int, int] | None:
    """Returns the rank and exit code of the first lost worker, or None if all are done."""
    context = multiprocessing.get_context("spawn")
    workers: list[SpawnProcess] = []
    answers: list[Connection] = []
    try:
        for seat in seats:
            reading, writing = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(writing, worker, seat, arguments))
            process.start()
            writing.close()
            workers.append(process)
            answers.append(reading)
        waiting = dict(zip((process.sentinel for process in workers), range(len(workers)), strict=True))
        while waiting:
            if cancellation.requested:
                raise _cancel(workers)
            for ended in wait(list(waiting), LOOK_SECONDS):
                number = waiting.pop(ended)  # type: ignore[arg-type]  # a sentinel is a number
                workers[number].join()
                code = workers[number].exitcode or 0
                if code == EXIT_CODE:
                    raise _cancel(workers)
                if code != 0:
                    return seats[number].rank, code
                _raise(answers[number])
        return None
    finally:
        for process in workers:
            process.kill()
            process.join()
            process.close()
        for reading in answers:
            reading.close()


def _raise(answer: Connection) -> None:
    """Raises the TrainingError that a worker returned, if it did."""
    said: Said = json.loads(answer.recv_bytes(ANSWER_BYTES))
    if "message" in said:
        raise TrainingError(said["message"], said["hint"])


def _cancel(workers: Sequence[SpawnProcess]) -> CancelledError:
    """Returns the error of a cancel, after the workers have saved their checkpoint."""
    for process in workers:
        process.terminate()
    for process in workers:
        process.join(SAVE_SECONDS)
    return CancelledError("cancelled; the checkpoint is saved")


def _work(writing: Connection, worker: Callable[..., Said], seat: Seat, arguments: Sequence[object]) -> None:
    """Runs a worker in its own process, which ends with its parent."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != seat.parent:
        os._exit(1)
    writing.send_bytes(json.dumps(worker(seat, *arguments)).encode())


@contextlib.contextmanager
def join_workers(seat: Seat, device: str) -> Iterator[None]:
    """Joins this worker to the others."""
    backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
    timeout = datetime.timedelta(seconds=COLLECTIVE_SECONDS)
    torch.distributed.init_process_group(
        backend,
        store=_open_meeting(seat, timeout),
        rank=seat.rank,
        world_size=seat.processes,
        timeout=timeout,
    )
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def _open_meeting(seat: Seat, timeout: datetime.timedelta) -> FileStore | TCPStore:
    if isinstance(seat.meeting, Address):  # the pods' network; only pods of the same run reach this port
        first = seat.rank == 0
        return TCPStore(seat.meeting.host, seat.meeting.port, seat.processes, first, timeout, wait_for_workers=False)
    for library in ("GLOO", "NCCL"):  # otherwise they would listen on the interface of the machine's name
        os.environ[f"{library}_SOCKET_IFNAME"] = LOOPBACK
    return FileStore(str(seat.meeting), seat.processes)


def is_worker() -> bool:
    """Returns whether this process is one of several of a run."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def ask_all(mine: bool) -> bool:
    """Returns whether `mine` is true in any worker. All workers must call it."""
    if not is_worker():
        return mine
    asked = torch.tensor(int(mine))
    torch.distributed.all_reduce(asked, op=torch.distributed.ReduceOp.MAX)
    return bool(asked)


class SharedDescriptor:
    """A descriptor of the parent among the arguments of `launch`: each worker gets its own copy.

    It cannot be opened through the parent's /proc, which only root can read for a process that is not dumpable.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[Callable[[Any], "SharedDescriptor"], tuple[Any]]:
        return _receive, (DupFd(self.descriptor),)


def _receive(sent: Any) -> SharedDescriptor:
    return SharedDescriptor(sent.detach())
