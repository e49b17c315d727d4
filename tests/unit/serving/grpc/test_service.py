"""A server on a port of this machine, asked by grpcio's client: every call, every status, every datatype."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import grpc
import numpy as np
import pytest
from onnx import TensorProto, helper

from sealift.serving.access import Access, Scope, UncheckedAccess
from sealift.serving.batches import Watch
from sealift.serving.errors import Forbidden, Overloaded, RequestError, StartError, TooManyRequests, Unauthenticated
from sealift.serving.grpc.guard import CODES, STATUS
from sealift.serving.grpc.messages import CLASSES
from sealift.serving.grpc.requests import CONTENTS
from sealift.serving.grpc.transport import LINGER_SECONDS, GrpcTransport
from sealift.serving.memory_budget import MemoryBudget
from sealift.serving.model import Model
from sealift.serving.protocol import binary_tensors
from sealift.serving.protocol.open_inference_statistics import statistics
from sealift.serving.served import Served
from sealift.serving.tensor import KINDS, Array
from tests.unit.serving import described
from tests.unit.serving.protocol.test_datatypes import EXTREMES, ONNX
from tests.unit.serving.sockets import SECONDS
from tests.unit.serving.tiny import DESCRIPTION, onnx_model

Ask = Callable[..., Awaitable[Any]]
Run = Callable[[Mapping[str, Array], Watch | None], Coroutine[Any, Any, Mapping[str, Array]]]


class Doorkeeper:
    """Lets in whoever says "key", and notes what for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def admit(self, credential: bytes | None, scope: Scope, _now: float) -> str:
        self.scopes.append(scope)
        match credential:
            case b"key":
                return "caller"
            case b"other":
                raise Forbidden("caller", scope)
            case b"often":
                raise TooManyRequests("caller", 1)
        raise Unauthenticated("who is this?")

    def refresh(self, _now: float) -> None: ...


def served(
    model: Model,
    access: Access | None = None,
    *,
    run: Run | None = None,
    memory: MemoryBudget | None = None,
    **options: Any,
) -> Served:
    """As `m`. `run` stands in for the model's runs."""
    made = Served("m", model, access or UncheckedAccess(), **options)
    made.memory = memory or MemoryBudget(1 << 20, 1 << 10)
    if run is not None:
        made.batches.run = run  # type: ignore[method-assign, assignment]
    return made


def caller(channel: grpc.aio.Channel) -> Ask:
    """A function that makes one call, by its name."""

    def ask(call: str, message: Any = None, **metadata: str) -> Awaitable[Any]:
        method = channel.unary_unary(
            f"/inference.GRPCInferenceService/{call}",
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=CLASSES[f"{call}Response"].FromString,
        )
        pairs = [(name.replace("_", "-"), value) for name, value in metadata.items()]
        answer: Awaitable[Any] = method(message or CLASSES[f"{call}Request"](), metadata=pairs, timeout=20)
        return answer

    return ask


def with_channel(what: Served, asking: Callable[[Ask, grpc.aio.Channel], Awaitable[None]]) -> None:
    """Runs `asking` with a server's caller and channel."""

    async def run() -> None:
        server = GrpcTransport(what, "127.0.0.1", 0, 1 << 20)
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
                await asking(caller(channel), channel)
        finally:
            await server.stop(0)

    asyncio.run(run())


def with_server(what: Served, asking: Callable[[Ask], Awaitable[None]]) -> None:
    with_channel(what, lambda ask, _channel: asking(ask))


async def refused(answer: Awaitable[Any]) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await answer
    return error.value.code().name, str(error.value.details())


def asking(
    datatype: str, shape: list[int], raw: bytes | None = None, typed: list[Any] | None = None, **fields: Any
) -> Any:
    message = CLASSES["ModelInferRequest"](**{"model_name": "m", "id": "7"} | fields)
    item = message.inputs.add(name="input", datatype=datatype, shape=shape)
    if raw is not None:
        message.raw_input_contents.append(raw)
    if typed is not None:
        getattr(item.contents, CONTENTS[datatype]).extend(typed)
    return message


def test_calls_are_counted_by_their_path_and_http_s_status() -> None:
    what = served(Model(onnx_model(), DESCRIPTION), access=Doorkeeper())
    path = "/inference.GRPCInferenceService/ModelInfer"

    async def check(ask: Ask) -> None:
        row = asking("FP32", [1, 3], typed=[1.0, 2.0, 3.0])
        await ask("ModelInfer", row, x_api_key="key")
        await refused(ask("ModelInfer", row, x_api_key="other"))
        await refused(ask("ModelInfer", asking("FP32", [1, 2], typed=[1.0, 2.0]), x_api_key="key"))
        await refused(ask("ModelInfer", row))
        await ask("ServerLive")

    with_server(what, check)
    counts = what.counts

    assert {code: count for (route, code), count in counts.requests.items() if route == path} == {
        200: 1, 400: 1, 401: 1, 403: 1, 500: 0, 503: 0,
    }  # fmt: skip
    assert counts.requests["/inference.GRPCInferenceService/ServerLive", 200] == 1
    assert sum(counts.request_seconds.counts) == 1


def test_each_status_has_a_code_of_http() -> None:
    assert CODES.keys() == {*STATUS.values(), grpc.StatusCode.OK, grpc.StatusCode.INTERNAL}


def test_live_ready_and_metadata() -> None:
    what = served(Model(onnx_model(), DESCRIPTION))
    what.draining = True

    async def check(ask: Ask) -> None:
        named = CLASSES["ModelReadyRequest"](name="m", version="1")
        assert (await ask("ServerLive")).live
        assert not (await ask("ServerReady")).ready
        assert not (await ask("ModelReady", named)).ready
        what.draining = False
        assert (await ask("ServerReady")).ready
        assert (await ask("ModelReady", named)).ready
        server = await ask("ServerMetadata")
        assert (server.name, "binary_tensor_data" in server.extensions) == ("sealift", True)
        model = await ask("ModelMetadata", CLASSES["ModelMetadataRequest"](name="m"))
        assert [(one.name, one.datatype, list(one.shape)) for one in (*model.inputs, *model.outputs)] == [
            ("input", "FP32", [-1, 3]), ("prediction", "FP32", [-1, 1]),
        ]  # fmt: skip

    with_server(what, check)


@pytest.mark.parametrize("datatype", ONNX)
def test_the_extremes_of_each_datatype_come_back_in_the_form_in_which_they_went(datatype: str) -> None:
    raw = bytes(binary_tensors.write(np.array([EXTREMES[datatype]], KINDS[datatype]), datatype))
    typed = [one.encode() if isinstance(one, str) else one for one in EXTREMES[datatype]]

    async def check(ask: Ask) -> None:
        answer = await ask("ModelInfer", asking(datatype, [1, 3], raw))
        assert (answer.model_name, answer.model_version, answer.id) == ("m", "1", "7")
        assert [(one.name, one.datatype, list(one.shape)) for one in answer.outputs] == [
            ("prediction", datatype, [1, 3])
        ]
        assert list(answer.raw_output_contents) == [raw]
        if datatype in CONTENTS:
            sent = asking(datatype, [1, 3], typed=typed)
            answer = await ask("ModelInfer", sent)
            (output,) = answer.outputs
            assert output.contents == sent.inputs[0].contents
            assert list(answer.raw_output_contents) == []

    with_server(served(Model(onnx_model("Identity", ("input",), ONNX[datatype]), {})), check)


def test_what_the_model_cannot_take_is_an_invalid_argument_and_what_is_not_there_is_not_found() -> None:
    row = np.ones(3, np.float32).tobytes()
    twice = asking("FP32", [1, 3], row)
    twice.raw_input_contents.append(row)
    cases = [
        (asking("FP32", [1, 3], row[1:]), "INVALID_ARGUMENT", "11 bytes of binary data; expected 12"),
        (asking("FP64", [1, 3], row), "INVALID_ARGUMENT", "datatype 'FP64'; expected 'FP32'"),
        (asking("FP32", [-1, 3], row), "INVALID_ARGUMENT", "shape [-1, 3]"),
        (asking("FP32", [1, 3], typed=[1.0]), "INVALID_ARGUMENT", "1 value; expected 3"),
        (asking("FP32", [1, 3]), "INVALID_ARGUMENT", "0 values; expected 3"),
        (twice, "INVALID_ARGUMENT", "raw_input_contents has 2 items for 1 input;"),
        (CLASSES["ModelInferRequest"](model_name="m"), "INVALID_ARGUMENT", "inputs are none; expected 'input'"),
        (asking("FP32", [1, 3], row, outputs=[{"name": "x"}]), "INVALID_ARGUMENT", "outputs are 'x'"),
        (asking("FP32", [1, 3], row, model_name="x"), "NOT_FOUND", "available is 'm', version 1"),
        (asking("FP32", [1, 3], row, model_version="2"), "NOT_FOUND", "available is 'm', version 1"),
        (asking("FP32", [1, 3], b"x" * (1 << 20)), "RESOURCE_EXHAUSTED", ""),
    ]

    async def check(ask: Ask) -> None:
        for message, status, words in cases:
            code, details = await refused(ask("ModelInfer", message))
            assert (code, words in details) == (status, True), details
        assert (await ask("ModelInfer", asking("FP32", [1, 3], row))).outputs

    with_server(served(Model(onnx_model(), DESCRIPTION)), check)


@pytest.mark.parametrize(
    ("datatype", "value"), [("INT8", 128), ("UINT8", 256), ("INT16", -(2**15) - 1), ("BYTES", b"\xff")]
)
def test_a_typed_value_beyond_its_datatype_is_refused(datatype: str, value: Any) -> None:
    async def check(ask: Ask) -> None:
        code, details = await refused(ask("ModelInfer", asking(datatype, [1, 3], typed=[value] * 3)))
        assert (code, "beyond" in details or "UTF-8" in details) == ("INVALID_ARGUMENT", True)

    with_server(served(Model(onnx_model("Identity", ("input",), ONNX[datatype]), {})), check)


def test_the_statistics_and_the_repository_are_told_as_over_http() -> None:
    model = Model(onnx_model(), DESCRIPTION)
    row = asking("FP32", [2, 3], np.ones(6, np.float32).tobytes())

    async def check(ask: Ask) -> None:
        await ask("ModelInfer", row)
        for request in (None, CLASSES["ModelStatisticsRequest"](name="m", version="1")):
            (told,) = (await ask("ModelStatistics", request)).model_stats
            assert (told.name, told.version) == ("m", "1")
        over_http = statistics("m", "1", model.statistics)["model_stats"][0]
        as_message = CLASSES["ModelStatistics"](**over_http)
        assert told == as_message
        (index,) = (await ask("RepositoryIndex")).models
        assert (index.name, index.version, index.state) == ("m", "1", "READY")
        other = CLASSES["ModelStatisticsRequest"](name="x")
        assert await refused(ask("ModelStatistics", other)) == (
            "NOT_FOUND",
            "Request for unknown model: available is 'm', version 1",
        )

    with_server(served(model), check)


def test_who_may_ask_for_what_and_health_is_open_to_all() -> None:
    door = Doorkeeper()
    row = asking("FP32", [1, 3], np.ones(3, np.float32).tobytes())

    async def check(ask: Ask) -> None:
        assert (await ask("ServerLive")).live
        assert (await ask("ServerReady")).ready
        assert door.scopes == []
        assert (await refused(ask("ModelInfer", row)))[0] == "UNAUTHENTICATED"
        assert (await refused(ask("ModelInfer", row, authorization="Basic key")))[0] == "UNAUTHENTICATED"
        assert (await refused(ask("ModelInfer", row, authorization="Bearer other")))[0] == "PERMISSION_DENIED"
        assert (await refused(ask("ServerMetadata", None, x_api_key="often")))[0] == "RESOURCE_EXHAUSTED"
        assert (await ask("ModelInfer", row, authorization="bearer key")).outputs
        assert (await ask("ModelInfer", row, x_api_key="key")).outputs
        assert door.scopes == ["predict"] * 3 + ["metadata"] + ["predict"] * 2

    with_server(served(Model(onnx_model(), DESCRIPTION), access=door), check)


def test_who_may_not_ask_is_told_before_a_message_is_sent() -> None:
    async def check(_ask: Ask, channel: grpc.aio.Channel) -> None:
        call = channel.stream_unary("/inference.GRPCInferenceService/ModelInfer")(metadata=[("x-api-key", "x")])
        assert await asyncio.wait_for(call.code(), 20) == grpc.StatusCode.UNAUTHENTICATED

    with_channel(served(Model(onnx_model(), DESCRIPTION), access=Doorkeeper()), check)


def test_every_kind_of_refusal_has_a_status() -> None:
    ours = ("sealift.serving.errors", "sealift.serving.grpc.guard")
    kinds = [RequestError]
    for kind in kinds:
        kinds += [one for one in kind.__subclasses__() if one.__module__ in ours]
    assert set(kinds[1:]) == set(STATUS)


def test_calls_in_flight_end_and_new_ones_go_elsewhere_once_it_stops() -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def run(inputs: Mapping[str, Array], _watch: Watch | None) -> Mapping[str, Array]:
        begun.set()
        await end.wait()
        return {"prediction": inputs["input"]}

    row = asking("FP32", [1, 3], np.ones(3, np.float32).tobytes())

    async def check() -> None:
        server = GrpcTransport(served(Model(onnx_model(), DESCRIPTION), run=run), "127.0.0.1", 0, 1 << 20)
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            ask = caller(channel)
            first = asyncio.ensure_future(ask("ModelInfer", row))
            await begun.wait()
            stopping = asyncio.create_task(server.stop(20))
            await asyncio.sleep(0)
            for _ in range(2):  # while it lingers, and once it has stopped
                assert (await refused(ask("ModelInfer", row)))[0] == "UNAVAILABLE"
                await asyncio.sleep(2 * LINGER_SECONDS)
            assert not stopping.done()
            end.set()
            assert (await first).outputs
            await asyncio.wait_for(stopping, 20)

    asyncio.run(check())


def test_a_port_in_use_is_told_in_one_line() -> None:
    async def check() -> None:
        first = GrpcTransport(served(Model(onnx_model(), DESCRIPTION)), "127.0.0.1", 0, 1 << 20)
        await first.start()
        second = GrpcTransport(served(Model(onnx_model(), DESCRIPTION)), "127.0.0.1", first.port, 1 << 20)
        with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1 port {first.port} for gRPC; check whether"):
            await second.start()
        await first.stop(0)

    asyncio.run(check())


async def is_free(memory: MemoryBudget) -> None:
    """The client may have the answer before the server has given the memory back."""
    for _ in range(1000 * SECONDS):
        if memory.bytes == 0:
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"{memory.bytes} bytes are still counted")


def test_large_messages_that_wait_for_the_model_are_counted_and_one_too_many_is_unavailable() -> None:
    memory = MemoryBudget(2048, 0)
    begun, end = asyncio.Event(), asyncio.Event()

    async def run(inputs: Mapping[str, Array], _watch: Watch | None) -> Mapping[str, Array]:
        begun.set()
        await end.wait()
        return {"prediction": inputs["input"]}

    rows = asking("FP32", [100, 3], np.ones(300, np.float32).tobytes())

    async def check(ask: Ask) -> None:
        first = asyncio.ensure_future(ask("ModelInfer", rows))
        await begun.wait()
        assert memory.bytes == rows.ByteSize()
        code, details = await refused(ask("ModelInfer", rows))
        assert (code, "too many large requests" in details) == ("UNAVAILABLE", True)
        end.set()
        assert (await first).outputs
        await is_free(memory)
        assert (await ask("ModelInfer", rows)).outputs
        await refused(ask("ModelInfer", asking("FP32", [1, 2], b"")))
        await is_free(memory)

    with_server(served(Model(onnx_model(), DESCRIPTION), run=run, memory=memory), check)


def test_a_server_that_is_busy_is_unavailable_and_an_error_of_ours_tells_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    errors: list[Exception] = [Overloaded("later"), ValueError("secret row")]

    async def run(_inputs: Mapping[str, Array], _watch: Watch | None) -> Mapping[str, Array]:
        raise errors.pop(0)

    async def check(ask: Ask) -> None:
        row = asking("FP32", [1, 3], np.ones(3, np.float32).tobytes())
        assert await refused(ask("ModelInfer", row)) == ("UNAVAILABLE", "later")
        code, details = await refused(ask("ModelInfer", row))
        assert (code, "secret" in details) == ("INTERNAL", False)

    with_server(served(Model(onnx_model(), DESCRIPTION), run=run), check)
    assert "secret" not in "".join(capfd.readouterr())


def test_where_one_output_has_no_typed_form_all_are_raw() -> None:
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3])
    same, half = (
        helper.make_tensor_value_info(name, kind, ["batch", 3])
        for name, kind in (("same", TensorProto.FLOAT), ("half", TensorProto.FLOAT16))
    )
    nodes = [
        helper.make_node("Identity", ["input"], ["same"]),
        helper.make_node("Cast", ["input"], ["half"], to=TensorProto.FLOAT16),
    ]
    graph = helper.make_graph(nodes, "two", [given], [same, half])
    two = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    row = [1.0, 2.0, 3.0]

    async def check(ask: Ask) -> None:
        answer = await ask("ModelInfer", asking("FP32", [1, 3], typed=row))
        assert list(answer.raw_output_contents) == [np.array(row, kind).tobytes() for kind in ("<f4", "<f2")]
        assert not any(one.HasField("contents") for one in answer.outputs)
        alone = await ask("ModelInfer", asking("FP32", [1, 3], typed=row, outputs=[{"name": "same"}]))
        assert list(alone.outputs[0].contents.fp32_contents) == row

    with_server(served(Model(two, {})), check)


@pytest.mark.parametrize("value", [{"int64_param": -1}, {"string_param": "2"}, {"bool_param": True}])
def test_a_classification_that_is_no_number_is_refused_as_over_http(value: dict[str, Any]) -> None:
    row = asking(
        "FP32", [1, 3], typed=[1.0] * 3, outputs=[{"name": "prediction", "parameters": {"classification": value}}]
    )

    async def check(ask: Ask) -> None:
        code, details = await refused(ask("ModelInfer", row))
        assert code == "INVALID_ARGUMENT"
        assert "output 'prediction' has classification" in details and "expected a whole number, at least 0" in details

    with_server(served(Model(onnx_model(), DESCRIPTION)), check)


def test_categories_that_training_never_saw_are_counted_and_said_with_the_answer() -> None:
    what = served(Model(described.houses(), described.HOUSES))
    message = CLASSES["ModelInferRequest"](model_name="m")
    message.inputs.add(name="size", datatype="FP32", shape=[3, 1]).contents.fp32_contents.extend([1, 2, 3])
    side = message.inputs.add(name="side", datatype="BYTES", shape=[3, 1])
    side.contents.bytes_contents.extend([b"west", b"north", b"east"])

    async def check(ask: Ask) -> None:
        answer = await ask("ModelInfer", message)
        assert {name: one.int64_param for name, one in answer.parameters.items()} == {"unknown_categories.side": 2}
        side.contents.bytes_contents[:] = [b"south", b"north", b""]
        assert not (await ask("ModelInfer", message)).parameters

    with_server(what, check)
    assert what.counts.unknown_categories == {"side": 2}


def test_the_largest_classes_are_texts() -> None:
    output = {"name": "prediction", "parameters": {"classification": {"int64_param": 2}}}
    raw = np.array([[3, 9, 5]], np.float32).tobytes()

    async def check(ask: Ask) -> None:
        answer = await ask("ModelInfer", asking("FP32", [1, 3], raw, outputs=[output]))
        texts = binary_tensors.read(memoryview(answer.raw_output_contents[0]), "BYTES", list(answer.outputs[0].shape))
        assert texts.tolist() == [["9.0:1:b", "5.0:2:c"]]
        answer = await ask("ModelInfer", asking("FP32", [1, 3], typed=[3, 9, 5], outputs=[output]))
        assert list(answer.outputs[0].contents.bytes_contents) == [b"9.0:1:b", b"5.0:2:c"]

    with_server(served(Model(onnx_model("Identity"), {"classes": ["a", "b", "c"]})), check)
