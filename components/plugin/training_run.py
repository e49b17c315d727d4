"""`sealift:index:TrainingRun`: gradient descent as a resource.

`check` turns the dataset, the training code and the library versions into inputs, so that the engine's diff says why
a run happens. `create` and `update` run it in a process of its own, under an identity made of all inputs that shape
the model: the same identity again, after a kill or a destroyed stack, goes on from the checkpoint or takes the sealed
artifact as it is. Other gates, limits of the data's quality or a model card are no other identity: the sealed model is
judged by them and reported again, and nothing is trained.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from components.plugin import refused_report
from components.plugin.data_check import DataChecks, DataFindings, rows_changed
from components.plugin.foretold import foretell, is_run
from components.plugin.launcher import Launcher, Notice, RunRefused, Submission, run_training
from components.plugin.local_launcher import LocalLauncher
from components.plugin.ownership import Owner, Owners, OwnersUnreadable
from components.plugin.rewrapping import is_made_of, wrap_for
from components.plugin.training_inputs import (
    KEEPING_INPUTS,
    REQUIREMENTS,
    check,
    find_changed,
    find_job_inputs,
    find_opening_keys,
    find_recipients,
    find_run_ids,
    find_store,
)
from components.plugin.training_request import make_request
from components.settings.run import store_key_of
from sealift.contents.errors import ContentsError
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
    random_id,
    reveal,
    reveal_all,
)
from sealift.sealing import ManifestInvalid, content_id, stream_digest
from sealift.settings.urls import without_credentials
from sealift.stores import (
    ArtifactDamaged,
    ArtifactMissing,
    StoreError,
    delete_artifact,
    delete_record,
    get_manifest,
    get_record,
    owners_name,
    verify,
)
from training import job as training_job
from training.events import LogEvent, ResultEvent
from training.run_result import OUTPUT_NAMES, RunResult, outputs_of, read_result
from training.status_line import status_line

OUTPUTS: Final = ("runId", "contentId", *OUTPUT_NAMES)

ARTIFACTS: Final = {
    "artifactId": ("payloadDigest", "manifest"),
    "reportArtifactId": ("reportPayloadDigest", "reportManifest"),
}
"""The outputs that name what a run has in the store; a state of Sealift 0.1 has no report."""
MANIFESTS: Final = tuple(manifest for _, manifest in ARTIFACTS.values())
REPORT_OUTPUTS: Final = ("reportArtifactId", *ARTIFACTS["reportArtifactId"])

LOCAL: Final = LocalLauncher()
"""Where training runs; a cluster would be another launcher."""


class TrainingRunResource:
    """Trains on create and on every update that changes what the model is; `launcher` says where."""

    def __init__(self, launcher: Launcher = LOCAL) -> None:
        self._launcher = launcher
        self._data_checks = DataChecks()

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Validates everything at once and adds the digests; unknown inputs are left for the real run."""
        return await check(request.old_inputs, request.new_inputs, self._data_checks)

    def diff(self, request: DiffRequest) -> DiffResponse:
        """A new store means a new artifact there and the old one gone here: replaced. All else is updated."""
        return DiffResponse(detail_diff(find_changed(request.old_inputs, request.new_inputs), replaces={"storeUrl"}))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Trains and seals; a preview only says that it will."""
        if request.preview:
            await _say_what_comes(request, request.inputs, "", self._data_checks.find_known(request.inputs), {})
            return CreateResponse("", request.inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        resource_id = random_id(request)
        owner = Owner(request.urn, resource_id)
        return CreateResponse(resource_id, await _train(self._launcher, request, owner, request.inputs, {}))

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Trains if what shapes the model changed; judges and reports again if what is asked of it did; else takes over
        the new settings.
        """
        return UpdateResponse(await _update(self._launcher, request, self._data_checks.find_known(request.new_inputs)))

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """None, and a warning, when the artifact is missing from the store or not what was sealed.

        A store that cannot be read says nothing about the artifact, so that is an error. Raises PluginError on import.
        """
        if "artifactId" not in request.state:
            raise PluginError(
                "a TrainingRun cannot be imported: what it was made from is sealed inside the artifact",
                "put the run into the program, with the same settings, store and keys: `pulumi up` finds the sealed "
                "artifact in the store and trains nothing",
            )
        try:
            manifests = await asyncio.to_thread(_verify, request.state, request.inputs)
        except (ArtifactMissing, ArtifactDamaged, ManifestInvalid) as error:
            await request.log.say("warning", f"the artifact is lost, so the next `pulumi up` makes it anew: {error}")
            return None
        return ReadResponse(request.inputs, request.state | manifests)

    async def delete(self, request: DeleteRequest) -> None:
        """Removes the artifact and the run's record where retention is "delete"."""
        state = request.state
        await asyncio.to_thread(refused_report.clear, request.urn)
        if state.get("retention") == "keep" and not await asyncio.to_thread(_others_can_open, request.inputs):
            await request.log.say(
                "warning",
                f"artifact {state.get('artifactId')} stays in the store, and only this stack's key opens it, which "
                "goes when the stack is destroyed. To open it later, stop here (Ctrl-C); then give the store further "
                "recipients, such as a recovery key of your own, and run `pulumi up`, or save the private key",
            )
        await _let_go(request, request.inputs, state, retention=state.get("retention"))


async def _update(launcher: Launcher, request: UpdateRequest, data: DataFindings) -> Properties:
    """The new state; in a preview, what is known of it. `data`: what was found of the new one."""
    old_inputs, inputs = request.old_inputs, request.new_inputs
    all_changed = find_changed(reveal_all(old_inputs), reveal_all(inputs))
    changed = [name for name in all_changed if name not in KEEPING_INPUTS]
    kept = {name: reveal(request.state.get(name)) for name in OUTPUTS}
    rewraps = changed == ["recipients"] and "openingKeys" in inputs
    if rewraps and request.preview:
        await request.log.status("will wrap the artifact's key for its new recipients; trains nothing")
        return inputs | _with_secrets(kept | dict.fromkeys(MANIFESTS, UNKNOWN), inputs)
    if rewraps:
        wrapped = await asyncio.to_thread(_wrap, kept, inputs)
        if wrapped is None:
            raise PluginError(
                f"recipients changed, and none of openingKeys opens artifact {kept['artifactId']}",
                "give openingKeys a key that it was sealed to, or set retrainTrigger: then it is trained anew",
            )
        kept |= wrapped
    if rewraps or not changed:
        return inputs | _with_secrets(kept, inputs)
    if request.preview:
        rows = rows_changed(reveal(request.state.get("rows")), data.rows)
        shaping = [name for name in changed if name not in REQUIREMENTS] or changed
        because = f", because {_reasons(shaping, old_inputs, inputs, rows)}"
        sealed = await _say_what_comes(request, inputs, because, data, kept)
        if "processor" in changed and "processor" in old_inputs:
            await request.log.say("warning", _other_machine(old_inputs["processor"], inputs["processor"]))
        if sealed is None or sealed != kept["artifactId"]:
            return inputs | dict.fromkeys(OUTPUTS, UNKNOWN)
        new = MANIFESTS if "recipients" in changed else ()
        return inputs | _with_secrets(kept | dict.fromkeys((*REPORT_OUTPUTS, *new), UNKNOWN), inputs)
    outputs = await _train(launcher, request, Owner(request.urn, request.id), inputs, kept)
    if outputs["artifactId"] != kept["artifactId"]:
        await _let_go(request, old_inputs, request.state, retention=inputs["retention"])
    elif outputs["reportArtifactId"] != kept["reportArtifactId"]:
        await _let_go_of_report(request, old_inputs, request.state, retention=inputs["retention"])
    return outputs


async def _say_what_comes(
    operation: Operation, inputs: Properties, because: str, data: DataFindings, kept: Mapping[str, Value]
) -> str | None:
    """In a preview; the artifact that is sealed for these inputs already. `kept`: the outputs until now. Raises
    PluginError, StoreError where the run could not be trained.
    """
    sealed = await asyncio.to_thread(foretell, inputs, kept.get("metrics"))
    if sealed is None and kept.get("runId") is not None and await asyncio.to_thread(is_run, inputs, kept["runId"]):
        because += ", and the store has no record of the run to judge its model by"
    if sealed is not None and sealed == kept.get("artifactId"):
        what = f"judges the sealed artifact {sealed} of {_label(inputs)} again and writes its report"
        await operation.log.status(f"{what}{because}; trains nothing")
    elif sealed is None:
        await operation.log.status(f"will train {_label(inputs)}{because}")
    else:
        await operation.log.status(f"takes the sealed artifact {sealed} of {_label(inputs)} again{because}")
    if data.unchecked:
        dataset = without_credentials(str(reveal(inputs.get("dataset"))))
        await operation.log.say("warning", f"{dataset} is not checked in this preview: {data.unchecked}")
    return sealed


def _reasons(names: Sequence[str], old: Mapping[str, Value], new: Mapping[str, Value], rows: str) -> str:
    """What changed, as "data/churn.csv changed (3,000 → 3,001 rows)"; of several, the rows follow the data's name."""
    said = {name: _reason(name, old, new) for name in names}
    if not rows or "dataDigest" not in said or "dataset" in said:
        return f"{', '.join(said.values())} changed"
    if len(said) == 1:
        return f"{said['dataDigest']} changed ({rows})"
    said["dataDigest"] += f" ({rows})"
    return f"{', '.join(said.values())} changed"


def _reason(name: str, old: Mapping[str, Value], new: Mapping[str, Value]) -> str:
    """A changed input as its reader knows it: a digest is named by what it is the digest of."""
    if name == "dataDigest" and reveal(old.get("dataset")) == reveal(new.get("dataset")):
        return without_credentials(str(reveal(new["dataset"])))
    if name == "codeDigest":
        return "code (codeDigest)"
    if name == "libraries" and name in old:
        before, after = (str(reveal(inputs[name])).split(", ") for inputs in (old, new))
        return f"libraries ({', '.join(sorted({*before} - {*after}))} → {', '.join(sorted({*after} - {*before}))})"
    return name


def _other_machine(trained_on: Value, here: Value) -> str:
    return (
        f"the model was trained on {trained_on} and this machine is {here}, where the same run can give other bits: "
        "`pulumi up` trains anew here, and on a machine of that type it keeps the model"
    )


def _label(inputs: Mapping[str, Value]) -> str:
    model, dataset = reveal(inputs.get("model", "net")), reveal(inputs.get("dataset", "diabetes"))
    return without_credentials(f"{model} on {dataset}")


def _others_can_open(inputs: Mapping[str, Value]) -> bool:
    """Whether a recipient is none of this stack's own keys."""
    own, recipients = {key.key_id for key in find_opening_keys(inputs)}, {key.key_id for key in find_recipients(inputs)}
    return bool(recipients - own) if own else len(recipients) > 1


def _artifacts(outputs: Mapping[str, Value]) -> Iterator[tuple[str, str, str, bytes]]:
    """Id, payload digest, the manifest's output and the manifest, of each artifact that there is."""
    for artifact, (digest, manifest) in ARTIFACTS.items():
        if outputs.get(artifact) is not None:
            artifact_id, sealed, known = (str(reveal(outputs[name])) for name in (artifact, digest, manifest))
            yield artifact_id, sealed, manifest, known.encode()


def _wrap(outputs: Mapping[str, Value], inputs: Mapping[str, Value]) -> Properties | None:
    """The manifests for the recipients in `inputs`; None if no key can. Raises SealingError, StoreError."""
    store, keys, recipients = find_store(inputs), find_opening_keys(inputs), find_recipients(inputs)
    manifests: Properties = {}
    for artifact_id, _, manifest, known in _artifacts(outputs):
        wrapped = wrap_for(store, artifact_id, known, keys, recipients)
        if wrapped is None:
            return None
        manifests[manifest] = wrapped.decode()
    return manifests


async def _train(
    launcher: Launcher, operation: Operation, owner: Owner, inputs: Properties, kept: Mapping[str, Value]
) -> Properties:
    """The outputs, with the artifacts claimed for `owner`. `kept`: the outputs until now."""
    plain = reveal_all(inputs)
    job, _ = training_job.Job.validate(find_job_inputs(plain))
    store_key = store_key_of(plain["storeKey"])
    if job is None or store_key is None:
        raise AssertionError("internal error: inputs that check refused came back")
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

    store, run_ids = find_store(plain), list(find_run_ids(job, plain, store_key))
    run_ids.sort(key=lambda one: one != kept.get("runId"))  # where it is judged again, its own record has the evidence
    while True:
        if not run_ids:
            raise PluginError(
                "the manifest of this run's artifact in the store was altered",
                "find out who can write to the store; set retrainTrigger, and the run is trained and sealed anew",
            )
        run_id = run_ids[0]
        try:
            request = await asyncio.to_thread(make_request, job, plain, store_key, run_id, kept.get("metrics"))
            told = await run_training(
                launcher, Submission(request, Path.cwd()),
                timeout_seconds=min(limits, default=0), cancelled=operation.cancelled, on_notice=on_notice,
            )  # fmt: skip
        except RunRefused as refused:
            await asyncio.to_thread(refused_report.keep, owner.urn, str(plain["storeUrl"]), run_id, refused.report)
            raise PluginError(refused.message, f"{refused.hint}; {refused_report.say_what_shows(owner.urn)}") from None
        result = _read_result(told)
        outputs: Properties = {
            "runId": run_id,
            "contentId": content_id(store_key, bytes.fromhex(result.content_digest)),
            **outputs_of(result),
        }
        wrapped: Properties | None = {}  # what was sealed just now is sealed for these recipients
        if result.reused:
            try:
                wrapped = await asyncio.to_thread(_wrap, outputs, plain)
            except ManifestInvalid:  # somebody has altered it: nobody can open the artifact
                wrapped = None
        owners = [Owners(store, store_key, one) for one in (result.artifact_id, result.report_artifact_id)]
        if wrapped is None:
            run_ids.pop(0)
            await asyncio.to_thread(_release, owners[1], owner)  # a report that others use stays
        elif await asyncio.to_thread(lambda: all(one.claim(owner) for one in owners)):  # noqa: B023
            break
    await asyncio.to_thread(refused_report.clear, owner.urn, run_id)
    if result.lost and inputs["retention"] == "delete":
        await _abandon(operation, Owners(store, store_key, result.lost[0]), owner, result.lost)
    if result.reused:
        again = outputs["artifactId"] == kept.get("artifactId")
        what = "the sealed model was judged again" if again else "the same run is sealed in the store already"
        await operation.log.say("info", f"{what}: nothing was trained")
    else:
        await operation.log.status(f"trained and sealed in {time.monotonic() - started:.1f} s")
    return inputs | _with_secrets(outputs | wrapped, inputs)


async def _abandon(operation: Operation, owners: Owners, owner: Owner, lost: Sequence[str]) -> None:
    """Deletes what is left of a damaged artifact, unless somebody else uses it."""

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
        await operation.log.say("info", f"what is left of artifact {lost[0]} stays: others use it")


def _read_result(told: ResultEvent) -> RunResult:
    try:
        return read_result(told.fields)
    except ContentsError as error:
        raise PluginError(
            f"the training process told of a {error} that is not one", "train with the release that the plugin is of"
        ) from None


def _with_secrets(outputs: Properties, inputs: Mapping[str, Value]) -> Properties:
    """Metrics tell which model it is, and the example is a row of the data: secret unless the stack says otherwise."""
    secret = {"example"} if inputs["exposeMetrics"] else {"example", "metrics"}
    return {name: Secret(value) if name in secret else value for name, value in outputs.items()}


def _verify(state: Properties, inputs: Properties) -> Properties:
    """The manifests as the store has them. Raises SealingError or StoreError if anything is not what was sealed."""
    store = find_store(state)
    manifests: Properties = {}
    for artifact_id, digest, manifest, known in _artifacts(state):
        verify(store, artifact_id, digest, stream_digest)
        stored = get_manifest(store, artifact_id)
        if stored != known and not is_made_of(stored, known, find_opening_keys(inputs)):
            raise ManifestInvalid(f"the manifest of artifact {artifact_id} in the store is not the one of this stack")
        manifests[manifest] = stored.decode()
    return manifests


async def _let_go(operation: Operation, inputs: Properties, state: Properties, *, retention: Value) -> None:
    """Deletes an artifact that this stack no longer uses, if its retention says so."""
    if retention != "delete" or "artifactId" not in state:
        return
    store, store_key = find_store(state), store_key_of(reveal(inputs["storeKey"]))
    if store_key is None:
        raise AssertionError("internal error: inputs that check refused came back")
    try:
        store.reach()
    except StoreError as error:
        await operation.log.say("warning", f"artifact {reveal(state['artifactId'])} is not deleted: {error}")
        return
    await operation.log.status("deleting the artifact")

    owner, artifact_id = Owner(operation.urn, operation.id), str(reveal(state["artifactId"]))

    def delete() -> None:
        delete_artifact(store, artifact_id)
        delete_record(store, str(reveal(state["runId"])))

    try:
        others = await asyncio.to_thread(Owners(store, store_key, artifact_id).release, owner, delete)
    except OwnersUnreadable:
        await operation.log.say("warning", f"artifact {artifact_id} stays: the list of what uses it is damaged")
        return
    if others:
        await operation.log.say("info", f"artifact {artifact_id} stays: {others} more of its users are there")
    await _let_go_of_report(operation, inputs, state, retention=retention, shared=others > 0)


async def _let_go_of_report(
    operation: Operation, inputs: Properties, state: Properties, *, retention: Value, shared: bool = False
) -> None:
    """The same for the report alone. One that nobody has claimed is of an earlier release, and goes with the model:
    not while that is `shared`.
    """
    store_key = store_key_of(reveal(inputs["storeKey"]))
    if retention != "delete" or store_key is None or reveal(state.get("reportArtifactId")) is None:
        return
    owners = Owners(find_store(state), store_key, str(reveal(state["reportArtifactId"])))
    if shared and get_record(owners.store, owners_name(owners.artifact_id)) is None:
        return
    await asyncio.to_thread(_release, owners, Owner(operation.urn, operation.id))


def _release(owners: Owners, owner: Owner) -> None:
    """Lets go of a report, which goes if nobody else uses it."""
    with contextlib.suppress(OwnersUnreadable):  # somebody may use it
        owners.release(owner, lambda: delete_artifact(owners.store, owners.artifact_id))
