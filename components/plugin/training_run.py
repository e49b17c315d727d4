"""`sealift:index:TrainingRun`: gradient descent as a resource.

`check` turns the data set, the training code and the library versions into inputs, so that the engine's diff shows why
a run happens. `create` and `update` run it in a separate process, under an identity made of all inputs that change the
model. A run with the same identity, after a kill or a destroyed stack, continues from the checkpoint or reuses the
sealed artifact. Gates, limits of data quality and the model card do not belong to the identity: if they change, the
sealed model is checked and reported again, and nothing is trained.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from components.plugin import refused_report
from components.plugin.announcement import announce, describe_changes, describe_other_machine
from components.plugin.artifact_retention import find_replaced, let_go, say, settle, wrap_replaced
from components.plugin.data_check import DataChecks, DataFindings, rows_changed
from components.plugin.job_launcher import JobLauncher
from components.plugin.launcher import Launcher, Notice, RunRefused, Submission, run_training
from components.plugin.local_launcher import LocalLauncher
from components.plugin.ownership import Owner, Owners, OwnersUnreadable
from components.plugin.replaced_artifacts import (
    ReplacedArtifacts,
    Retained,
    RunArtifacts,
    find_run_artifacts,
    release_report,
)
from components.plugin.resealing import OldArtifact, Resealing
from components.plugin.training_inputs import (
    KEEPING_INPUTS,
    REQUIREMENTS,
    RETENTION_INPUTS,
    check,
    find_job_inputs,
    find_key_texts,
    find_opening_keys,
    find_recipients,
    find_run_ids,
    find_store,
    find_store_key,
    is_same_work,
)
from components.plugin.training_request import make_request
from components.plugin.validation import find_changed
from sealift.contents.errors import ContentsError
from sealift.own_keys import unwrap_with
from sealift.provider import (
    UNKNOWN,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    Operation,
    PluginError,
    Properties,
    ReadRequest,
    ReadResponse,
    Secret,
    UpdateRequest,
    UpdateResponse,
    Value,
    detail_diff,
    has_unknown,
    random_id,
    reveal,
    reveal_all,
)
from sealift.rewrapping import is_made_of, wrap_for
from sealift.sealing import (
    ManifestInvalid,
    content_id,
    data_key_text,
    has_own_key,
    is_in_kms,
    parse_identity,
    stream_digest,
)
from sealift.stores import (
    ArtifactDamaged,
    ArtifactMissing,
    delete_artifact,
    delete_record,
    get_manifest,
    owners_name,
    verify,
)
from training import job as training_job
from training.events import LogEvent, ResultEvent
from training.run_result import OUTPUT_NAMES, RunResult, outputs_of, read_result
from training.status_line import status_line

Launchers = Mapping[str, Launcher]
"""Launchers by `compute.kind`."""

OUTPUTS: Final = ("runId", "contentId", "dataKey", *OUTPUT_NAMES)

ARTIFACTS: Final = {
    "artifactId": ("payloadDigest", "manifest"),
    "reportArtifactId": ("reportPayloadDigest", "reportManifest"),
}
"""Outputs that identify a run's artifacts in the store. A state of Sealift 0.1 has no report."""
MANIFESTS: Final = tuple(manifest for _, manifest in ARTIFACTS.values())
REPORT_OUTPUTS: Final = ("reportArtifactId", *ARTIFACTS["reportArtifactId"])
RESEALED: Final = ("artifactId", "payloadSize", *ARTIFACTS["artifactId"], *REPORT_OUTPUTS)
"""Outputs that differ once the artifacts are sealed under new data keys."""
KEY_INPUTS: Final = ("recipients", "reseal")
"""Inputs that change the keys of an artifact and not its model."""

LOCAL: Final = LocalLauncher()


class TrainingRunResource:
    """Trains on create and on every update that changes the model. `local` trains on this machine."""

    def __init__(self, local: Launcher = LOCAL) -> None:
        self._launchers: Launchers = {"local": local, "job": JobLauncher(local)}
        self._data_checks = DataChecks()

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Validates everything at once and adds the digests. Unknown inputs are checked by the update."""
        return await check(request.old_inputs, request.new_inputs, self._data_checks)

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Compares the inputs. A new store replaces the resource, because the artifact moves. Others update it."""
        return DiffResponse(detail_diff(find_changed(request.old_inputs, request.new_inputs), replaces={"storeUrl"}))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Trains and seals. A preview only announces it."""
        if request.preview:
            await announce(request, request.inputs, "", self._data_checks.find_known(request.inputs), {})
            return CreateResponse("", request.inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        resource_id = random_id(request)
        owner = Owner(request.urn, resource_id, _recipient_ids(request.inputs))
        return CreateResponse(resource_id, await _train(self._launchers, request, owner, request.inputs, {}))

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Trains if an input that changes the model changed, checks and reports the model again if a requirement
        changed, and otherwise only stores the new settings.
        """
        return UpdateResponse(await _update(self._launchers, request, self._data_checks.find_known(request.new_inputs)))

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """Returns None, with a warning, if the artifact is missing from the store or was altered.

        An unreadable store is an error, because it shows nothing about the artifact. Raises PluginError on import.
        """
        if "artifactId" not in request.state:
            raise PluginError(
                "a TrainingRun cannot be imported, because its inputs are sealed inside the artifact",
                "add the run to the program with the same settings, store and keys; `pulumi up` then finds the sealed "
                "artifact in the store and trains nothing",
            )
        try:
            manifests = await asyncio.to_thread(_verify, request.state, request.inputs)
        except (ArtifactMissing, ArtifactDamaged, ManifestInvalid) as error:
            await request.log.say("warning", f"the artifact is lost, so the next `pulumi up` makes it again: {error}")
            return None
        return ReadResponse(request.inputs, request.state | manifests)

    async def delete(self, request: DeleteRequest) -> None:
        """Removes the artifact and the run's record if retention is "delete"."""
        state = request.state
        await asyncio.to_thread(refused_report.clear, request.urn)
        if state.get("retention") == "keep" and not await asyncio.to_thread(_others_can_open, request.inputs):
            await request.log.say(
                "warning",
                f"artifact {state.get('artifactId')} stays in the store, and only this stack's key opens it. That key "
                "is deleted with the stack. To open the artifact later, stop here (Ctrl-C). Then add a recipient to "
                "the store, such as a recovery key, and run `pulumi up`, or save the private key",
            )
        await let_go(request, Owner(request.urn, request.id), request.inputs, state)


async def _update(launchers: Launchers, request: UpdateRequest, data: DataFindings) -> Properties:
    """Returns the new state; in a preview, the part that is known. `data`: findings of the data check."""
    old_inputs, inputs = request.old_inputs, request.new_inputs
    all_changed = find_changed(reveal_all(old_inputs), reveal_all(inputs))
    keeping = {*KEEPING_INPUTS, *(["compute"] if is_same_work(reveal_all(old_inputs), reveal_all(inputs)) else [])}
    changed = [name for name in all_changed if name not in keeping]
    kept = {name: reveal(request.state.get(name)) for name in OUTPUTS}
    owner = Owner(request.urn, request.id, _recipient_ids(inputs))
    reseals = "reseal" in changed and bool(inputs.get("reseal"))
    before = dict(kept)
    if request.preview:
        kept["dataKey"] = _find_data_key(kept, inputs, kept, preview=True)
    keys_only = changed != [] and set(changed) <= {*KEY_INPUTS} and "openingKeys" in inputs
    if keys_only or not changed:
        _check_keys_url(inputs, kept)
    if keys_only and request.preview:
        if reseals:
            await request.log.status(
                "will seal the model again under a new data key, without training, and delete the old artifact. The "
                "image and the pods follow"
            )
        elif "recipients" in changed:
            await request.log.status("will wrap the artifact's key for its new recipients, without training")
        new = _find_new(changed, kept, reseals=reseals)
        return inputs | _with_secrets(kept | dict.fromkeys(new, UNKNOWN), inputs)
    if keys_only and reseals:
        kept = await _reseal(request, owner, inputs, kept)
    elif keys_only and "recipients" in changed:
        wrapped = await asyncio.to_thread(_claim, owner, kept, inputs)
        if wrapped is None:
            raise PluginError(
                f"recipients changed, but no key in openingKeys opens artifact {kept['artifactId']}",
                "add to openingKeys a key that it was sealed to, or set retrainTrigger to train the model again",
            )
        kept |= wrapped
    if keys_only or not changed:
        if not request.preview:
            kept["dataKey"] = await asyncio.to_thread(_find_data_key, kept, inputs, before)
            if reseals or all_changed.keys() & {*RETENTION_INPUTS}:
                await settle(request, owner, inputs, kept, None, reseals=reseals)
            if "recipients" in changed:
                await wrap_replaced(request, owner, inputs)
        return inputs | _with_secrets(kept, inputs)
    if request.preview:
        rows = rows_changed(reveal(request.state.get("rows")), data.rows)
        shaping = [name for name in changed if name not in REQUIREMENTS] or changed
        because = f", because {describe_changes(shaping, old_inputs, inputs, rows)}"
        sealed = await announce(request, inputs, because, data, kept)
        if "processor" in changed and "processor" in old_inputs:
            await request.log.say("warning", describe_other_machine(old_inputs["processor"], inputs["processor"]))
        if sealed is None or sealed != kept["artifactId"]:
            return inputs | dict.fromkeys(OUTPUTS, UNKNOWN)
        new = _find_new(changed, kept, reseals=reseals)
        return inputs | _with_secrets(kept | dict.fromkeys((*REPORT_OUTPUTS, *new), UNKNOWN), inputs)
    outputs = await _train(launchers, request, owner, inputs, kept)
    old: RunArtifacts | None = find_run_artifacts(request.state)
    if reveal(old_inputs["storeKey"]) != reveal(
        inputs["storeKey"]
    ):  # no run under the new key has an artifact of the old one
        await let_go(request, owner, old_inputs, request.state | {"retention": inputs["retention"]})
        old = find_run_artifacts(outputs)
    if reseals and await asyncio.to_thread(_was_sealed_before, owner, inputs, outputs, kept):
        judged = {name: reveal(outputs.get(name)) for name in OUTPUTS}
        resealed = await _reseal(request, owner, inputs, judged)
        resealed["dataKey"] = await asyncio.to_thread(_find_data_key, resealed, inputs, judged)
        outputs = inputs | _with_secrets(resealed, inputs)
    await settle(request, owner, inputs, outputs, old, reseals=reseals)
    if "recipients" in changed:
        await wrap_replaced(request, owner, inputs)
    return outputs


def _check_keys_url(inputs: Properties, kept: Mapping[str, Value]) -> None:
    """Raises PluginError if the current artifact needs the store of keys, and the inputs do not name it."""
    if inputs.get("keysUrl") is None and _has_own_key(kept):
        raise PluginError(
            f"keysUrl is not set, but artifact {kept['artifactId']} has a key-encryption key of its own there",
            "set store.keysUrl (in a program: keysUrl) as it was, or remove it together with a change of "
            "retrainTrigger, which trains and seals the model again without such a key",
        )


def _has_own_key(outputs: Mapping[str, Value]) -> bool:
    manifest = outputs.get("manifest")
    return isinstance(manifest, str) and has_own_key(manifest.encode())


def _was_sealed_before(owner: Owner, inputs: Properties, outputs: Properties, kept: Mapping[str, Value]) -> bool:
    """Whether the artifact was already this resource's, so that somebody may know its data key."""
    earlier = {one.artifact_id for one in find_replaced(owner, inputs).find()}
    return outputs["artifactId"] in {*earlier, kept["artifactId"]}


def _find_new(changed: Sequence[str], kept: Mapping[str, Value], *, reseals: bool) -> Sequence[str]:
    """Returns the outputs that an update of the keys will change."""
    if reseals:
        return (*RESEALED, *(["dataKey"] if kept.get("dataKey") is not None else []))
    return MANIFESTS if "recipients" in changed else ()


async def _reseal(operation: Operation, owner: Owner, inputs: Properties, kept: Properties) -> Properties:
    """Seals the artifacts again under new data keys, deletes the old ones, and returns the outputs."""
    store, store_key = find_store(inputs), find_store_key(inputs)
    await operation.log.status("sealing the model again under a new data key")
    old = [OldArtifact(artifact_id, digest, known) for artifact_id, digest, _, known in _artifacts(kept)]
    resealing = Resealing(store, store_key, str(kept["runId"]), str(reveal(inputs["reseal"])))
    keys, recipients = find_opening_keys(inputs), find_recipients(inputs)
    model, report = await asyncio.to_thread(
        resealing.reseal, old[0], old[1] if len(old) > 1 else None, keys, recipients
    )
    outputs = kept | {"payloadSize": model.payload_size}
    for sealed, (name, (digest, manifest)) in zip((model, report), ARTIFACTS.items(), strict=True):
        if sealed is not None:
            await asyncio.to_thread(Owners(store, store_key, sealed.artifact_id).claim, owner)
            outputs |= {name: sealed.artifact_id, digest: sealed.payload_digest, manifest: sealed.manifest.decode()}
    for one in old:
        owners = Owners(store, store_key, one.artifact_id)
        try:
            others = await asyncio.to_thread(owners.release, owner, partial(delete_artifact, store, one.artifact_id))
        except OwnersUnreadable:
            others = 1
        if others:
            await operation.log.say(
                "warning",
                f"the old artifact {one.artifact_id} stays, because other resources use it: whoever has its data key "
                "can still open it. Set `reseal` for them too",
            )
    return outputs


def _others_can_open(inputs: Mapping[str, Value]) -> bool:
    """Whether a recipient is not one of this stack's own keys."""
    keys, recipients = find_key_texts(inputs), {key.key_id for key in find_recipients(inputs)}
    own = {parse_identity(key).key_id for key in keys if not is_in_kms(key)}  # a key in a KMS outlives the stack
    return bool(recipients - own) if keys else len(recipients) > 1


def _artifacts(outputs: Mapping[str, Value]) -> Iterator[tuple[str, str, str, bytes]]:
    """Yields id, payload digest, name of the manifest's output and manifest of each existing artifact."""
    for artifact, (digest, manifest) in ARTIFACTS.items():
        if outputs.get(artifact) is not None:
            artifact_id, sealed, known = (str(reveal(outputs[name])) for name in (artifact, digest, manifest))
            yield artifact_id, sealed, manifest, known.encode()


def _claim(owner: Owner, outputs: Mapping[str, Value], inputs: Mapping[str, Value]) -> Properties | None:
    """Claims the artifacts for the owner, wraps them for the recipients in `inputs` and those of their other owners,
    and returns the manifests, or None if no key opens them. Raises SealingError, StoreError.
    """
    store, keys, recipients = find_store(inputs), find_opening_keys(inputs), find_recipients(inputs)
    store_key = find_store_key(inputs)
    manifests: Properties = {}
    for artifact_id, _, manifest, known in _artifacts(outputs):
        wrap = partial(wrap_for, store, artifact_id, known, keys, recipients)
        wrapped = Owners(store, store_key, artifact_id).claim(owner, wrap)
        if wrapped is None:
            return None
        manifests[manifest] = wrapped.decode()
    return manifests


def _recipient_ids(inputs: Mapping[str, Value]) -> list[str]:
    """Returns the ids of the keys in `inputs`, none if they are unknown yet."""
    return (
        [] if has_unknown(inputs.get("recipients", UNKNOWN)) else sorted(key.key_id for key in find_recipients(inputs))
    )


def _find_data_key(
    outputs: Mapping[str, Value], inputs: Mapping[str, Value], kept: Mapping[str, Value], *, preview: bool = False
) -> Value:
    """Returns the artifact's data key if the stack's own key is in a KMS, or if the artifact has a key of its own.
    Otherwise returns None. So pods need neither KMS nor store of keys. Both are asked only for another artifact than
    that of `kept`, the current outputs, and not in a preview. Raises SealingError and StoreError.
    """
    if not has_unknown(inputs.get("openingKeys")):
        texts = find_key_texts(inputs)
        if not texts or not (is_in_kms(texts[0]) or _has_own_key(outputs)):
            return None
    if outputs["artifactId"] == kept.get("artifactId") and kept.get("dataKey") is not None:
        return kept["dataKey"]
    if preview:
        return UNKNOWN
    manifest = str(outputs["manifest"]).encode()
    return data_key_text(unwrap_with(manifest, find_opening_keys(inputs), find_store(inputs).keys))


async def _train(
    launchers: Launchers, operation: Operation, owner: Owner, inputs: Properties, kept: Mapping[str, Value]
) -> Properties:
    """Trains, claims the artifacts for `owner`, and returns the outputs. `kept`: the current outputs."""
    plain = reveal_all(inputs)
    job, _ = training_job.Job.validate(find_job_inputs(plain))
    if job is None:
        raise AssertionError("internal error: inputs that check refused came back")
    store_key = find_store_key(plain)
    if not plain["libraries"]:
        raise PluginError(
            "the training libraries (torch, numpy, scikit-learn, onnx) are not installed",
            "run `make setup`, then `pulumi up` again",
        )
    limits = [seconds for seconds in (float(str(plain["timeoutSeconds"])), operation.timeout_seconds) if seconds > 0]
    started = time.monotonic()

    async def on_notice(notice: Notice) -> None:
        if isinstance(notice, LogEvent):
            await operation.log.say(notice.level, notice.message)
        else:
            await operation.log.status(status_line(notice, with_metrics=bool(plain["exposeMetrics"])))

    replaced = ReplacedArtifacts(find_store(plain), store_key, owner)
    store, run_ids = replaced.store, list(find_run_ids(job, plain, store_key))
    run_ids.sort(key=lambda one: one != kept.get("runId"))  # to check it again, its own record has the evidence
    while True:
        if not run_ids:
            raise PluginError(
                "the manifest of this run's artifact in the store was altered",
                "find out who can write to the store, then set retrainTrigger to train and seal the model again",
            )
        run_id = run_ids[0]
        try:
            request = await asyncio.to_thread(make_request, job, plain, store_key, run_id, kept.get("metrics"))
            told = await run_training(
                launchers[job.compute.kind], Submission(request, Path.cwd()),
                timeout_seconds=min(limits, default=0), cancelled=operation.cancelled, on_notice=on_notice,
            )  # fmt: skip
        except RunRefused as refused:
            await asyncio.to_thread(
                refused_report.keep, owner.urn, request.store_url, run_id, refused.report, request.keys_url
            )
            raise PluginError(refused.message, f"{refused.hint}; {refused_report.say_what_shows(owner.urn)}") from None
        result = _read_result(told)
        outputs: Properties = {
            "runId": run_id,
            "contentId": content_id(store_key, bytes.fromhex(result.content_digest)),
            **outputs_of(result),
        }
        wrapped: Properties | None = {}  # a new artifact is sealed to these recipients
        owners = [Owners(store, store_key, one) for one in (result.artifact_id, result.report_artifact_id)]
        try:
            if kept and inputs["retention"] == "delete":
                await asyncio.to_thread(replaced.announce, find_run_artifacts(outputs))
            if result.reused:
                wrapped = await asyncio.to_thread(_claim, owner, outputs, plain)
            else:
                await asyncio.to_thread(lambda: [one.claim(owner) for one in owners])  # noqa: B023
        except ArtifactMissing:  # its last owner has just deleted it
            continue
        except ManifestInvalid:  # it was altered, so nobody can open the artifact
            wrapped = None
        if wrapped is not None:
            outputs["dataKey"] = await asyncio.to_thread(_find_data_key, outputs | wrapped, plain, kept)
            break
        run_ids.pop(0)
        await asyncio.to_thread(release_report, owners[1], owner)  # a report that others use stays
        await asyncio.to_thread(replaced.forget, find_run_artifacts(outputs))
    await asyncio.to_thread(refused_report.clear, owner.urn, run_id)
    if result.lost and inputs["retention"] == "delete":
        await _abandon(operation, Owners(store, store_key, result.lost[0]), owner, result.lost)
    if result.reused:
        again = outputs["artifactId"] == kept.get("artifactId")
        what = "the sealed model was checked again" if again else "the store already has this run's sealed artifact"
        await operation.log.say("info", f"{what}, so nothing was trained")
    else:
        await operation.log.status(f"trained and sealed in {time.monotonic() - started:.1f} s")
    return inputs | _with_secrets(outputs | wrapped, inputs)


async def _abandon(operation: Operation, owners: Owners, owner: Owner, lost: Sequence[str]) -> None:
    """Deletes the remains of a damaged artifact, unless another resource uses it. A refresh makes the engine forget the
    resource of a damaged artifact, and this one takes its place: so what that one has replaced goes too.
    """
    with contextlib.suppress(OwnersUnreadable):
        for earlier in await asyncio.to_thread(owners.find_earlier, owner):
            forgotten = ReplacedArtifacts(owners.store, owners.store_key, earlier)
            await say(operation, await asyncio.to_thread(forgotten.settle, None, None, Retained()))

    def delete() -> None:
        for artifact_id in lost:
            delete_artifact(owners.store, artifact_id)
        for report_id in lost[1:]:
            delete_record(owners.store, owners_name(report_id))

    try:
        others = await asyncio.to_thread(owners.abandon, owner, delete)
    except OwnersUnreadable:
        others = 1
    if others:
        await operation.log.say("info", f"the remains of artifact {lost[0]} are kept, because other resources use it")


def _read_result(told: ResultEvent) -> RunResult:
    try:
        return read_result(told.fields)
    except ContentsError as error:
        raise PluginError(
            f"the training process reported an invalid {error}", "train with the same release as the plugin's"
        ) from None


def _with_secrets(outputs: Properties, inputs: Mapping[str, Value]) -> Properties:
    """Marks secret outputs: the data key, the example, which is a row of the data, and the metrics, which identify the
    model, unless `exposeMetrics` is on.
    """
    secret = {"dataKey", "example"} if inputs["exposeMetrics"] else {"dataKey", "example", "metrics"}
    return {name: Secret(value) if name in secret and value is not None else value for name, value in outputs.items()}


def _verify(state: Properties, inputs: Properties) -> Properties:
    """Returns the manifests in the store. Raises SealingError or StoreError if an artifact is altered or missing."""
    store = find_store(state)
    manifests: Properties = {}
    for artifact_id, digest, manifest, known in _artifacts(state):
        verify(store, artifact_id, digest, stream_digest)
        stored = get_manifest(store, artifact_id)
        if stored != known and not is_made_of(store, stored, known, find_opening_keys(inputs)):
            raise ManifestInvalid(f"the manifest of artifact {artifact_id} in the store differs from this stack's")
        manifests[manifest] = stored.decode()
    return manifests
