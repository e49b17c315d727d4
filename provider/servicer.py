"""Answers the engine: one gRPC service that dispatches by resource type to custom resources.

It stands on the engine's own protocol rather than on `pulumi.provider.experimental`, which puts a Python traceback
into every error and has no way to see the old inputs in a diff. Components of other languages (Construct) are not
served.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from provider import property_path
from provider.engine_log import EngineLog, ResourceLog
from provider.errors import PluginError
from provider.resource import Change, Check, CustomResource, Difference, Operation, State, name_of
from provider.values import from_struct, reveal_all, to_struct

PropertyDiff = provider_pb2.PropertyDiff
T = TypeVar("T")


class ResourceServicer(provider_pb2_grpc.ResourceProviderServicer):
    """The engine's view of some custom resources, by type token.

    A resource's PluginError is told as its message alone; so are the `user_errors` of the libraries that it stands on.
    """

    def __init__(
        self,
        resources: Mapping[str, CustomResource],
        version: str,
        log: EngineLog,
        user_errors: Sequence[type[Exception]] = (),
    ) -> None:
        self._resources = resources
        self._version = version
        self._log = log
        self._user_errors: tuple[type[Exception], ...] = (PluginError, *user_errors)
        self._cancelled = asyncio.Event()

    async def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=False)

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        return plugin_pb2.PluginInfo(version=self._version)

    async def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=False
        )

    async def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        self._cancelled.set()
        return empty_pb2.Empty()

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        checked = await self._answer(
            context,
            resource.check(
                Check(name_of(request.urn), request.randomSeed), from_struct(request.olds), from_struct(request.news)
            ),
        )
        return provider_pb2.CheckResponse(
            inputs=to_struct(checked.inputs),
            failures=[provider_pb2.CheckFailure(property=f.property, reason=f.reason) for f in checked.failures],
        )

    async def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        olds, news = reveal_all(from_struct(request.old_inputs)), reveal_all(from_struct(request.news))
        for path in request.ignoreChanges:
            news = property_path.restored_properties(olds, news, path)
        return _diff_response(resource.diff(olds, news))

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        operation = self._operation(request, preview=request.preview)
        created = await self._answer(context, resource.create(operation, from_struct(request.properties)))
        return provider_pb2.CreateResponse(id=created.id, properties=to_struct(created.outputs))

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        old_inputs, old_outputs = from_struct(request.old_inputs), from_struct(request.olds)
        operation = self._operation(request, preview=request.preview)
        updating = resource.update(operation, old_inputs, old_outputs, from_struct(request.news))
        outputs = await self._answer(context, updating)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    async def Read(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        state = State(from_struct(request.inputs), from_struct(request.properties))
        read = await self._answer(context, resource.read(self._operation(request, preview=False), request.id, state))
        if read is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=request.id, properties=to_struct(read.outputs), inputs=to_struct(read.inputs)
        )

    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        inputs, outputs = from_struct(request.old_inputs), from_struct(request.properties)
        await self._answer(context, resource.delete(self._operation(request, preview=False), inputs, outputs))
        return empty_pb2.Empty()

    async def _resource(self, request: Any, context: Any) -> CustomResource:
        token = request.urn.split("::")[2].split("$")[-1]
        if token not in self._resources:
            await _fail(
                context, f"{token} is not a resource of this plugin; it has {', '.join(sorted(self._resources))}"
            )
        return self._resources[token]

    def _operation(self, request: Any, *, preview: bool) -> Operation:
        return Operation(
            urn=request.urn,
            id=getattr(request, "id", ""),
            log=ResourceLog(self._log, request.urn),
            preview=preview,
            timeout_seconds=getattr(request, "timeout", 0.0),
            cancelled=self._cancelled,
        )

    async def _answer(self, context: grpc.aio.ServicerContext, work: Awaitable[T]) -> T:
        """The result of `work`; a mistake or a failure that a user can mend becomes its message alone, without a
        traceback.
        """
        try:
            return await work
        except self._user_errors as error:
            await _fail(context, str(error))


async def _fail(context: grpc.aio.ServicerContext, message: str) -> NoReturn:
    await context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("internal error: abort returned")


def _diff_response(difference: Difference) -> provider_pb2.DiffResponse:
    def kind(path: str, change: Change) -> provider_pb2.PropertyDiff:
        name = change.upper() + ("_REPLACE" if path in difference.replaces else "")
        return PropertyDiff(kind=PropertyDiff.Kind.Value(name), inputDiff=difference.of_inputs)

    some = provider_pb2.DiffResponse.DIFF_SOME
    reasons = difference.changed if difference.with_reasons else ()
    return provider_pb2.DiffResponse(
        changes=some if difference.changed else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=list(dict.fromkeys(map(property_path.input_of, reasons))),
        replaces=difference.replaces,
        detailedDiff={path: kind(path, change) for path, change in difference.changed.items()},
        hasDetailedDiff=True,
        deleteBeforeReplace=difference.delete_before_replace,
    )
