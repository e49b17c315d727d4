"""One of several processes of a run. The parent, which started it, holds the run's lease and seals at the end."""

import os

from sealift.durable import core_dumps
from sealift.sealing.errors import SealingError
from sealift.stores import Store, StoreError
from training.cancellation import EXIT_CODE, Cancellation, CancelledError
from training.checkpoint import Record, RecordKeeper, SealedRecord, TrainedRecord, TrainingRecord
from training.distributed import Said, Seat, SharedDescriptor, join_workers
from training.errors import CheckpointError, TrainingError, blame_system
from training.events import EventStream
from training.request import RunRequest
from training.run_callback import Clock
from training.trainer import find_device, train


def run_worker(
    seat: Seat, request: RunRequest, telling: SharedDescriptor, records: RecordKeeper, artifacts: Store | None
) -> Said:
    """Trains with the other workers. The first worker writes events to the parent's descriptor and keeps the record.
    `artifacts` is that of `train`.

    Errors of the run are returned, not raised, since a restart would not solve them.
    """
    if find_device(request.job) == "cpu":  # NCCL may need access to the other processes' memory: not tested
        core_dumps.forbid()
    cancellation = Cancellation()
    cancellation.listen()
    try:
        with join_workers(seat, find_device(request.job)):
            first = seat.rank == 0
            events = EventStream(telling.descriptor if first else os.open(os.devnull, os.O_WRONLY))
            record = _load(records)
            if not isinstance(record, TrainedRecord):  # else the model exists, and another worker was lost later
                clock = Clock()
                clock.seconds_before = record.seconds if record else 0.0
                keeper = records if first else Helper()
                train(request, keeper, record, events, cancellation, clock, artifacts)
    except CancelledError:
        os._exit(EXIT_CODE)  # torch would wait for the others
    except (TrainingError, SealingError, StoreError) as error:
        return {"message": error.message, "hint": error.hint}
    except OSError as error:
        told = blame_system(error)
        return {"message": told.message, "hint": told.hint}
    return {}


def _load(records: RecordKeeper) -> TrainingRecord | TrainedRecord | None:
    """Returns the record. Ignores a damaged one, which the parent has reported, and one whose sealed artifact the
    parent did not find.
    """
    try:
        record = records.load()
    except CheckpointError:
        return None
    return None if isinstance(record, SealedRecord) else record


class Helper:
    """The record for the workers that only help."""

    def load(self) -> None:
        """Returns None."""

    def save(self, record: Record) -> None:
        """Does nothing: the first worker saves."""
