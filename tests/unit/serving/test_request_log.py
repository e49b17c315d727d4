"""Which requests have a line, what it says, and what it never says, over HTTP and gRPC."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import numpy as np
import pytest

from sealift.serving import log as serving_log
from sealift.serving.access import UncheckedAccess
from sealift.serving.http.messages import HttpRequest, Response
from sealift.serving.http.response_log import log_response
from sealift.serving.http.service import HttpService
from sealift.serving.model import Model
from sealift.serving.request_log import LINES_A_SECOND, RequestLog
from sealift.serving.served import Served
from tests.unit.serving.grpc.test_service import Ask, Doorkeeper, asking, served, with_channel
from tests.unit.serving.http.client import INFER, Client
from tests.unit.serving.tiny import DESCRIPTION, onnx_model, request

BODY = json.dumps(request([[7123.25, 2, 3], [4, 5, 6]])).encode()


@pytest.fixture
def log_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where the log can be read."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    monkeypatch.setattr(serving_log, "STANDARD_OUTPUT", writing)
    yield reading
    os.close(reading)
    os.close(writing)


def lines(log_end: int) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in os.read(log_end, 1 << 20).splitlines()]
    except BlockingIOError:
        return []


def client(log_all: bool = False) -> Client:
    return Client(HttpService(Served("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess(), log_all=log_all)))


def infer(asking: Client, content: bytes = BODY, **headers: str) -> httpx.Response:
    return asking.send(
        "POST", INFER, content=content, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def test_a_line_says_who_asked_what_and_how_it_ended(log_end: int) -> None:
    begun = time.monotonic()
    answered = infer(client(log_all=True), x_request_id="abc-1")
    (line,) = lines(log_end)

    assert answered.headers["x-request-id"] == "abc-1"
    assert 0 < line.pop("seconds") < time.monotonic() - begun and line.pop("time").endswith("Z")
    assert line == {
        "level": "info", "event": "answered", "id": "abc-1", "caller": "anyone", "method": "POST", "route": INFER,
        "status": 200, "rows": 2, "bytes_in": len(BODY), "bytes_out": len(answered.content),
    }  # fmt: skip


def test_by_default_what_succeeds_has_no_line_but_its_own_identifier(log_end: int) -> None:
    asking = client()

    assert "x-request-id" not in infer(asking).headers
    assert infer(asking, x_request_id="mine").headers["x-request-id"] == "mine"
    assert lines(log_end) == []


def test_a_refusal_has_a_line_and_an_identifier_to_ask_about(log_end: int) -> None:
    asking = client()
    ids = [infer(asking, b"{}", **given).headers["x-request-id"] for given in ({}, {}, {"x_request_id": "mine"})]
    found = lines(log_end)

    assert len({*ids}) == 3 and ids[2] == "mine"
    assert [line["id"] for line in found] == ids
    assert {(line["level"], line["event"], line["status"]) for line in found} == {("warning", "refused", 400)}


@pytest.mark.parametrize("given", ["a b", "x" * 129, "", "caf\u00e9", "\x7f"])
def test_an_identifier_that_is_none_is_replaced(log_end: int, given: str) -> None:
    response = Response(400, b"")
    asked = HttpRequest()
    asked.identifier = given.encode()

    async def answer() -> bytes:
        return log_response(RequestLog(), asked, "/", 0, response).fields

    fields = asyncio.run(answer())

    assert fields.startswith(b"x-request-id: ") and (not given or given.encode() not in fields)


def test_no_line_has_what_was_sent(log_end: int) -> None:
    asking = client(log_all=True)
    infer(asking)
    infer(asking, BODY.replace(b"7123.25", b'"7123.25"'), authorization="Bearer secret-7123")
    asking.get("/secret-7123?secret-7123")
    said = os.read(log_end, 1 << 20)

    assert said.count(b"\n") == 3
    assert b"7123" not in said


def ask_grpc(log_all: bool, *calls: tuple[Any, dict[str, str]]) -> list[tuple[str, dict[str, str]]]:
    """ModelInfer so often: the status and the metadata that ended each."""
    ended: list[tuple[str, dict[str, str]]] = []

    async def check(_ask: Ask, channel: grpc.aio.Channel) -> None:
        for message, metadata in calls:
            call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")(
                message if isinstance(message, bytes) else message.SerializeToString(),
                metadata=list(metadata.items()),
            )
            code = await call.code()
            trailing = await call.trailing_metadata()
            ended.append((code.name, {name: str(value) for name, value in trailing or ()}))
        await asyncio.sleep(0)

    with_channel(served(Model(onnx_model(), DESCRIPTION), access=Doorkeeper(), log_all=log_all), check)
    return ended


def rows(*values: float) -> Any:
    return asking("FP32", [len(values) // 3, 3], np.array(values, np.float32).tobytes())


def test_a_call_of_grpc_has_the_line_of_a_request_and_its_status(log_end: int) -> None:
    message = rows(7123.25, 2, 3, 4, 5, 6)
    begun = time.monotonic()
    ((code, metadata),) = ask_grpc(True, (message, {"x-api-key": "key", "x-request-id": "abc-1"}))
    (line,) = lines(log_end)

    assert (code, metadata["x-request-id"]) == ("OK", "abc-1")
    assert 0 < line.pop("seconds") < time.monotonic() - begun
    assert line.pop("time").endswith("Z") and line.pop("bytes_out") > 8
    assert line == {
        "level": "info", "event": "answered", "id": "abc-1", "caller": "caller", "grpc_status": "OK",
        "route": "/inference.GRPCInferenceService/ModelInfer", "status": 200, "rows": 2,
        "bytes_in": message.ByteSize(),
    }  # fmt: skip


def test_by_default_a_call_of_grpc_that_succeeds_has_no_line_but_its_own_identifier(log_end: int) -> None:
    silent, named = ask_grpc(
        False, (rows(1, 2, 3), {"x-api-key": "key"}), (rows(1, 2, 3), {"x-api-key": "key", "x-request-id": "a"})
    )

    assert "x-request-id" not in silent[1] and named[1]["x-request-id"] == "a"
    assert lines(log_end) == []


def test_a_call_of_grpc_that_is_refused_has_a_line_and_an_identifier_to_ask_about(log_end: int) -> None:
    key = {"x-api-key": "key"}
    wrong = asking("FP32", [1, 2], np.array([7123.25, 7123.25], np.float32).tobytes())
    ended = ask_grpc(False, (wrong, key), (b"7123", key), (rows(1, 2, 3), {"x-api-key": "secret-7123"}))
    said = os.read(log_end, 1 << 20)
    found = [json.loads(line) for line in said.splitlines()]

    assert [code for code, _ in ended] == ["INVALID_ARGUMENT", "INVALID_ARGUMENT", "UNAUTHENTICATED"]
    assert [line["id"] for line in found] == [metadata["x-request-id"] for _, metadata in ended]
    assert [(line["event"], line["status"], line["grpc_status"]) for line in found] == [
        ("refused", 400, "INVALID_ARGUMENT"), ("refused", 400, "INVALID_ARGUMENT"), ("refused", 401, "UNAUTHENTICATED"),
    ]  # fmt: skip
    assert b"7123" not in said


def test_a_flood_of_refused_calls_of_grpc_has_some_lines(log_end: int) -> None:
    ask_grpc(False, *[(rows(1, 2, 3), {})] * (10 * LINES_A_SECOND))

    assert 1 <= len(lines(log_end)) < 10 * LINES_A_SECOND


def test_a_flood_of_refusals_has_some_lines_and_a_count_and_hides_no_other_status(log_end: int) -> None:
    log = RequestLog()

    async def flood() -> None:
        for _ in range(500):
            log_response(log, HttpRequest(), "other", 0, Response(401, b""))
        log_response(log, HttpRequest(), INFER, 0, Response(500, b""))
        await asyncio.sleep(1.1)
        log_response(log, HttpRequest(), "other", 0, Response(401, b""))
        await asyncio.sleep(0)

    asyncio.run(flood())
    found = lines(log_end)

    assert [line.get("status") for line in found] == [*[401] * LINES_A_SECOND, 500, None, 401]
    assert found[-2]["count"] == 500 - LINES_A_SECOND


def test_lines_of_one_turn_are_written_together_and_none_is_cut(log_end: int, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda to, text: writes.append(len(text)) or real(to, text))  # type: ignore[func-returns-value]
    log = RequestLog(all=True)

    async def turn() -> None:
        for _ in range(40):
            log_response(log, HttpRequest(), INFER, 1, Response(200, b"1"))
        assert writes == []
        await asyncio.sleep(0)

    asyncio.run(turn())

    assert len(lines(log_end)) == 40
    assert len(writes) < 5 and max(writes) <= 4096


def test_lines_that_nobody_reads_are_counted(log_end: int) -> None:
    log = RequestLog(all=True)

    async def turns() -> None:
        for _ in range(100):
            for _ in range(20):
                log_response(log, HttpRequest(), INFER, 1, Response(200, b"1"))
            await asyncio.sleep(0)

    asyncio.run(turns())
    read = lines(log_end)
    serving_log.log("info", "last")
    (last,) = lines(log_end)

    assert len(read) + last["unwritten"] == 2000 and len(read) > 100
