"""One Kubernetes object as a Pulumi resource: create, update, read, delete, each with its preview and its wait.

The cluster gets and returns plain JSON. Secrets and unknowns are only in `given`, the inputs from the engine.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from airgap.plugins.kubernetes import checkpoint
from airgap.plugins.kubernetes.cluster import Cluster
from airgap.plugins.kubernetes.configuration import Configuration
from airgap.plugins.kubernetes.errors import ApiRefusal, InitializationFailed
from airgap.plugins.kubernetes.field_managers import must_force, takeover_patch
from airgap.plugins.kubernetes.inputs import normalize, plain_inputs, prune
from airgap.plugins.kubernetes.naming import CREATION_MANAGER, field_manager
from airgap.plugins.kubernetes.objects import (
    DELETION_PROPAGATION,
    SKIP_AWAIT,
    Object,
    ObjectKind,
    annotation,
    name_of,
    namespace_of,
    qualified_name,
    split_id,
)
from airgap.plugins.kubernetes.waiting import Show, Wait, one_look, timeout_seconds, until_gone, until_ready
from sealift.property_path import Key, parse_path
from sealift.provider import (
    CreateResponse,
    PluginError,
    Properties,
    ReadResponse,
    ResourceInitFailed,
    has_unknown,
)

TAKEOVER_ATTEMPTS: Final = 5
NEW_KIND_PAUSES_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 4.0)  # until a new CustomResourceDefinition is served
PROPAGATION: Final = {"orphan": "Orphan", "background": "Background"}
ALREADY_THERE: Final = (
    "if the object belongs to this stack, import it with `pulumi import`; if the resource was renamed in the program, "
    "add an alias; otherwise delete the object or choose another name"
)
GONE: Final = (
    "the object was deleted without pulumi; `pulumi refresh` removes it from the state, and the next `pulumi up` "
    "creates it again"
)
NOT_INPUTS: Final = ("status",)
CLUSTER_METADATA: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
CLUSTER_ANNOTATIONS: Final = (
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)
# Kinds whose deletion the official plugin does not wait for under skipAwait.
UNAWAITED_DELETION: Final = frozenset({"DaemonSet", "Deployment", "Job", "Namespace", "Pod", "StatefulSet"})


@dataclass(frozen=True)
class ObjectOperation:
    """Context of an operation on one resource."""

    urn: str
    cluster: Cluster
    configuration: Configuration
    show: Show
    cancelled: asyncio.Event
    requested_seconds: float = 0.0
    preview: bool = False
    failed_workloads: list[Object] = field(default_factory=list)
    """Failed workloads, shared by all operations (Wait)."""

    def wait(self, inputs: Object) -> Wait:
        seconds = timeout_seconds(self.requested_seconds, inputs)
        return Wait(self.cluster, self.show, self.cancelled, seconds, self.failed_workloads)


async def create(operation: ObjectOperation, given: Properties) -> CreateResponse:
    """Creates an object. Raises PluginError if the API server refuses it, ResourceInitFailed if it does not become
    ready.
    """
    inputs = plain_inputs(given)
    cluster = operation.cluster
    if operation.preview and (has_unknown(given) or not await asyncio.to_thread(cluster.knows, ObjectKind.of(inputs))):
        return CreateResponse("", given)
    manager = field_manager(inputs, "")

    def state(live: Object) -> Properties:
        return checkpoint.outputs(inputs, live, given, str(inputs.get("apiVersion")), manager)

    try:
        live = await asyncio.to_thread(_create, operation, inputs, manager)
    except ApiRefusal as refusal:
        if operation.preview and (refusal.is_missing or refusal.already_exists or refusal.code == 403):
            return CreateResponse("", given)  # a dependency does not exist yet, or a dry run is not allowed
        message = f'resource "{operation.urn}" was not successfully created by the Kubernetes API server: {refusal}'
        raise PluginError(message, ALREADY_THERE if refusal.already_exists else "") from refusal
    if operation.preview:
        return CreateResponse("", {key: value for key, value in state(live).items() if key != "status"})
    try:
        live = await until_ready(operation.wait(inputs), inputs, live)
    except InitializationFailed as failure:
        message = (
            f'resource "{operation.urn}" was successfully created, but the Kubernetes API server reported that it '
            f"failed to fully initialize or become live: {failure.message}"
        )
        identity = qualified_name(failure.live)
        raise ResourceInitFailed(message, identity, state(failure.live), failure.reasons) from failure
    return CreateResponse(qualified_name(live), state(live))


async def update(
    operation: ObjectOperation, old_state: Properties, given: Properties, ignored: Sequence[str] = ()
) -> Properties:
    """Updates an object and returns the new state. Raises ApiRefusal if the API server refuses the change,
    ResourceInitFailed if the object does not become ready.
    """
    inputs = normalize(plain_inputs(given))
    cluster = operation.cluster
    if operation.preview and (has_unknown(given) or not await asyncio.to_thread(cluster.knows, ObjectKind.of(inputs))):
        return given
    old_inputs, old_live = checkpoint.parse(old_state)
    version = checkpoint.initial_api_version(old_state, str(old_inputs.get("apiVersion") or inputs.get("apiVersion")))
    manager = field_manager(inputs, checkpoint.remembered_manager(old_state))

    def state(live: Object) -> Properties:
        return checkpoint.outputs(inputs, live, given, version, manager)

    try:
        before, live = await asyncio.to_thread(_apply, operation, inputs, name_of(old_live), manager, ignored)
    except ApiRefusal as refusal:
        if operation.preview and refusal.code == 403:
            return given
        if refusal.is_missing:
            raise PluginError(f'update of resource "{operation.urn}" failed: {refusal}', GONE) from refusal
        raise
    if operation.preview:
        return state(live)
    try:
        return state(await until_ready(operation.wait(inputs), inputs, live, before))
    except InitializationFailed as failure:
        identity = qualified_name(failure.live)
        message = (
            f'the Kubernetes API server reported that "{identity}" failed to fully initialize or become live: '
            f"{failure.message}"
        )
        raise ResourceInitFailed(message, identity, state(failure.live), failure.reasons) from failure


async def read(
    operation: ObjectOperation, kind: ObjectKind, identity: str, given: Properties, state: Properties
) -> ReadResponse | None:
    """Reads the object and the inputs that correspond to it. Returns None if it does not exist.

    Raises ResourceInitFailed if it is not ready. Without known inputs (an import), all fields are inputs except those
    that the cluster fills in.
    """
    namespace, name = split_id(identity)
    old_inputs = normalize(plain_inputs(given))
    try:
        live = await asyncio.to_thread(operation.cluster.get, kind, namespace, name)
    except ApiRefusal as refusal:
        if refusal.is_missing:
            return None
        raise
    failure = None
    if given:
        try:
            live = await one_look(operation.cluster, operation.show, old_inputs, live)
        except ApiRefusal as refusal:
            if refusal.is_missing:
                return None
            raise
        except InitializationFailed as problem:
            failure, live = problem, problem.live
    inputs = prune(live, old_inputs) if given else importable(live)
    manager = field_manager(old_inputs, checkpoint.remembered_manager(state))
    version = checkpoint.initial_api_version(state, str(live.get("apiVersion")))
    found = checkpoint.outputs(inputs, live, given, version, manager)
    secret_inputs: Properties = checkpoint.outputs(inputs, inputs, given, version, manager)[checkpoint.INPUTS]  # type: ignore[assignment]
    if failure is not None:
        raise ResourceInitFailed(failure.message, identity, found, failure.reasons, secret_inputs) from failure
    return ReadResponse(secret_inputs, found)


def importable(live: Object) -> Object:
    """Returns the inputs with which a program would create this object."""
    inputs = {key: value for key, value in live.items() if key not in NOT_INPUTS}
    metadata = {key: value for key, value in live.get("metadata", {}).items() if key not in CLUSTER_METADATA}
    if isinstance(metadata.get("annotations"), dict):
        kept = {key: value for key, value in metadata["annotations"].items() if key not in CLUSTER_ANNOTATIONS}
        metadata["annotations"] = kept
        if not kept:
            del metadata["annotations"]
    return inputs | {"metadata": metadata}


async def delete(operation: ObjectOperation, kind: ObjectKind, identity: str, state: Properties) -> None:
    """Deletes the object and waits until it and its dependents are gone. A missing object is no error."""
    inputs, live = checkpoint.parse(state)
    namespace, name = split_id(identity)
    propagation = PROPAGATION.get(annotation(inputs, DELETION_PROPAGATION).lower(), "Foreground")
    try:
        await asyncio.to_thread(operation.cluster.delete, kind, namespace, name, propagation=propagation)
    except ApiRefusal as refusal:
        if refusal.is_missing:
            return
        raise
    if annotation(inputs, SKIP_AWAIT) == "true" and kind.name in UNAWAITED_DELETION:
        return
    live = live | {"apiVersion": kind.api_version, "kind": kind.name}
    live["metadata"] = {**live.get("metadata", {}), "name": name, "namespace": namespace}
    try:
        await until_gone(operation.wait(inputs), live)
    except InitializationFailed as failure:
        raise PluginError("; ".join([failure.message, *failure.reasons])) from failure


def _create(operation: ObjectOperation, inputs: Object, manager: str) -> Object:
    cluster, preview = operation.cluster, operation.preview
    kind = ObjectKind.of(inputs)
    for pause in NEW_KIND_PAUSES_SECONDS:
        if kind.is_built_in or cluster.knows(kind):
            break
        time.sleep(pause)
        cluster.forget(kind)
    if operation.configuration.upsert:
        return cluster.apply(inputs, manager=manager, force=preview or _always_force(operation), dry_run=preview)
    return cluster.create(inputs, manager=CREATION_MANAGER, dry_run=preview)


def _apply(
    operation: ObjectOperation, inputs: Object, name: str, manager: str, ignored: Sequence[str]
) -> tuple[Object, Object]:
    """Applies the inputs and returns the object before and after. A preview changes nothing."""
    cluster, preview = operation.cluster, operation.preview
    kind, namespace = ObjectKind.of(inputs), namespace_of(inputs)
    before = live = cluster.get(kind, namespace, name)
    if not preview:
        for attempt in range(TAKEOVER_ATTEMPTS):
            patch = takeover_patch(live, manager)
            if not patch:
                break
            try:
                live = cluster.json_patch(kind, namespace, name, patch)
            except ApiRefusal as refusal:
                if refusal.code != 409 or attempt == TAKEOVER_ATTEMPTS - 1:
                    raise
                live = cluster.get(kind, namespace, name)
    applied = keep_ignored(inputs, live, ignored)
    force = must_force(applied, live, preview=preview, always=_always_force(operation))
    return before, cluster.apply(applied, manager=manager, force=force, dry_run=preview)


def keep_ignored(inputs: Object, live: Object, ignored: Sequence[str]) -> Object:
    """Returns the inputs with the cluster's values in the fields of ignoreChanges, whoever set them."""
    result: Object = inputs
    for path in ignored:
        with contextlib.suppress(KeyError, IndexError, TypeError):
            result = _replace(result, live, parse_path(path))
    return result


def _replace(inputs: Any, live: Any, path: Sequence[Key]) -> Any:
    head, *rest = path
    value = _replace(inputs[head], live[head], rest) if rest else live[head]
    if isinstance(inputs, list):
        return [value if index == head else item for index, item in enumerate(inputs)]
    return {**inputs, head: value}


def _always_force(operation: ObjectOperation) -> bool:
    return operation.configuration.patch_force
