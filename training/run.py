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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sealift.sealing.artifact import Sealed, seal_into
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
    get_record,
    has_artifact,
    hold_lease,
    open_store,
    owners_name,
    remake_artifact,
    verify,
)
from training import gates
from training.cancellation import Cancellation
from training.checkpoint import Record, Records, SealedRecord, TrainedRecord, TrainingRecord, is_of_other_code
from training.errors import CheckpointError, GateError
from training.events import Events, EventStream
from training.judgement import Evidence, Judgement, judge
from training.request import RunRequest
from training.run_callback import Clock
from training.run_result import RunResult
from training.trainer import train

OTHER_CODE: Final = (
    "the model is trained again: its code reads files that no digest covers, and they may differ in this modelPath"
)
WAIT_NOTICE_SECONDS: Final = 1.0


def run(request: RunRequest, events: EventStream, cancellation: Cancellation) -> RunResult:
    """Raises TrainingError, SealingError, StoreError, CancelledError."""
    recipients = [parse_recipient(pem) for pem in request.recipients]
    store = open_store(request.store_url)
    clock = Clock()
    lost: list[str] = []
    with _hold_lease(store, request.run_id, events) as fence:
        records = Records(store, request.run_key, request.run_id, fence)
        record = _load(records, events)
        if isinstance(record, TrainedRecord | SealedRecord) and is_of_other_code(record, request.job):
            events.log("warning", OTHER_CODE)
            _let_go(fence, record)
            record = None
        if isinstance(record, SealedRecord):
            result = _judge_again(request, records, record, recipients, events)
            if result is not None:
                return RunResult(**result, reused=True)
            lost = _let_go(fence, record)
            record = None
        if record is not None:
            clock.seconds_before = record.seconds
        if not isinstance(record, TrainedRecord):
            record = _train(request, records, record, events, cancellation, clock)
        result = _seal(request, records, record, recipients, events, clock)
    return RunResult(**result, reused=False, lost=tuple(lost))


def _load(records: Records, events: Events) -> Record | None:
    """The record; a damaged one is said and counts as none, since training anew gives the same model."""
    try:
        return records.load()
    except CheckpointError as error:
        events.log("warning", f"{error.message}; the run starts again from the beginning")
        return None


def _judge_again(
    request: RunRequest, records: Records, record: SealedRecord, recipients: list[Recipient], events: Events
) -> dict[str, Any] | None:
    """The result as it was, with the report of how it is judged now; None if the artifact is no longer whole. Raises
    DataError, GateError.
    """
    evidence = Evidence.decode(record.evidence)
    judgement = judge(request.job, evidence, request.deployed_metrics)
    store, artifact_id = records.store, str(record.result["artifact_id"])
    key = judgement.report_key(request.run_key)
    try:
        manifest = _whole_artifact(store, artifact_id, str(record.result["payload_digest"]))
        report = _find_sealed_report(store, record.reports.get(key))
    except (ArtifactMissing, ArtifactDamaged, ManifestInvalid) as error:
        events.log("warning", f"the sealed artifact of this run is lost and is made again: {error.message}")
        return None
    if not judgement.passed:
        events.phase("seal", "sealing only the report: the gates refuse the sealed model")
        raise _refuse(request, records.fence, judgement, artifact_id, recipients, sealed=True)
    if report is None:
        events.phase("seal", "checking the sealed model again and sealing its report")
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


def _ids(record: TrainedRecord | SealedRecord) -> list[str]:
    """The model's and its reports'."""
    if isinstance(record, TrainedRecord):
        return [record.artifact_id, record.report_id]
    return [str(record.result["artifact_id"]), *(artifact_id for artifact_id, _ in record.reports.values())]


def _let_go(fence: Fence, record: TrainedRecord | SealedRecord) -> list[str]:
    """Deletes what the record names, unless somebody uses it: a service may run on what is whole, and a damaged payload
    may be brought back. The ids of what stays, for one who has the store's key to ask its owners.
    """
    fence.check()
    ids = _ids(record)
    if get_record(fence.store, owners_name(ids[0])) is not None:
        return ids
    for one in ids:
        delete_artifact(fence.store, one)
    return []


def _whole_artifact(store: Store, artifact_id: str, digest: str) -> str:
    """The artifact's manifest, which may have been rewrapped since. Raises if any part is missing or not its own."""
    verify(store, artifact_id, digest, stream_digest)
    manifest = get_manifest(store, artifact_id)
    parsed = parse_manifest(manifest)
    if (parsed.artifact_id, parsed.payload_digest) != (artifact_id, digest):
        raise ManifestInvalid(f"the manifest of artifact {artifact_id} belongs to another artifact")
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
    from training.distributed import SharedDescriptor, launch
    from training.worker import run_worker

    launch(request.job.processes, cancellation, run_worker, request, SharedDescriptor(events.descriptor), records.fence)
    trained = records.load()
    if not isinstance(trained, TrainedRecord):
        raise CheckpointError("the workers ended without a model", "run `pulumi up` again")
    return trained


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
        events.phase("seal", "sealing only the report: the gates refuse the model")
        _let_go(records.fence, record)  # what a killed attempt left, whose gates the model passed
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
    records.save(SealedRecord(result, reports, record.evidence, record.code_place))
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
        ("info", "waiting: another process works on the same run; its result will be used"),
    )
    notice.daemon = True
    notice.start()
    try:
        with hold_lease(store, run_id) as fence:
            notice.cancel()
            yield fence
    finally:
        notice.cancel()
