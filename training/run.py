"""One run from request to result, from any state of earlier work: reuse, finish, resume or start.

    record         then
    sealed         the artifact is verified and checked again, possibly by other gates, and the result is returned; if
                   the judgement or the model card changed, a new report is sealed; torch is not loaded
    trained        the model is checked and sealed under the artifact id that was recorded before anything was put; if
                   its gates refuse it, only the report is sealed
    training       the loop continues, bit for bit as if it had never stopped
    none           training starts

All of it happens under the run's lease, so that two processes with the same run never work against each other.
"""

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sealift.own_keys import find_own_key
from sealift.sealing.artifact import Sealed, seal_into
from sealift.sealing.errors import ManifestInvalid
from sealift.sealing.manifest import parse_manifest
from sealift.sealing.recipients.own_key import under_key
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
    has_artifact,
    has_record,
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
    """Runs the request until its artifact is sealed, or returns the result of an equal run that is already sealed.
    Raises TrainingError, SealingError, StoreError and CancelledError.
    """
    recipients = [parse_recipient(pem) for pem in request.recipients]
    store = open_store(request.store_url, request.keys_url)
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
    """Returns the record. A damaged one causes a warning and counts as missing, since training again gives the same
    model.
    """
    try:
        return records.load()
    except CheckpointError as error:
        events.log("warning", f"{error.message}; the run starts again from the beginning")
        return None


def _judge_again(
    request: RunRequest, records: Records, record: SealedRecord, recipients: list[Recipient], events: Events
) -> dict[str, Any] | None:
    """Returns the earlier result with the report of the new judgement, or None if the artifact is no longer intact.
    Raises DataError, GateError.
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
    """Returns the result's fields about the report, or None if it is not sealed or its users have deleted it."""
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
    """Seals the report under an id that is recorded before, so that a kill leaves no orphan."""
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
    """Returns the ids of the model's and its reports' artifacts."""
    if isinstance(record, TrainedRecord):
        return [record.artifact_id, record.report_id]
    return [str(record.result["artifact_id"]), *(artifact_id for artifact_id, _ in record.reports.values())]


def _let_go(fence: Fence, record: TrainedRecord | SealedRecord) -> list[str]:
    """Deletes the artifacts that the record names, unless somebody uses them: a service may run on an intact one, and a
    damaged payload may be restored. Returns the ids of those that stay, so that the owner of the store's key can ask
    their users.
    """
    fence.check()
    ids = _ids(record)
    if has_record(fence.store, owners_name(ids[0])):
        return ids
    for one in ids:
        delete_artifact(fence.store, one)
    return []


def _whole_artifact(store: Store, artifact_id: str, digest: str) -> str:
    """Returns the artifact's manifest, which may have been rewrapped since. Raises if a part or the artifact's own key
    is missing, or a part belongs to another artifact.
    """
    verify(store, artifact_id, digest, stream_digest)
    manifest = get_manifest(store, artifact_id)
    parsed = parse_manifest(manifest)
    if (parsed.artifact_id, parsed.payload_digest) != (artifact_id, digest):
        raise ManifestInvalid(f"the manifest of artifact {artifact_id} belongs to another artifact")
    find_own_key(manifest, store.keys)
    return manifest.decode()


def _train(
    request: RunRequest,
    records: Records,
    record: TrainingRecord | None,
    events: EventStream,
    cancellation: Cancellation,
    clock: Clock,
) -> TrainedRecord:
    """Trains, continuing from the record, in this process or in several. Raises CheckpointError if another machine was
    to train.
    """
    if not request.trains:
        raise CheckpointError(
            "the store's record of this run has no trained model, although the training elsewhere has ended",
            "run `pulumi up` again; if that does not help, set retrainTrigger",
        )
    if request.job.processes == 1:
        return train(request, records, record, events, cancellation, clock, records.store)
    events.phase("load", f"starting {request.job.processes} workers")
    from training.distributed import SharedDescriptor, launch
    from training.worker import run_worker

    telling = SharedDescriptor(events.descriptor)
    launch(request.job.processes, cancellation, run_worker, request, telling, records, records.store)
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
    """Checks the model and puts both artifacts under their recorded ids. The report comes first, since the model's
    manifest commits the run. Raises DataError, GateError.

    Anything that a killed attempt left there is replaced, since it may be incomplete.
    """
    judgement = judge(request.job, Evidence.decode(record.evidence), request.deployed_metrics)
    if not judgement.passed:
        events.phase("seal", "sealing only the report: the gates refuse the model")
        _let_go(records.fence, record)  # artifacts of a killed attempt whose gates the model passed
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
    """Returns the error for a refused model, with its report sealed. The report's id is the same each time, and differs
    from that of the report beside a sealed model. `sealed`: the model is already sealed and stays.
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
        fence,
        artifact_id,
        lambda write, kek: seal_into(write, content, description, under_key(recipients, kek), artifact_id),
    )


@contextlib.contextmanager
def _hold_lease(store: Store, run_id: str, events: Events) -> Iterator[Fence]:
    """Holds the run's lease, and reports it while another process holds it."""
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
