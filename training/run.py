"""One run from request to result, whatever was done of it before: reuse, finish, resume or start.

    record says    then
    sealed         the artifact is verified and the result told again; torch is not even loaded
    trained        sealing is finished, under the artifact id that was recorded before anything was put
    training       the loop goes on, bit for bit as if it had never stopped
    nothing        it starts

All under the lock of the run's record, so that two processes with the same run never work against each other.
"""

import contextlib
import gc
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from sealing.artifact import new_artifact_id, seal
from sealing.errors import ArtifactCorrupt, ArtifactMissing, ManifestInvalid
from sealing.manifest import parse_manifest
from sealing.recipients import PublicKey
from sealing.record import content_id
from sealing.store import ArtifactStore, open_store
from training import job as training_job
from training.cancellation import Cancellation, CancelledError
from training.checkpoint import Record, Records, SealedRecord, TrainedRecord, TrainingRecord
from training.errors import CheckpointError, MissingLibraryError, TrainingError
from training.events import Events
from training.request import Request

WAIT_NOTICE_SECONDS: Final = 1.0


def run(request: Request, events: Events, cancellation: Cancellation) -> dict[str, object]:
    """The result event's fields. Raises TrainingError, SealingError, CancelledError."""
    recipients = [PublicKey(pem) for pem in request.recipients]
    store = open_store(request.store_url)
    clock = Clock()
    with _locked(store, request.run_id, events):
        records = Records(store, request.store_key, request.run_id)
        record = _load(records, events)
        if isinstance(record, SealedRecord):
            result = _reuse(store, record, events)
            if result is not None:
                return result
            record = None
        if record is not None:
            clock.seconds_before = record.seconds
        if not isinstance(record, TrainedRecord):
            record = _train(request, records, record, events, cancellation, clock)
        events.phase("seal", "sealing the model")
        result = _seal(request, store, record, recipients)
        result["duration_seconds"] = round(clock.seconds(), 3)
        records.save(SealedRecord({name: value for name, value in result.items() if name != "manifest"}))
    return result | {"reused": False}


class Clock:
    """Wall-clock time of a run over all the processes that worked on it."""

    def __init__(self) -> None:
        self.seconds_before = 0.0
        self._started = time.monotonic()

    def seconds(self) -> float:
        """Of this process and of those before it, as far as they recorded it."""
        return self.seconds_before + time.monotonic() - self._started


def _load(records: Records, events: Events) -> Record | None:
    """The record; a damaged one is said and counts as none, since training anew gives the same model."""
    try:
        return records.load()
    except CheckpointError as error:
        events.log("warning", f"{error.message}; the run starts anew")
        return None


def _reuse(store: ArtifactStore, record: SealedRecord, events: Events) -> dict[str, object] | None:
    """The result as it was, if its artifact is still whole; else None, and what is left of the artifact is removed."""
    artifact_id, payload_digest = str(record.result["artifact_id"]), str(record.result["payload_digest"])
    try:
        manifest = _whole_artifact(store, artifact_id, payload_digest)
    except (ArtifactMissing, ArtifactCorrupt, ManifestInvalid) as error:
        events.log("warning", f"the sealed artifact of this run is lost, so it is made anew: {error.message}")
        store.delete(artifact_id)
        return None
    return {**record.result, "manifest": manifest, "reused": True}


def _whole_artifact(store: ArtifactStore, artifact_id: str, payload_digest: str) -> str:
    """The artifact's manifest, which may have been rewrapped since. Raises if any part is missing or not its own."""
    store.verify(artifact_id, payload_digest)
    manifest = store.get_manifest(artifact_id)
    parsed = parse_manifest(manifest)
    if (parsed.artifact_id, parsed.payload_digest) != (artifact_id, payload_digest):
        raise ManifestInvalid(f"the manifest of artifact {artifact_id} is another artifact's")
    return manifest.decode()


def _train(
    request: Request,
    records: Records,
    record: TrainingRecord | None,
    events: Events,
    cancellation: Cancellation,
    clock: Clock,
) -> TrainedRecord:
    """Trains from the record on; the artifact's id is drawn here, so that it is recorded before anything bears it."""
    files, provenance = _provenance(request)
    events.phase("load", "loading torch")
    gc.disable()  # a tenth of the imports' time goes into looking for garbage among what stays
    from training.fit import fit  # seconds of imports, which a reused run need not wait for
    from training.sgd import Position

    gc.freeze()
    gc.enable()

    resume_from = None
    if record is not None:
        events.log("info", f"going on after epoch {record.epoch} of {request.job.epochs}")
        resume_from = Position(record.epoch, record.loss), record.tensors
    watch = LoopWatch(request, records, events, cancellation, clock, record.epoch if record else 0)
    with cancellation.deferred():
        fitted = fit(
            request.job,
            files,
            provenance,
            resume_from,
            lambda position, tensors: watch.after_epoch(position.epoch, position.loss, tensors),
            lambda: events.phase("export", "exporting and checking the model"),
        )
        trained = TrainedRecord(new_artifact_id(), fitted.description, fitted.outcome, clock.seconds(), fitted.model)
        records.save(trained)
    return trained


class LoopWatch:
    """What happens between two epochs: tell, save from time to time, and stop when cancelled."""

    def __init__(
        self,
        request: Request,
        records: Records,
        events: Events,
        cancellation: Cancellation,
        clock: Clock,
        first_epoch: int,
    ) -> None:
        self._request, self._records, self._events = request, records, events
        self._cancellation, self._clock, self._first_epoch = cancellation, clock, first_epoch
        self._started = self._saved = time.monotonic()

    def after_epoch(self, epoch: int, loss: float, tensors: Callable[[], bytes]) -> None:
        """Raises CancelledError, with the checkpoint saved, if a cancel was requested."""
        now = time.monotonic()
        epochs = self._request.job.epochs
        eta_seconds = (now - self._started) / (epoch - self._first_epoch) * (epochs - epoch)
        self._events.epoch(epoch, epochs, loss, self._clock.seconds(), eta_seconds, last=epoch == epochs)
        cancelled = self._cancellation.requested
        if cancelled or now - self._saved >= self._request.checkpoint_seconds:
            self._records.save(TrainingRecord(epoch, loss, self._clock.seconds(), tensors()))
            self._saved = time.monotonic()
        if cancelled:
            raise CancelledError(f"cancelled after epoch {epoch} of {epochs}; the checkpoint is saved")


def _provenance(request: Request) -> tuple[tuple[bytes, ...], dict[str, str]]:
    """The data set's files, and what the model is made from. Raises if that is not what the run was planned with."""
    libraries = training_job.libraries()
    if libraries is None:
        needed = ", ".join(training_job.NEEDED_LIBRARIES)
        raise MissingLibraryError(f"training needs {needed}, and not all are installed", "run `make setup`")
    files = training_job.read_data(request.job.dataset)
    actual = {
        "data_digest": training_job.digest_data(request.job.dataset, files),
        "code_digest": training_job.code_digest(),
        "libraries": libraries,
    }
    for name, value in actual.items():
        planned = getattr(request, name)
        if planned not in (None, value):
            raise TrainingError(
                f"{name} changed since the run was planned: it was {planned}, now it is {value}",
                "run `pulumi up` again",
            )
    return files, {
        "dataDigest": actual["data_digest"],
        "codeDigest": actual["code_digest"],
        "libraries": actual["libraries"],
    }


def _seal(
    request: Request, store: ArtifactStore, record: TrainedRecord, recipients: list[PublicKey]
) -> dict[str, object]:
    """Puts the artifact under its recorded id. What a killed attempt left there cannot be told from whole: it goes."""
    store.delete(record.artifact_id)
    artifact = seal(record.model, record.description, recipients, record.artifact_id)
    store.put_payload(artifact.artifact_id, artifact.payload)
    store.put_manifest(artifact.artifact_id, artifact.manifest)
    return {
        "artifact_id": artifact.artifact_id,
        "payload_digest": artifact.payload_digest,
        "payload_size": artifact.payload_size,
        "manifest": artifact.manifest.decode(),
        "content_id": content_id(request.store_key, hashlib.sha256(record.model).digest()),
        **record.outcome,
    }


@contextlib.contextmanager
def _locked(store: ArtifactStore, run_id: str, events: Events) -> Iterator[None]:
    """Holds the record's lock, and says so while another process does."""
    notice = threading.Timer(
        WAIT_NOTICE_SECONDS,
        events.log,
        ("info", "waiting: another process works on the same run, and its result will do"),
    )
    notice.daemon = True
    notice.start()
    try:
        with store.lock_record(run_id):
            notice.cancel()
            yield
    finally:
        notice.cancel()
