"""One run from request to result, whatever was done of it before: reuse, finish, resume or start.

    record says    then
    sealed         the artifact is verified and judged again, by other gates maybe, and the result told; of another
                   judgement or model card the report is sealed too; torch is not even loaded
    trained        the model is judged and sealing finished, under the artifact id that was recorded before anything was
                   put; of a model that its gates refuse, the report alone is sealed
    training       the loop goes on, bit for bit as if it had never stopped
    nothing        it starts

All under the run's lease, so that two processes with the same run never work against each other.
"""

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sealift.contents.description import write_description
from sealift.sealing.artifact import Sealed, new_artifact_id, open_artifact, seal_into
from sealift.sealing.errors import ManifestInvalid
from sealift.sealing.manifest import parse_manifest
from sealift.sealing.recipients.parse import parse_recipient
from sealift.sealing.recipients.recipient import Recipient
from sealift.sealing.stream import stream_digest
from sealift.stores import (
    ArtifactDamaged,
    ArtifactMissing,
    Fence,
    Store,
    delete_artifact,
    get_manifest,
    get_payload,
    get_record,
    has_artifact,
    hold_lease,
    open_store,
    owners_name,
    remake_artifact,
    verify,
)
from training import gates, provenance, sources, user_code
from training.cancellation import Cancellation, CancelledError
from training.checkpoint import Record, Records, SealedRecord, TrainedRecord, TrainingRecord
from training.errors import CheckpointError, GateError, RunRequestError, TrainingError
from training.events import Events, EventStream
from training.job import Job, read_files
from training.judgement import Evidence, Judgement, judge
from training.process import import_large_libraries
from training.progress import Teller
from training.report.energy import Meter
from training.request import RunRequest
from training.run_result import RunResult
from training.uncounted import Reading

if TYPE_CHECKING:  # at run time it would load torch
    from training.recipe.make import Progress, Stage
    from training.recipe.sgd import Position

LARGEST_WEIGHTS: Final = 2**31 - 1
"""Bytes, as of the ONNX file that they end up in."""
WAIT_NOTICE_SECONDS: Final = 1.0
UNCOUNTED: Final = (
    "the model's code reads {}, which no digest counts: a change of that alone trains nothing anew. Name it in the "
    "code, as a text that is its path from the program's folder or from the module's, or as an import; or change "
    "retrainTrigger"
)
MOST_NAMED: Final = 5
"""Files, in a message."""
CHEAP: Final = 50
"""A checkpoint at an epoch's end is cheap if the epochs since the last one took this many times what that took."""
DESCENTS: Final = ("search", "folds", "train")
"""Phases in which `RunWatch.after` is called again and again."""
MOMENT_SECONDS: Final = 1.0
"""Of a descent's end, which is not worth a checkpoint."""
FIRST_SAVE_SECONDS: Final = 0.02
"""What the first one is taken for, so that it comes at the end of an epoch after a second."""


def run(request: RunRequest, events: EventStream, cancellation: Cancellation) -> RunResult:
    """Raises TrainingError, SealingError, StoreError, CancelledError."""
    recipients = [parse_recipient(pem) for pem in request.recipients]
    store = open_store(request.store_url)
    clock = Clock()
    lost: list[str] = []
    with _hold_lease(store, request.run_id, events) as fence:
        records = Records(store, request.run_key, request.run_id, fence)
        record = _load(records, events)
        if isinstance(record, SealedRecord):
            result = _judge_again(request, records, record, recipients, events)
            if result is not None:
                return RunResult(**result, reused=True)
            lost = _find_left(store, record)
            record = None
        if record is not None:
            clock.seconds_before = record.seconds
        if not isinstance(record, TrainedRecord):
            record = _train(request, records, record, events, cancellation, clock)
        result = _seal(request, records, record, recipients, events, clock)
    return RunResult(**result, reused=False, lost=tuple(lost))


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


def _judge_again(
    request: RunRequest, records: Records, record: SealedRecord, recipients: list[Recipient], events: Events
) -> dict[str, Any] | None:
    """The result as it was, with the report of how it is judged now; None if the artifact is no longer whole, and what
    is left of it is removed then, unless somebody uses it: a service may run on what is whole, and a damaged payload
    may be brought back. Raises DataError, GateError.
    """
    evidence = Evidence.decode(record.evidence)
    judgement = judge(request.job, evidence, request.deployed_metrics)
    store, artifact_id = records.store, str(record.result["artifact_id"])
    key = judgement.report_key(request.run_key)
    try:
        manifest = _whole_artifact(store, artifact_id, str(record.result["payload_digest"]))
        report = _find_sealed_report(store, record.reports.get(key))
    except (ArtifactMissing, ArtifactDamaged, ManifestInvalid) as error:
        events.log("warning", f"the sealed artifact of this run is lost, so it is made anew: {error.message}")
        records.fence.check()
        if get_record(store, owners_name(artifact_id)) is None:
            for one in _ids(record):
                delete_artifact(store, one)
        return None
    if not judgement.passed:
        events.phase("seal", "sealing the report alone: the gates refuse the sealed model")
        raise _refuse(request, records.fence, judgement, artifact_id, recipients, sealed=True)
    if report is None:
        events.phase("seal", "judging the sealed model again, and sealing its report")
        report = _seal_report_again(records, record, judgement, key, recipients)
    return {**record.result, "manifest": manifest, **report}


def _find_sealed_report(store: Store, report: Sequence[str] | None) -> dict[str, object] | None:
    """The result's part of it; None if it is not sealed, or its users have deleted it."""
    artifact_id, digest = report or ("", "")
    if not digest:
        return None
    try:
        manifest = _whole_artifact(store, artifact_id, digest)
    except ArtifactMissing:
        return None
    return _report_result(artifact_id, digest, manifest)


def _seal_report_again(
    records: Records, record: SealedRecord, judgement: Judgement, key: str, recipients: list[Recipient]
) -> dict[str, object]:
    """Seals it under an id that is recorded before, so that no kill leaves an orphan."""
    for artifact_id, digest in record.reports.values():
        if not digest:
            delete_artifact(records.store, artifact_id)
    kept = {name: one for name, one in record.reports.items() if one[1] and has_artifact(records.store, one[0])}
    records.save(replace(record, reports={**kept, key: (key, "")}))
    report = _put_report(records.fence, judgement, str(record.result["artifact_id"]), key, recipients)
    records.save(replace(record, reports={**kept, key: (report.artifact_id, report.payload_digest)}))
    return _report_result(report.artifact_id, report.payload_digest, report.manifest.decode())


def _report_result(artifact_id: str, digest: str, manifest: str) -> dict[str, object]:
    return {"report_artifact_id": artifact_id, "report_payload_digest": digest, "report_manifest": manifest}


def _ids(record: SealedRecord) -> list[str]:
    """The model's and its reports'."""
    return [str(record.result["artifact_id"]), *(artifact_id for artifact_id, _ in record.reports.values())]


def _find_left(store: Store, record: SealedRecord) -> list[str]:
    """The ids of a lost artifact that has owners, for one who has the store's key to ask them; else none."""
    ids = _ids(record)
    return [] if get_record(store, owners_name(ids[0])) is None else ids


def _whole_artifact(store: Store, artifact_id: str, digest: str) -> str:
    """The artifact's manifest, which may have been rewrapped since. Raises if any part is missing or not its own."""
    verify(store, artifact_id, digest, stream_digest)
    manifest = get_manifest(store, artifact_id)
    parsed = parse_manifest(manifest)
    if (parsed.artifact_id, parsed.payload_digest) != (artifact_id, digest):
        raise ManifestInvalid(f"the manifest of artifact {artifact_id} is another artifact's")
    return manifest.decode()


def _train(
    request: RunRequest,
    records: Records,
    record: TrainingRecord | None,
    events: EventStream,
    cancellation: Cancellation,
    clock: Clock,
) -> TrainedRecord:
    """Trains from the record on, in this process or in several."""
    if request.job.processes == 1:
        return train(request, records, record, events, cancellation, clock)
    events.phase("load", f"starting {request.job.processes} workers")
    from training.distributed import Shared, launch
    from training.worker import work

    launch(request.job.processes, cancellation, work, request, Shared(events.descriptor), records.fence)
    trained = records.load()
    if not isinstance(trained, TrainedRecord):
        raise CheckpointError("the workers ended and left no model", "run `pulumi up` again")
    return trained


def train(
    request: RunRequest,
    records: Records,
    record: TrainingRecord | None,
    events: EventStream,
    cancellation: Cancellation,
    clock: Clock,
) -> TrainedRecord:
    """Trains from the record on; artifacts' ids are drawn here, so that they are recorded before anything bears them.

    Of several workers, each calls it, and the first one keeps what there is to keep.
    """
    folder = Path.cwd()  # the user's code may change it
    made_from = _as_planned(request, folder)
    init = _initial_model(request, records.store, folder)
    events.phase("load", "loading torch")
    with import_large_libraries():
        from training.evidence import gather  # seconds of imports, which a reused run need not wait for
        from training.fit import fit
        from training.highlights import highlights
        from training.recipe.make import Inputs, Progress

    progress = Progress()
    if record is not None:
        progress = Progress(record.study, tuple(record.folds), record.position, record.tensors)
        events.log("info", _where(progress, request.job))
    inputs = Inputs(
        folder,
        request.run_key,
        request.mask_key,
        device(request.job),
        init,
        made_from,
    )
    reading = Reading(request.job.roots(folder))
    gpus = (0,) if inputs.device == "cuda" else ()
    joules_before = record.joules if record else 0.0
    with user_code.blame(request.job.model), Meter(gpus, joules_before) as meter:
        watch = RunWatch(request, records, events, cancellation, clock, meter, progress)
        fitted = fit(request.job, inputs, progress, watch)
        for line in highlights(fitted, shown=request.expose_metrics):
            events.log("info", line)
        if _as_planned(request, folder) != made_from:
            raise TrainingError("the data or the code changed while they were used", "run `pulumi up` again")
        uncounted = reading.find_uncounted(read_files(request.job, folder))
        if uncounted:
            events.log("warning", UNCOUNTED.format(", ".join(uncounted[:MOST_NAMED])))
        watch.phase("report", "writing the report")
        energy = meter.energy()
        evidence = gather(fitted, energy, watch.durations(), inputs.provenance, inputs.device)
        outcome = {**fitted.outcome, "energy_joules": energy.joules, "energy_source": energy.method}
        trained = TrainedRecord(
            new_artifact_id(), new_artifact_id(), write_description(fitted.description), outcome, clock.seconds(),
            fitted.model, evidence.encode(),
        )  # fmt: skip
        records.save(trained)
    return trained


class RunWatch(Teller):
    """What happens between two stretches of steps: tell, save from time to time, and stop when cancelled."""

    def __init__(
        self,
        request: RunRequest,
        records: Records,
        events: EventStream,
        cancellation: Cancellation,
        clock: Clock,
        meter: Meter,
        progress: "Progress",
    ) -> None:
        super().__init__(events, clock.seconds, meter, progress)
        self._request, self._records = request, records
        self._cancellation, self._clock = cancellation, clock
        self._saved = time.monotonic()
        self._save_seconds = FIRST_SAVE_SECONDS

    def phase(self, name: str, message: str) -> None:
        """Tells what begins now. A cancel waits for a descent alone, which has something to save and looks often; to
        read rows or to write a report may take long.
        """
        super().phase(name, message)
        self._cancellation.defer(name in DESCENTS)

    def after(
        self, job: Job, progress: "Stage", position: "Position", *, rows: int, epoch_ended: bool, last: bool
    ) -> None:
        """Raises CancelledError, with the checkpoint saved, if a cancel was requested."""
        self.tell(job, position, rows, last=last)
        if self._cancelled():
            self._save(progress())
            raise CancelledError(f"cancelled after epoch {position.epoch} of {job.epochs}; the checkpoint is saved")
        since = time.monotonic() - self._saved
        cheap = epoch_ended and since > CHEAP * self._save_seconds
        lost = last and since > max(MOMENT_SECONDS, self._save_seconds)  # were the process killed in export or report
        if since >= self._request.checkpoint_seconds or cheap or lost:
            self._save(progress())

    def _cancelled(self) -> bool:
        """Several workers stop together, or one would wait for the others for ever."""
        if self._request.job.processes == 1:
            return self._cancellation.requested
        from training.distributed import any_of_all

        return any_of_all(self._cancellation.requested)

    def _save(self, progress: "Progress") -> None:
        began = time.monotonic()
        joules = self._meter.energy().joules
        self._records.save(TrainingRecord(seconds=self._clock.seconds(), joules=joules, **vars(progress)))
        self._saved = time.monotonic()
        self._save_seconds = self._saved - began


def _where(progress: "Progress", job: Job) -> str:
    if progress.position is not None:
        return f"going on after epoch {progress.position['epoch']} of {job.epochs}"
    return "going on with the search and the folds that are done" if progress.study or progress.folds else "starting"


def device(job: Job) -> str:
    """The job's device as torch names it. Raises TrainingError where it is not there."""
    import torch

    if job.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("device is 'cuda', and torch finds no GPU here", "allowed: 'cpu', 'auto'")
    return "cuda" if job.device != "cpu" and torch.cuda.is_available() else "cpu"


def _initial_model(request: RunRequest, store: Store, folder: Path) -> bytes | None:
    """The safetensors file that the job starts from, or its artifact's plain ONNX file. Raises TrainingError,
    SealingError, StoreError.
    """
    init = request.job.init_from
    if init is None:
        return None
    if init.path is not None:
        return weights_file(init.path, folder)
    if request.init_key is None:
        raise RunRequestError("initFrom needs the key of the artifact", "give TrainingRun a private_key that opens it")
    opened = open_artifact(
        get_manifest(store, init.artifact_id),
        get_payload(store, init.artifact_id),
        request.init_key,
        artifact_id=init.artifact_id,
        payload_digest=init.payload_digest,
    )
    return bytes(opened.model)


def weights_file(path: str, folder: Path) -> bytes:
    """The safetensors file that a job starts from. Raises DataError."""
    return sources.read(path, folder, LARGEST_WEIGHTS)


def _as_planned(request: RunRequest, folder: Path) -> dict[str, str]:
    """What the model is made from. Raises TrainingError if that is not what the run was planned with."""
    actual = provenance.find_provenance(request.job, folder)
    for name, value in actual.items():
        planned = getattr(request, name)
        if planned not in (None, value):
            raise TrainingError(
                f"{name} changed since the run was planned: it was {planned}, now it is {value}",
                "run `pulumi up` again",
            )
    return actual


def _seal(
    request: RunRequest,
    records: Records,
    record: TrainedRecord,
    recipients: list[Recipient],
    events: Events,
    clock: Clock,
) -> dict[str, Any]:
    """Judges the model and puts both artifacts under their recorded ids, the report first: the model's manifest is what
    commits the run. Raises DataError, GateError.

    What a killed attempt left there cannot be told from whole: it goes.
    """
    judgement = judge(request.job, Evidence.decode(record.evidence), request.deployed_metrics)
    if not judgement.passed:
        events.phase("seal", "sealing the report alone: the gates refuse the model")
        raise _refuse(request, records.fence, judgement, record.artifact_id, recipients, sealed=False)
    events.phase("seal", "sealing the model and its report")
    report = _put_report(records.fence, judgement, record.artifact_id, record.report_id, recipients)
    artifact = _put(records.fence, record.model, record.description, recipients, record.artifact_id)
    result = {
        "artifact_id": artifact.artifact_id,
        "payload_digest": artifact.payload_digest,
        "payload_size": artifact.payload_size,
        "content_digest": hashlib.sha256(record.model).hexdigest(),
        **record.outcome,
        "duration_seconds": round(clock.seconds(), 3),
    }
    reports = {judgement.report_key(request.run_key): (report.artifact_id, report.payload_digest)}
    records.save(SealedRecord(result, reports, record.evidence))
    told = _report_result(report.artifact_id, report.payload_digest, report.manifest.decode())
    return {**result, "manifest": artifact.manifest.decode(), **told}


def _refuse(
    request: RunRequest,
    fence: Fence,
    judgement: Judgement,
    artifact_id: str,
    recipients: list[Recipient],
    *,
    sealed: bool,
) -> GateError:
    """The error that says so, with the report sealed, under the same id each time and another one than that of the
    report beside a sealed model; `sealed`: the model is, and it stays.
    """
    report = _put_report(fence, judgement, artifact_id, judgement.report_key(request.run_key), recipients)
    try:
        gates.enforce(judgement.gates, judgement.report.metrics or {}, shown=request.expose_metrics)
    except GateError as error:
        of = {"of": artifact_id} if sealed else {}
        error.report = {"artifact_id": report.artifact_id, "payload_digest": report.payload_digest, **of}
        return error
    raise AssertionError("internal error: a refused model whose gates pass")


def _put_report(
    fence: Fence, judgement: Judgement, artifact_id: str, report_id: str, recipients: list[Recipient]
) -> Sealed:
    told = {"of": artifact_id, "kind": "report", **({} if judgement.passed else {"refused": True})}
    return _put(fence, judgement.page(), told, recipients, report_id)


def _put(
    fence: Fence, content: bytes, description: Mapping[str, object], recipients: list[Recipient], artifact_id: str
) -> Sealed:
    return remake_artifact(
        fence, artifact_id, lambda write: seal_into(write, content, description, recipients, artifact_id)
    )


@contextlib.contextmanager
def _hold_lease(store: Store, run_id: str, events: Events) -> Iterator[Fence]:
    """Holds the run's lease, and says so while another process does."""
    notice = threading.Timer(
        WAIT_NOTICE_SECONDS,
        events.log,
        ("info", "waiting: another process works on the same run, and its result will do"),
    )
    notice.daemon = True
    notice.start()
    try:
        with hold_lease(store, run_id) as fence:
            notice.cancel()
            yield fence
    finally:
        notice.cancel()
