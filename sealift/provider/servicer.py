"""The gRPC service that the engine calls. It dispatches to custom resources by resource type.

It implements the engine's own protocol and does not use `pulumi.provider.experimental`, which puts a Python traceback
into every error and does not give a diff the old inputs.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

import grpc.aio
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sealift.property_path import parse_path
from sealift.provider import ignored_changes
from sealift.provider.answer import answer, fail
from sealift.provider.construct import Constructor, MakeComponent
from sealift.provider.engine_log import EngineLog, ResourceLog
from sealift.provider.messages import (
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    PropertyDiff,
    ReadRequest,
    UpdateRequest,
)
from sealift.provider.resource import CustomResource, type_of
from sealift.provider.values import from_struct, reveal_all, to_struct

T = TypeVar("T")


class ResourceServicer(provider_pb2_grpc.ResourceProviderServicer):
    """The service over custom resources, by type token.

    A resource's PluginError is shown as its message alone. So are the `user_errors` of the libraries that it uses.
    """

    def __init__(
        self,
        resources: Mapping[str, CustomResource],
        version: str,
        log: EngineLog,
        user_errors: tuple[type[Exception], ...] = (),
        *,
        schema: str = "",
        components: Mapping[str, MakeComponent] | None = None,
    ) -> None:
        """`schema` is the package's schema as JSON. `components` are those that programs in other languages can use."""
        self._schema = schema
        self._constructor = Constructor(components or {}, log.address, resources)
        self._resources = resources
        self._version = version
        self._log = log
        self._user_errors = user_errors
        self._cancelled = asyncio.Event()

    async def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=False)

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        return plugin_pb2.PluginInfo(version=self._version)

    async def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        return provider_pb2.GetSchemaResponse(schema=self._schema or "{}")

    async def Construct(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        return await self._answer(context, self._constructor.construct(request, context))

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
        asked = CheckRequest(request.urn, from_struct(request.olds), from_struct(request.news), request.randomSeed)
        checked = await self._answer(context, resource.check(asked))
        return provider_pb2.CheckResponse(
            inputs=to_struct(checked.inputs),
            failures=[provider_pb2.CheckFailure(reason=str(failure)) for failure in checked.failures],
        )

    async def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        olds, news = reveal_all(from_struct(request.old_inputs)), reveal_all(from_struct(request.news))
        for path in request.ignoreChanges:
            news = ignored_changes.restore_properties(olds, news, path)
        state = reveal_all(from_struct(request.olds))
        return diff_message(resource.diff(DiffRequest(olds, news, request.id, state)))

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        inputs = from_struct(request.properties)
        created = await self._answer(context, resource.create(CreateRequest(inputs=inputs, **self._operation(request))))
        return provider_pb2.CreateResponse(id=created.id, properties=to_struct(created.state))

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        asked = UpdateRequest(
            old_inputs=from_struct(request.old_inputs),
            state=from_struct(request.olds),
            new_inputs=from_struct(request.news),
            **self._operation(request),
        )
        updated = await self._answer(context, resource.update(asked))
        return provider_pb2.UpdateResponse(properties=to_struct(updated.state))

    async def Read(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        inputs, state = from_struct(request.inputs), from_struct(request.properties)
        asked = ReadRequest(inputs=inputs, state=state, **self._operation(request))
        read = await self._answer(context, resource.read(asked))
        if read is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=to_struct(read.state), inputs=to_struct(read.inputs))

    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        resource = await self._resource(request, context)
        inputs, state = from_struct(request.old_inputs), from_struct(request.properties)
        asked = DeleteRequest(inputs=inputs, state=state, **self._operation(request))
        await self._answer(context, resource.delete(asked))
        return empty_pb2.Empty()

    async def _resource(self, request: Any, context: Any) -> CustomResource:
        token = type_of(request.urn)
        if token not in self._resources:
            await fail(
                context, f"{token} is not a resource of this plugin; allowed: {', '.join(sorted(self._resources))}"
            )
        return self._resources[token]

    def _operation(self, request: Any) -> dict[str, Any]:
        """Returns the fields of an Operation. Not every call of the engine has all of them."""
        return {
            "urn": request.urn,
            "id": getattr(request, "id", ""),
            "log": ResourceLog(self._log, request.urn),
            "preview": getattr(request, "preview", False),
            "timeout_seconds": getattr(request, "timeout", 0.0),
            "cancelled": self._cancelled,
        }

    async def _answer(self, context: grpc.aio.ServicerContext, work: Awaitable[T]) -> T:
        return await answer(context, work, self._user_errors)


def diff_message(response: DiffResponse) -> provider_pb2.DiffResponse:
    """Returns the protocol's message for this response."""
    changed = response.detailed_diff
    reasons = changed if response.with_reasons else ()
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=list(dict.fromkeys(str(parse_path(path)[0]) for path in reasons)),
        replaces=response.replaces,
        detailedDiff={path: _property_diff(change) for path, change in changed.items()},
        hasDetailedDiff=True,
        deleteBeforeReplace=response.delete_before_replace,
    )


def _property_diff(change: PropertyDiff) -> provider_pb2.PropertyDiff:
    kind = provider_pb2.PropertyDiff.Kind.Value(change.kind.upper() + ("_REPLACE" if change.replaces else ""))
    return provider_pb2.PropertyDiff(kind=kind, inputDiff=change.input_diff)
