"""A plugin made of sealift/provider/ alone, as the engine sees it: by gRPC."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
import grpc.aio
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sealift.provider import (
    UNKNOWN,
    CheckFailure,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    EngineLog,
    PluginError,
    Properties,
    ReadRequest,
    ReadResponse,
    ResourceServicer,
    UpdateRequest,
    UpdateResponse,
    changed_inputs,
    detail_diff,
    from_struct,
    random_id,
    to_struct,
)

URN: Final = "urn:pulumi:dev::p::example:index:Parent$example:index:Door::front"
NEVER_CALLED: Final = "127.0.0.1:1"
Stub = provider_pb2_grpc.ResourceProviderStub


class Door:
    """Its colour can be changed, its width cannot."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        missing = [] if "width" in request.new_inputs else [CheckFailure("width", "is required")]
        return CheckResponse({"colour": "white", **request.new_inputs}, missing)

    def diff(self, request: DiffRequest) -> DiffResponse:
        return DiffResponse(detail_diff(changed_inputs(request.old_inputs, request.new_inputs), replaces={"width"}))

    async def create(self, request: CreateRequest) -> CreateResponse:
        if request.inputs["width"] == 0:
            raise PluginError("nobody fits through", "make it wider")
        if request.inputs["width"] == 1:
            raise FileNotFoundError("no hinges")
        return CreateResponse(random_id(request), request.inputs | {"key": UNKNOWN if request.preview else "k"})

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        return UpdateResponse(request.state | request.new_inputs)

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        return None if request.id == "gone" else ReadResponse(request.inputs, request.state)

    async def delete(self, request: DeleteRequest) -> None: ...


def call(work: Callable[[Stub], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        server = grpc.aio.server()
        servicer = ResourceServicer(
            {"example:index:Door": Door()}, "1.0.0", EngineLog(NEVER_CALLED), user_errors=(FileNotFoundError,)
        )
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                return await work(Stub(channel))
        finally:
            await server.stop(None)

    return asyncio.run(main())


def create(width: int, *, preview: bool = False, urn: str = URN) -> Any:
    request = provider_pb2.CreateRequest(urn=urn, properties=to_struct({"width": width}), preview=preview)
    return call(lambda stub: stub.Create(request))


def test_a_check_completes_the_inputs_and_names_what_is_wrong() -> None:
    """The engine would quote the value of a property, so the property is part of the reason."""
    checked = call(lambda stub: stub.Check(provider_pb2.CheckRequest(urn=URN, news=to_struct({}))))

    assert from_struct(checked.inputs) == {"colour": "white"}
    assert [(failure.property, failure.reason) for failure in checked.failures] == [("", "width is required")]


def test_a_diff_says_what_changed_and_what_of_it_replaces() -> None:
    olds: Properties = {"colour": "white", "width": 80}
    news: Properties = {"colour": "red", "width": 90}
    request = provider_pb2.DiffRequest(urn=URN, old_inputs=to_struct(olds), news=to_struct(news))

    found = call(lambda stub: stub.Diff(request))

    kinds = {path: provider_pb2.PropertyDiff.Kind.Name(change.kind) for path, change in found.detailedDiff.items()}
    assert kinds == {"colour": "UPDATE", "width": "UPDATE_REPLACE"}
    assert (list(found.diffs), list(found.replaces)) == (["colour", "width"], ["width"])


def test_what_is_to_be_ignored_is_no_difference() -> None:
    olds, news = {"colour": "white"}, {"colour": "red"}
    request = provider_pb2.DiffRequest(
        urn=URN, old_inputs=to_struct(olds), news=to_struct(news), ignoreChanges=["colour"]
    )

    assert call(lambda stub: stub.Diff(request)).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_preview_has_no_id_and_leaves_open_what_nobody_knows_yet() -> None:
    previewed, made = create(80, preview=True), create(80)

    assert (previewed.id, from_struct(previewed.properties)["key"]) == ("", UNKNOWN)
    assert (made.id.startswith("front-"), from_struct(made.properties)["key"]) == (True, "k")


@pytest.mark.parametrize(
    ("width", "message"), [(0, "nobody fits through\nhint: make it wider"), (1, "no hinges")], ids=["ours", "a library"]
)
def test_an_error_for_the_user_is_its_message_alone(width: int, message: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        create(width)

    assert caught.value.details() == message


def test_a_resource_that_is_gone_has_no_id() -> None:
    gone, there = (
        call(lambda stub, i=identity: stub.Read(provider_pb2.ReadRequest(id=i, urn=URN)))  # type: ignore[misc]
        for identity in ("gone", "front-1")
    )

    assert (gone.id, there.id) == ("", "front-1")


def test_an_unknown_type_is_told_with_those_there_are() -> None:
    with pytest.raises(grpc.aio.AioRpcError, match=r"example:index:Window is not .* allowed: example:index:Door"):
        create(80, urn="urn:pulumi:dev::p::example:index:Window::left")
