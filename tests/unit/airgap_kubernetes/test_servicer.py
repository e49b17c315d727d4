"""The plugin as the engine sees it: real gRPC on one side, real HTTP to a little API server on the other."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import grpc.aio
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

from airgap.plugins.kubernetes.servicer import KubernetesServicer
from sealift.provider import UNKNOWN, EngineLog, Properties, Secret, from_struct, to_struct
from tests.unit.airgap_kubernetes.api_server import ApiServer, serving

URN: Final = "urn:pulumi:dev::p::kubernetes:core/v1:ConfigMap::settings"
JOB_URN: Final = "urn:pulumi:dev::p::kubernetes:batch/v1:Job::smoke"
PATH: Final = "/api/v1/namespaces/team/configmaps/settings-1"
JOB_PATH: Final = "/apis/batch/v1/namespaces/team/jobs/smoke-1"
CONFIG_MAP: Final[Properties] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings-1", "namespace": "team", "annotations": {"pulumi.com/autonamed": "true"}},
    "data": {"a": "1"},
}
JOB: Final[Properties] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "smoke-1", "namespace": "team"},
    "spec": {"backoffLimit": 0},
}
FAILED: Final = {"startTime": "t", "conditions": [{"type": "Failed", "status": "True", "reason": "R", "message": "M"}]}
COMPLETE: Final = {"startTime": "t", "succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
SECONDS: Final = 60
"""No test waits longer."""
Stub = provider_pb2_grpc.ResourceProviderStub
Work = Callable[[Stub], Awaitable[Any]]


class Log(engine_pb2_grpc.EngineServicer):
    """The engine's display."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def Log(self, request, context):  # type: ignore[no-untyped-def]  # noqa: N802
        self.lines.append(request.message)
        return empty_pb2.Empty()


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with serving() as server:
        yield server


@asynccontextmanager
async def plugin(kubeconfig: str, log: Log | None = None, **settings: str) -> AsyncIterator[Stub]:
    """A configured plugin, as the engine holds it."""
    engine = grpc.aio.server()
    engine_pb2_grpc.add_EngineServicer_to_server(log or Log(), engine)
    engine_port = engine.add_insecure_port("127.0.0.1:0")
    await engine.start()
    server = grpc.aio.server()
    provider = KubernetesServicer("1.0.0", EngineLog(f"127.0.0.1:{engine_port}"))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = Stub(channel)
            variables = {f"kubernetes:config:{k}": v for k, v in {"kubeconfig": kubeconfig, **settings}.items()}
            await stub.Configure(provider_pb2.ConfigureRequest(variables=variables))
            yield stub
    finally:
        await server.stop(None)
        await engine.stop(None)


def call(kubeconfig: str, work: Work, log: Log | None = None) -> Any:
    async def main() -> Any:
        async with plugin(kubeconfig, log) as stub:
            return await work(stub)

    return asyncio.run(main())


def create(urn: str, given: Properties, *, preview: bool = False, timeout: float = 0) -> Work:
    request = provider_pb2.CreateRequest(urn=urn, properties=to_struct(given), preview=preview, timeout=timeout)
    return lambda stub: stub.Create(request, timeout=SECONDS)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  it comes true in another thread
        await asyncio.sleep(0.01)


def made(api: ApiServer, urn: str = URN, given: Properties = CONFIG_MAP) -> Properties:
    return from_struct(call(api.kubeconfig, create(urn, given)).properties)


def test_it_says_whom_it_stands_in_for_once_per_configuration(api: ApiServer) -> None:
    log = Log()

    call(api.kubeconfig, create(URN, CONFIG_MAP), log)

    assert len([line for line in log.lines if "stand-in for the official plugin" in line]) == 1


def test_what_is_created_is_the_object_its_inputs_and_its_manager(api: ApiServer) -> None:
    response = call(api.kubeconfig, create(URN, CONFIG_MAP))

    state = from_struct(response.properties)
    assert response.id == "team/settings-1"
    assert state["data"] == {"a": "1"}
    assert state["metadata"]["uid"] == api.objects[PATH]["metadata"]["uid"]  # type: ignore[index,call-overload]
    assert state["__inputs"] == CONFIG_MAP
    assert state["__initialApiVersion"] == "v1"
    assert str(state["__fieldManager"]).startswith("pulumi-kubernetes-")


def test_secrets_reach_the_cluster_in_the_clear_and_the_state_as_secrets(api: ApiServer) -> None:
    response = call(api.kubeconfig, create(URN, CONFIG_MAP | {"data": {"a": Secret("hush")}}))

    state: Any = from_struct(response.properties)
    assert api.objects[PATH]["data"] == {"a": "hush"}
    assert state["data"] == state["__inputs"]["data"] == {"a": Secret("hush")}


def test_a_preview_asks_the_api_server_and_changes_nothing(api: ApiServer) -> None:
    response = call(api.kubeconfig, create(URN, CONFIG_MAP, preview=True))

    assert [request.query["dryRun"] for request in api.changes()] == ["All"]
    assert api.objects == {}
    assert response.id == ""
    assert from_struct(response.properties)["data"] == {"a": "1"}


def test_a_preview_with_unknown_values_is_what_the_program_says(api: ApiServer) -> None:
    given = CONFIG_MAP | {"data": UNKNOWN}

    response = call(api.kubeconfig, create(URN, given, preview=True))

    assert api.requests == []
    assert from_struct(response.properties) == given


def test_a_preview_passes_over_a_namespace_that_is_still_to_come(api: ApiServer) -> None:
    missing = {"reason": "NotFound", "message": 'namespaces "team" not found', "details": {"kind": "namespaces"}}
    api.errors.append((404, missing))

    assert from_struct(call(api.kubeconfig, create(URN, CONFIG_MAP, preview=True)).properties) == CONFIG_MAP


@pytest.mark.parametrize("code", [400, 422])
def test_a_preview_tells_what_the_api_server_will_refuse(api: ApiServer, code: int) -> None:
    api.errors.append((code, {"message": 'ConfigMap "settings-1" is invalid: data[a]: Too long'}))

    with pytest.raises(grpc.aio.AioRpcError, match="Too long"):
        call(api.kubeconfig, create(URN, CONFIG_MAP, preview=True))


def test_what_failed_to_become_ready_is_kept_with_the_reasons(api: ApiServer) -> None:
    api.status = FAILED

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        call(api.kubeconfig, create(JOB_URN, JOB))

    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    status = status_pb2.Status()
    status.ParseFromString(dict(caught.value.trailing_metadata() or ())["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert detail.id == "team/smoke-1"
    assert any("[R] M" in reason for reason in detail.reasons)
    assert from_struct(detail.properties)["__inputs"] == JOB


def test_an_awaited_object_may_be_left_to_itself(api: ApiServer) -> None:
    api.status = FAILED
    annotated: Properties = {"name": "smoke-1", "namespace": "team", "annotations": {"pulumi.com/skipAwait": "true"}}

    assert call(api.kubeconfig, create(JOB_URN, JOB | {"metadata": annotated})).id == "team/smoke-1"


def test_the_wait_ends_at_the_time_that_the_program_gives(api: ApiServer) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="timed out waiting to be Ready"):
        call(api.kubeconfig, create(JOB_URN, JOB, timeout=0.5))


def test_the_time_may_be_an_annotation(api: ApiServer) -> None:
    annotated: Properties = {"name": "smoke-1", "namespace": "team", "annotations": {"pulumi.com/timeoutSeconds": "1"}}

    with pytest.raises(grpc.aio.AioRpcError, match="timed out"):
        call(api.kubeconfig, create(JOB_URN, JOB | {"metadata": annotated}))


@pytest.mark.parametrize("annotations", [{}, {"pulumi.com/timeoutSeconds": str(SECONDS)}], ids=["program", "object"])
def test_what_becomes_ready_within_the_time_is_waited_for(api: ApiServer, annotations: Properties) -> None:
    async def become_ready(stub: Stub) -> Any:
        job = JOB | {"metadata": {"name": "smoke-1", "namespace": "team", "annotations": annotations}}
        waiting = asyncio.ensure_future(create(JOB_URN, job, timeout=0 if annotations else SECONDS)(stub))
        await until(lambda: sum(request.path == JOB_PATH for request in api.requests) >= 3)
        api.objects[JOB_PATH]["status"] = COMPLETE
        return await waiting

    assert call(api.kubeconfig, become_ready).id == "team/smoke-1"


def test_cancelling_ends_a_wait_and_keeps_what_is_there(api: ApiServer) -> None:
    async def cancel(stub: Stub) -> None:
        waiting = asyncio.ensure_future(create(JOB_URN, JOB)(stub))
        await until(lambda: JOB_PATH in api.objects)
        await stub.Cancel(empty_pb2.Empty())
        await waiting

    with pytest.raises(grpc.aio.AioRpcError, match="was cancelled") as caught:
        call(api.kubeconfig, cancel)

    assert "grpc-status-details-bin" in dict(caught.value.trailing_metadata() or ())


def test_creates_run_side_by_side(api: ApiServer) -> None:
    first, second = threading.Event(), threading.Event()
    api.delays.extend([first, second])

    async def both(stub: Stub) -> None:
        works = [
            asyncio.ensure_future(create(URN, CONFIG_MAP | {"metadata": {"name": name, "namespace": "team"}})(stub))
            for name in ("one", "two")
        ]
        await until(lambda: len(api.changes()) == 2)  # both are there before either is answered
        first.set()
        second.set()
        await asyncio.gather(*works)

    call(api.kubeconfig, lambda stub: asyncio.wait_for(both(stub), SECONDS))

    assert len(api.objects) == 2


@pytest.mark.parametrize("code", [429, 500, 503])
def test_what_may_pass_is_tried_again(api: ApiServer, code: int) -> None:
    api.errors.extend([(code, {"message": "later"})] * 2)

    assert call(api.kubeconfig, create(URN, CONFIG_MAP)).id == "team/settings-1"
    assert len(api.changes()) == 3


def test_an_object_that_is_there_already_is_not_taken_over(api: ApiServer) -> None:
    api.objects[PATH] = dict(CONFIG_MAP)

    with pytest.raises(grpc.aio.AioRpcError, match="already exists") as caught:
        call(api.kubeconfig, create(URN, CONFIG_MAP))

    assert "hint: " in str(caught.value.details())


def test_an_update_applies_under_the_resource_s_own_manager(api: ApiServer) -> None:
    state = made(api)
    news = CONFIG_MAP | {"data": {"a": "2"}}
    request = provider_pb2.UpdateRequest(
        id="team/settings-1", urn=URN, olds=to_struct(state), old_inputs=to_struct(CONFIG_MAP), news=to_struct(news)
    )

    response = call(api.kubeconfig, lambda stub: stub.Update(request))

    applied = api.changes()[-1]
    assert (applied.method, applied.path, applied.body["data"]) == ("PATCH", PATH, {"a": "2"})
    assert applied.query["fieldManager"] == state["__fieldManager"]
    after = from_struct(response.properties)
    assert (after["data"], after["__inputs"], after["__fieldManager"]) == ({"a": "2"}, news, state["__fieldManager"])


def test_an_update_of_what_somebody_deleted_says_the_way_out(api: ApiServer) -> None:
    state = made(api)
    api.objects.clear()
    request = provider_pb2.UpdateRequest(
        id="team/settings-1", urn=URN, olds=to_struct(state), news=to_struct(CONFIG_MAP)
    )

    with pytest.raises(grpc.aio.AioRpcError, match="pulumi refresh"):
        call(api.kubeconfig, lambda stub: stub.Update(request))


def read(state: Properties, inputs: Properties) -> Work:
    request = provider_pb2.ReadRequest(
        id="team/settings-1", urn=URN, properties=to_struct(state), inputs=to_struct(inputs)
    )
    return lambda stub: stub.Read(request)


def test_a_refresh_finds_drift_only_in_what_the_program_says(api: ApiServer) -> None:
    state = made(api)
    api.objects[PATH] |= {"data": {"a": "drift"}, "immutable": False}

    found = call(api.kubeconfig, read(state, CONFIG_MAP))

    assert found.id == "team/settings-1"
    assert from_struct(found.inputs) == CONFIG_MAP | {"data": {"a": "drift"}}
    assert from_struct(found.properties)["immutable"] is False


def test_a_refresh_of_what_is_gone_says_so(api: ApiServer) -> None:
    state = made(api)
    api.objects.clear()

    assert call(api.kubeconfig, read(state, CONFIG_MAP)).id == ""


def test_an_import_takes_what_a_program_would_have_to_say(api: ApiServer) -> None:
    made(api)

    found = call(api.kubeconfig, read({}, {}))

    assert from_struct(found.inputs) == CONFIG_MAP


def delete(state: Properties) -> Work:
    request = provider_pb2.DeleteRequest(id="team/settings-1", urn=URN, properties=to_struct(state), timeout=1)
    return lambda stub: stub.Delete(request)


def test_a_deletion_takes_along_what_belongs_to_the_object(api: ApiServer) -> None:
    state = made(api)

    call(api.kubeconfig, delete(state))

    assert api.objects == {}
    assert api.changes()[-1].body["propagationPolicy"] == "Foreground"


def test_what_is_gone_already_is_deleted(api: ApiServer) -> None:
    state = made(api)
    api.objects.clear()

    call(api.kubeconfig, delete(state))

    assert api.changes()[-1].method == "DELETE"


def test_a_deletion_that_gets_stuck_names_what_holds_it(api: ApiServer) -> None:
    state = made(api)
    api.objects[PATH]["metadata"]["finalizers"] = ["example.com/hold"]
    api.errors.append((200, api.objects[PATH]))
    log = Log()

    with pytest.raises(grpc.aio.AioRpcError, match=r"example\.com/hold"):
        call(api.kubeconfig, delete(state), log)

    assert "Resource scheduled for deletion" in log.lines


def test_without_a_cluster_the_error_says_where_it_looked_and_what_to_do(api: ApiServer) -> None:
    nowhere = api.kubeconfig.replace(api.url, "http://127.0.0.1:1")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        call(nowhere, create(URN, CONFIG_MAP))

    details = str(caught.value.details())
    assert "http://127.0.0.1:1" in details
    assert "hint: " in details


def test_without_a_cluster_a_preview_goes_on_with_a_warning(api: ApiServer) -> None:
    log = Log()
    nowhere = api.kubeconfig.replace(api.url, "http://127.0.0.1:1")

    response = call(nowhere, create(URN, CONFIG_MAP, preview=True), log)

    assert from_struct(response.properties) == CONFIG_MAP
    assert len([line for line in log.lines if "unreachable" in line]) == 1


@pytest.mark.parametrize(
    ("token", "given"),
    [
        ("kubernetes:core/v1:ConfigMapList", {"apiVersion": "v1", "kind": "ConfigMapList", "items": []}),
        ("kubernetes:core/v1:ConfigMapPatch", {"apiVersion": "v1", "kind": "ConfigMap"}),
        ("kubernetes:helm.sh/v3:Release", {"chart": "x"}),
    ],
)
def test_types_that_are_no_single_object_are_refused(api: ApiServer, token: str, given: Properties) -> None:
    request = provider_pb2.CheckRequest(urn=f"urn:pulumi:dev::p::{token}::x", news=to_struct(given))

    with pytest.raises(grpc.aio.AioRpcError, match=token):
        call(api.kubeconfig, lambda stub: stub.Check(request))


def test_a_diff_travels_with_its_kinds_and_reasons(api: ApiServer) -> None:
    state = made(api)
    news = CONFIG_MAP | {"data": {"a": "2", "b.c": "3"}}
    request = provider_pb2.DiffRequest(urn=URN, olds=to_struct(state), news=to_struct(news))

    found = call(api.kubeconfig, lambda stub: stub.Diff(request))

    kinds = {path: provider_pb2.PropertyDiff.Kind.Name(change.kind) for path, change in found.detailedDiff.items()}
    assert kinds == {"data.a": "UPDATE_REPLACE", 'data["b.c"]': "ADD_REPLACE"}
    assert sorted(found.replaces) == sorted(kinds)
    assert not found.deleteBeforeReplace
    assert found.hasDetailedDiff
