"""One run by several processes: torchrun's own agent starts them, and each takes its share of every batch.

    parent      holds the record's lock, starts the workers, starts them anew when one is lost, seals in the end
    worker 0    tells events, keeps checkpoints, measures and exports
    others      help with gradients

How gradients are shared is in recipe/shared.py. All workers pass through the same states, so any of them could be
worker 0, and a run that lost one goes on from the last checkpoint.
"""

import contextlib
import ctypes
import datetime
import os
import signal
from collections.abc import Callable, Iterator
from typing import Final

import torch
import torch.distributed
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from torch.distributed.rendezvous import rendezvous

from training.cancellation import CancelledError
from training.errors import TrainingError

RESTARTS: Final = 3
COLLECTIVE_SECONDS: Final = 600
SAVE_SECONDS: Final = 10
"""How long a cancelled worker may take to save its checkpoint."""
PR_SET_PDEATHSIG: Final = 1

Said = dict[str, str]
"""What a worker returns: nothing, or an error's message and hint."""


def launch(processes: int, run_id: str, worker: Callable[..., Said], *arguments: object) -> None:
    """Runs `worker(*arguments)` in that many processes of this machine until all are done.

    A lost one makes all start anew, RESTARTS times. Raises TrainingError, CancelledError.
    """
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=run_id[:16],
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=RESTARTS,
        monitor_interval=0.1,
        shutdown_timeout=SAVE_SECONDS,
        start_method="spawn",
    )
    try:
        said = elastic_launch(config, worker)(*arguments)
    except SignalException as error:
        raise CancelledError("cancelled; the checkpoint is saved") from error
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        raise TrainingError(
            f"worker {rank} of {processes} ended {RESTARTS + 1} times, the last time with exit code "
            f"{failure.exitcode}{': killed, most often since memory ran out' if failure.exitcode == -9 else ''}",
            "ask for fewer compute.processes or a smaller batchSize; the next `pulumi up` goes on from the checkpoint",
        ) from error
    for one in said.values():
        if "message" in one:
            raise TrainingError(one["message"], one["hint"])


@contextlib.contextmanager
def joined(device: str) -> Iterator[int]:
    """This worker among the others, which torchrun's environment names; gives its rank. It ends with its parent."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    backend = "nccl" if device == "cuda" else "gloo"
    timeout = datetime.timedelta(seconds=COLLECTIVE_SECONDS)
    store, rank, processes = next(rendezvous("env://", timeout=timeout))
    # The agent's store outlives a lost worker: without a prefix, those started anew would find the addresses of the
    # ones before, and wait for each other for ever.
    attempt = PrefixStore(os.environ["TORCHELASTIC_RESTART_COUNT"], store)
    torch.distributed.init_process_group(backend, store=attempt, rank=rank, world_size=processes, timeout=timeout)
    try:
        yield torch.distributed.get_rank()
    finally:
        torch.distributed.destroy_process_group()


def is_worker() -> bool:
    """Whether this process is one of several on one run."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def rank() -> int:
    """0 in a run of one process."""
    return torch.distributed.get_rank() if is_worker() else 0


def any_of_all(mine: bool) -> bool:
    """Whether it is so in any worker; all must ask."""
    if not is_worker():
        return mine
    asked = torch.tensor(int(mine))
    torch.distributed.all_reduce(asked, op=torch.distributed.ReduceOp.MAX)
    return bool(asked)


def reopened(parent: int, descriptor: int) -> int:
    """The parent's descriptor, in this process, which did not inherit it."""
    return os.open(f"/proc/{parent}/fd/{descriptor}", os.O_WRONLY | os.O_CLOEXEC)
