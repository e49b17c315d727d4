"""Pulumi's resource provider protocol for every Kubernetes type.

It has its own servicer because types are not classes here: one description of objects serves all of them.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from google.protobuf import empty_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from airgap.plugins.kubernetes import checkpoint, resource
from airgap.plugins.kubernetes.cluster import Cluster, unreachable
from airgap.plugins.kubernetes.configuration import Configuration, changed_settings, default_namespace
from airgap.plugins.kubernetes.diff import diff
from airgap.plugins.kubernetes.errors import ClusterUnreachable, NotSupported
from airgap.plugins.kubernetes.inputs import annotate_secrets, normalize, plain_inputs
from airgap.plugins.kubernetes.naming import adopt_or_assign_name, unique_name
from airgap.plugins.kubernetes.objects import Object, ObjectKind, dig
from airgap.plugins.kubernetes.resource import ObjectOperation
from sealift.provider import (
    EngineLog,
    PluginError,
    Properties,
    ResourceLog,
    answer,
    diff_message,
    fail,
    from_struct,
    name_of,
    reveal,
    to_struct,
    type_of,
)

STAND_IN: Final = (
    "kubernetes: this is Sealift's stand-in for the official plugin, which is not available here; it supports only "
    "single objects (no Helm, no YAML files)"
)
DELETE_UNREACHABLE: Final = (
    "if the cluster was deleted, remove its resources from the state: run the command again with "
    "PULUMI_K8S_DELETE_UNREACHABLE=true"
)
UNSERVED: Final = ("helm.sh", "kustomize", "yaml")


class KubernetesServicer(provider_pb2_grpc.ResourceProviderServicer):
    """The engine's view of a cluster."""

    def __init__(self, version: str, log: EngineLog, connect: Callable[[Configuration], Cluster] = Cluster) -> None:
        self._version = version
        self._log = log
        self._connect = connect
        self._configuration = Configuration()
        self._namespace = "default"
        self._connection: asyncio.Task[Cluster] | None = None
        self._cancelled = asyncio.Event()
        self._warned_unreachable = False
        self._failed_workloads: list[Object] = []

    async def Handshake(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, accept_outputs=False, supports_autonaming_configuration=True
        )

    async def GetPluginInfo(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        return plugin_pb2.PluginInfo(version=self._version)

    async def CheckConfig(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        changed, replaces = changed_settings(_plain(request.olds), _plain(request.news))
        response = provider_pb2.DiffResponse
        some = response.DIFF_SOME if changed else response.DIFF_NONE
        return response(changes=some, diffs=changed, replaces=replaces)

    async def Configure(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        self._configuration = await answer(context, _from_variables(dict(request.variables)))
        self._namespace = default_namespace(self._configuration)
        self._connection = asyncio.create_task(asyncio.to_thread(self._connect_configured))
        self._connection.add_done_callback(
            lambda task: task.exception()
        )  # the exception is handled when the cluster is needed
        await self._log.send("", "info", STAND_IN, ephemeral=False)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, supports_autonaming_configuration=True
        )

    async def Cancel(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        self._cancelled.set()
        return empty_pb2.Empty()

    async def Invoke(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        await fail(
            context, f"this stand-in for the kubernetes plugin does not support {request.tok}; the official plugin does"
        )

    async def Call(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        await fail(
            context, f"this stand-in for the kubernetes plugin does not support {request.tok}; the official plugin does"
        )

    async def Construct(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        await fail(
            context,
            f"this stand-in for the kubernetes plugin does not support {request.type}; the official plugin does",
        )

    async def Check(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        given = from_struct(request.news)
        kind = await answer(context, _served_kind(request.urn, given))
        try:
            name = automatic_name(request)
        except PluginError as error:
            failure = provider_pb2.CheckFailure(property="metadata.name", reason=str(error))
            return provider_pb2.CheckResponse(inputs=request.news, failures=[failure])
        # It is unknown here whether other kinds have a namespace.
        namespace = self._namespace if kind.is_built_in else self._configuration.namespace
        checked = check(given, plain_inputs(from_struct(request.olds)), name, namespace)
        return provider_pb2.CheckResponse(inputs=to_struct(checked))

    async def Diff(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        old_inputs, live = checkpoint.parse(from_struct(request.olds))
        found = diff(
            old_inputs,
            live,
            _plain(request.news),
            ignored=tuple(request.ignoreChanges),
            mutable_config_maps=self._configuration.mutable_config_maps,
            mutable_secrets=self._configuration.mutable_secrets,
        )
        return diff_message(found)

    async def Create(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        cluster = await self._cluster(request, context)
        if cluster is None:
            return provider_pb2.CreateResponse(properties=request.properties)
        made = await answer(
            context, resource.create(self._operation(request, cluster), from_struct(request.properties))
        )
        return provider_pb2.CreateResponse(id=made.id, properties=to_struct(made.state))

    async def Update(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        cluster = await self._cluster(request, context)
        if cluster is None:
            return provider_pb2.UpdateResponse(properties=request.news)
        olds, news = from_struct(request.olds), from_struct(request.news)
        operation = self._operation(request, cluster)
        state = await answer(context, resource.update(operation, olds, news, list(request.ignoreChanges)))
        return provider_pb2.UpdateResponse(properties=to_struct(state))

    async def Read(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        try:
            cluster = await self._connected()
        except ClusterUnreachable as problem:
            if self._configuration.delete_unreachable:
                return provider_pb2.ReadResponse()
            if self._configuration.skip_update_unreachable:
                return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
            await fail(context, f"{problem}\n{DELETE_UNREACHABLE}")
        given, state = from_struct(request.inputs), from_struct(request.properties)
        kind = _kind(request.urn, plain_inputs(state))
        found = await answer(context, resource.read(self._operation(request, cluster), kind, request.id, given, state))
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=request.id, properties=to_struct(found.state), inputs=to_struct(found.inputs)
        )

    async def Delete(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        try:
            cluster = await self._connected()
        except ClusterUnreachable as problem:
            if self._configuration.delete_unreachable:
                return empty_pb2.Empty()
            await fail(context, f"{problem}\n{DELETE_UNREACHABLE}")
        state = from_struct(request.properties)
        kind = _kind(request.urn, plain_inputs(state))
        await answer(context, resource.delete(self._operation(request, cluster), kind, request.id, state))
        return empty_pb2.Empty()

    async def _cluster(self, request, context) -> Cluster | None:  # type: ignore[no-untyped-def]
        """Returns the cluster, or None in a preview without one, which continues with the inputs after a warning."""
        try:
            return await self._connected()
        except ClusterUnreachable as problem:
            if not request.preview:
                await fail(context, str(problem))
            if not self._warned_unreachable:
                self._warned_unreachable = True
                await self._log.send(
                    "", "warning", f"{problem}\nthis preview does not contain values from the cluster", ephemeral=False
                )
            return None

    async def _connected(self) -> Cluster:
        if self._connection is None:
            raise unreachable("no cluster", "the provider was never configured")
        return await asyncio.shield(self._connection)

    def _connect_configured(self) -> Cluster:
        if self._configuration.kubeconfig == rpc.UNKNOWN:
            raise unreachable("the provider's kubeconfig", "its value is not known before the update")
        return self._connect(self._configuration)

    def _operation(self, request, cluster: Cluster) -> ObjectOperation:  # type: ignore[no-untyped-def]
        log = ResourceLog(self._log, request.urn)
        return ObjectOperation(
            urn=request.urn,
            cluster=cluster,
            configuration=self._configuration,
            show=log.status,
            cancelled=self._cancelled,
            requested_seconds=getattr(request, "timeout", 0.0),
            preview=getattr(request, "preview", False),
            failed_workloads=self._failed_workloads,
        )


def check(given: Properties, old_inputs: Object, name: str, namespace: str) -> Properties:
    """Returns the inputs for the cluster: normalized, with name and namespace, and with the same secrets.

    `name` is for a resource without a name, `namespace`, unless "", for one without a namespace.
    """
    inputs = normalize(plain_inputs(given))
    adopt_or_assign_name(inputs, old_inputs, name)
    metadata = inputs.get("metadata")
    if (
        namespace
        and isinstance(metadata, dict)
        and not metadata.get("namespace")
        and ObjectKind.of(inputs).is_namespaced
    ):
        metadata["namespace"] = namespace
    annotate_secrets(inputs, given)
    return inputs


def automatic_name(request: Any) -> str:
    """Returns the automatic name by the engine's naming rules. Raises PluginError if they forbid automatic names."""
    options = provider_pb2.CheckRequest.AutonamingOptions
    if request.HasField("autonaming"):
        if request.autonaming.mode != options.DISABLE:
            return str(request.autonaming.proposed_name)
        if not dig(_plain(request.news), "metadata", "name"):
            raise PluginError("automatic naming is turned off, so .metadata.name must be set")
    return unique_name(name_of(request.urn) + "-", request.randomSeed)


async def _from_variables(variables: dict[str, str]) -> Configuration:
    return Configuration.from_variables(variables)


async def _served_kind(urn: str, given: Properties) -> ObjectKind:
    """Returns the kind of a type. Raises NotSupported for types that are not single objects."""
    token = type_of(urn)
    kind = ObjectKind.from_token(token)
    if kind.name.endswith("List") and "items" in given:
        raise NotSupported(
            f"{token}: list resources exist for compatibility with YAML manifests and cannot be created",
            "create the objects of the list one by one",
        )
    if kind.name.endswith("Patch") and reveal(given.get("kind")) == kind.name.removesuffix("Patch"):
        raise NotSupported(
            f"{token}: this stand-in for the kubernetes plugin does not support patch resources",
            "manage the whole object, or use the official plugin",
        )
    if kind.group.startswith(UNSERVED) or kind.api_version.startswith(UNSERVED):
        raise NotSupported(
            f"{token}: this stand-in for the kubernetes plugin supports only single objects",
            "write the objects as resources, or use the official plugin",
        )
    return kind


def _kind(urn: str, state: Object) -> ObjectKind:
    """Returns the kind in the state, otherwise that of the type (an import)."""
    of_state = ObjectKind.of(state)
    return of_state if of_state.api_version and of_state.name else ObjectKind.from_token(type_of(urn))


def _plain(struct: Any) -> Object:
    return plain_inputs(from_struct(struct))
