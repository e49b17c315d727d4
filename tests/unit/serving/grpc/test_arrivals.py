"""Calls whose message does not come: they end, and keep nobody out."""

import asyncio
import gc
import types
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from sealift.serving.errors import InvalidInput, Overloaded
from sealift.serving.grpc import arrivals, guard
from sealift.serving.grpc.arrivals import MOST_ARRIVING, Arrivals
from sealift.serving.grpc.guard import Call
from sealift.serving.grpc.messages import CLASSES
from sealift.serving.memory_budget import MemoryBudget
from sealift.serving.model import Model
from tests.unit.serving.grpc.test_service import Ask, Doorkeeper, asking, refused, served, with_channel
from tests.unit.serving.tiny import DESCRIPTION, onnx_model

PATH = "/inference.GRPCInferenceService/"
ROW = asking("FP32", [1, 3], typed=[1.0, 2.0, 3.0])


class Context:
    """A call whose message comes when it is told to."""

    def __init__(self, message: Any = None) -> None:
        self.message: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if message is not None:
            self.message.set_result(message)

    async def read(self) -> Any:
        return await self.message


def running(check: Callable[[Arrivals], Any], seconds: float = 20) -> None:
    async def run() -> None:
        await asyncio.wait_for(check(Arrivals(seconds=seconds)), 20)

    asyncio.run(run())


def test_a_message_that_does_not_come_is_given_up() -> None:
    async def check(made: Arrivals) -> None:
        with pytest.raises(Overloaded, match="did not arrive in time"):
            await made.read(Context())
        assert await made.read(Context(b"x")) == b"x"
        with pytest.raises(InvalidInput, match="has no message"):
            await made.read(Context(grpc.aio.EOF))

    running(check, seconds=0.05)


def test_no_more_are_under_way_than_may_and_the_slow_give_way_to_the_last_to_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrivals, "TURN_SECONDS", 0.05)

    async def check(made: Arrivals) -> None:
        slow = [asyncio.ensure_future(made.read(Context())) for _ in range(10 * MOST_ARRIVING)]
        await asyncio.sleep(0)
        assert len(made._turns) == MOST_ARRIVING
        assert await made.read(Context(b"whole")) == b"whole"
        assert sum(one.done() for one in slow) <= 2 * MOST_ARRIVING  # it did not wait for all
        ended = await asyncio.gather(*slow[:MOST_ARRIVING], return_exceptions=True)
        assert {type(one) for one in ended} == {Overloaded}
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        assert (made._turns, made._waiting) == ({}, [])

    running(check)


def test_who_leaves_while_it_waits_leaves_its_place_to_the_next() -> None:
    async def check(made: Arrivals) -> None:
        contexts = [Context() for _ in range(MOST_ARRIVING)]
        first = [asyncio.ensure_future(made.read(one)) for one in contexts]
        await asyncio.sleep(0)
        waiting, leaves = (asyncio.ensure_future(made.read(Context(b"x"))) for _ in range(2))
        await asyncio.sleep(0)
        contexts[0].message.set_result(b"y")
        await asyncio.sleep(0)
        leaves.cancel()
        assert await waiting == b"x"
        for one in contexts[1:]:
            one.message.set_result(b"z")
        assert await asyncio.gather(*first) == [b"y", b"z", b"z", b"z"]

    running(check)


async def never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


def test_calls_without_a_message_keep_nobody_out() -> None:
    async def check(ask: Ask, channel: grpc.aio.Channel) -> None:
        for call in ("ServerLive", "ServerReady"):  # which need none
            answer = await channel.stream_unary(PATH + call)(never(), timeout=20)
            assert answer == CLASSES[f"{call}Response"](**{call[6:].lower(): True}).SerializeToString()
        calls = [channel.stream_unary(PATH + call)(never()) for call in ("ModelInfer", "ModelReady") * 40]
        await asyncio.sleep(0.2)
        assert (await ask("ServerLive")).live
        assert (await ask("ModelInfer", ROW)).outputs
        for call in calls:
            call.cancel()

    with_channel(served(Model(onnx_model(), DESCRIPTION)), check)


def test_calls_that_need_a_key_wait_for_none_that_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "TURN_SECONDS", 1000.0)  # nobody gives way
    monkeypatch.setattr(guard, "OPEN_SECONDS", 1000.0)

    async def check(ask: Ask, channel: grpc.aio.Channel) -> None:
        calls = [channel.stream_unary(PATH + "ModelReady")(never()) for _ in range(4 * MOST_ARRIVING)]
        await asyncio.sleep(0.2)
        assert (await ask("ModelInfer", ROW, x_api_key="key")).outputs
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()

    with_channel(served(Model(onnx_model(), DESCRIPTION), access=Doorkeeper()), check)


def test_calls_that_need_no_key_are_given_up_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "OPEN_SECONDS", 0.05)

    async def check(ask: Ask, channel: grpc.aio.Channel) -> None:
        key = grpc.aio.Metadata(("x-api-key", "key"))
        keyed = channel.stream_unary(PATH + "ModelInfer")(never(), metadata=key)
        calls = [channel.stream_unary(PATH + "ModelReady")(never()) for _ in range(4 * MOST_ARRIVING)]
        for call in calls:
            assert (await refused(call))[0] == "UNAVAILABLE"
        assert not keyed.done()
        keyed.cancel()

    with_channel(served(Model(onnx_model(), DESCRIPTION), access=Doorkeeper()), check)


def test_a_message_of_more_than_names_is_refused_where_names_are_asked() -> None:
    async def check(ask: Ask, _channel: grpc.aio.Channel) -> None:
        long = CLASSES["ModelReadyRequest"](name="m" * 5000)
        assert await refused(ask("ModelReady", long)) == (
            "INVALID_ARGUMENT", "the message has 5003 bytes; expected at most 4096",
        )  # fmt: skip

    with_channel(served(Model(onnx_model(), DESCRIPTION)), check)


def test_a_message_of_very_many_inputs_is_refused_before_it_is_read() -> None:
    async def check(ask: Ask, _channel: grpc.aio.Channel) -> None:
        many = CLASSES["ModelInferRequest"](model_name="m", inputs=[{}] * 5000)
        code, words = await refused(ask("ModelInfer", many))
        assert (code, "fields for this model" in words) == ("INVALID_ARGUMENT", True)

    with_channel(served(Model(onnx_model(), DESCRIPTION)), check)


def test_the_memory_of_values_is_counted_as_held_before_they_are_read() -> None:
    what = served(Model(onnx_model(), DESCRIPTION), memory=MemoryBudget(20_000, 0))

    async def check(ask: Ask, _channel: grpc.aio.Channel) -> None:
        small = asking("INT32", [1, 3], typed=[1] * 9000)  # four times as many bytes, once read
        assert await refused(ask("ModelInfer", small)) == (
            "UNAVAILABLE", "too many large requests at a time; try again",
        )  # fmt: skip
        async with asyncio.timeout(60):
            while what.memory.bytes:  # noqa: ASYNC110 - the refusal may be here before the call has let go
                await asyncio.sleep(0.01)
        assert (await ask("ModelInfer", ROW)).outputs

    with_channel(what, check)


def test_strangers_are_not_told_what_the_model_is_called() -> None:
    async def check(ask: Ask, _channel: grpc.aio.Channel) -> None:
        named = CLASSES["ModelReadyRequest"](name="x")
        assert await refused(ask("ModelReady", named)) == ("NOT_FOUND", "Request for unknown model")

    with_channel(served(Model(onnx_model(), DESCRIPTION)), check)


@pytest.mark.parametrize(
    "message",
    [
        asking("FP32", [1, 2], typed=[1.0, 2.0]),
        asking("FP32", [1, 3], raw=bytes(7)),
        CLASSES["ModelInferRequest"](model_name="m", inputs=[{}] * 5000),
        CLASSES["ModelInferRequest"](model_name="other"),
    ],
    ids=["of another shape", "of too few bytes", "of too many inputs", "of another model"],
)
def test_nothing_of_a_refused_message_is_kept_after_the_call(message: Any) -> None:
    """Not even until the garbage is collected, which few and large messages do not bring about."""

    async def check(ask: Ask, _channel: grpc.aio.Channel) -> None:
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                assert (await refused(ask("ModelInfer", message)))[0] in ("INVALID_ARGUMENT", "NOT_FOUND")
            await asyncio.sleep(0.1)
            assert kept(message.SerializeToString()) == 0
        finally:
            gc.enable()

    with_channel(served(Model(onnx_model(), DESCRIPTION)), check)


def kept(data: bytes) -> int:
    """How many frames and calls of the server's still have it, parsed or not."""
    found = 0
    for item in gc.get_objects():
        if issubclass(type(item), types.FrameType | types.TracebackType):  # not by __class__, which some answer oddly
            frame = item.tb_frame if isinstance(item, types.TracebackType) else item
            if "/serving/grpc/" in frame.f_code.co_filename and "/tests/" not in frame.f_code.co_filename:
                values = list(frame.f_locals.values())
                values += [value.message for value in values if isinstance(value, Call)]
                found += sum(_is(value, data) for value in values)
    return found


def _is(value: Any, data: bytes) -> bool:
    return (
        value == data if isinstance(value, bytes) else isinstance(value, Message) and value.SerializeToString() == data
    )
