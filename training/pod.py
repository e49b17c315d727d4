"""`python -m training pod FOLDER`: the training of one run in a pod, up to the record of the trained model.

in     FOLDER/access.json (pod_access.py), and the request in it. Nothing else is needed: no store, no credentials
out    events (events.py) as JSON lines on standard output; the run's record in the store, by signed URLs. What the
       user's code prints goes to standard error
exit   0: the record has a trained model · 1: an error was sent, which another attempt would meet too · 130: cancelled

Whoever started the pod judges and seals the model: the pod has no key but the run's.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from training import parcel, signed_files
from training.cancellation import Cancellation
from training.checkpoint import RecordKeeper, TrainingRecord
from training.errors import CheckpointError
from training.events import EventStream
from training.on_request import end
from training.pod_access import HOST, PodAccess, read_access
from training.process import keep_to_itself, pin_arithmetic
from training.request import RunRequest, read_identity, read_request
from training.run_callback import Clock
from training.signed_record import SignedRecord

OUTPUT, ERRORS = 1, 2
NODE: Final = "JOB_COMPLETION_INDEX"
"""Variable with the number of this pod among the run's pods. The cluster sets it."""


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code, as the module's docstring defines it."""
    descriptor = os.dup(OUTPUT)
    os.dup2(ERRORS, OUTPUT)
    cancellation = Cancellation()
    cancellation.listen()
    keep_to_itself()
    events = EventStream(descriptor)
    return end(events, lambda: _train(Path(*arguments), events, cancellation))


def _train(folder: Path, events: EventStream, cancellation: Cancellation) -> None:
    access = read_access(folder)
    events.phase("load", "fetching the run's files")
    run_id, run_key = read_identity(access.request)
    with signed_files.open_file(access.parcel_url) as (stream, size_bytes):
        parcel.unpack(stream, size_bytes, run_key, run_id, Path.cwd())
    request = read_request(access.request.encode(), Path.cwd())
    pin_arithmetic(request.job)
    records = SignedRecord(access.record_get_url, access.record_put_url, request.run_key, request.run_id)
    train_recorded(request, records, access, events, cancellation)


def train_recorded(
    request: RunRequest, records: RecordKeeper, access: PodAccess, events: EventStream, cancellation: Cancellation
) -> None:
    """Trains until the record has a trained model. Raises TrainingError, SealingError, StoreError, CancelledError."""
    try:
        record = records.load()
    except CheckpointError as error:
        events.log("warning", f"{error.message}; the run starts again from the beginning")
        record = None
    if record is not None and not isinstance(record, TrainingRecord):
        return
    clock = Clock()
    clock.seconds_before = record.seconds if record else 0.0
    if request.job.processes == 1:
        from training.trainer import train

        train(request, records, record, events, cancellation, clock, None)
        return
    events.phase("load", f"starting {request.job.processes} workers")
    from training.distributed import SharedDescriptor, launch, launch_at
    from training.pod_meetings import PodMeetings
    from training.worker import run_worker

    nodes, arguments = request.job.compute.nodes, (request, SharedDescriptor(events.descriptor), records, None)
    if nodes == 1:
        launch(request.job.processes, cancellation, run_worker, *arguments)
        return
    meetings = PodMeetings(
        request.job.processes, nodes, int(os.environ[NODE]), os.environ[HOST], access.meeting_get_url,
        access.meeting_put_url, request.run_key, request.run_id, cancellation,
    )  # fmt: skip
    launch_at(meetings, cancellation, run_worker, *arguments)
