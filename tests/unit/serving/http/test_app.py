"""Routes, statuses and headers."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from sealift.serving.access import UncheckedAccess
from sealift.serving.http import limits
from sealift.serving.http.limits import QUICK_BYTES
from sealift.serving.http.service import HttpService
from sealift.serving.memory_budget import MAX_BODY_BYTES, MAX_HELD_BYTES, SMALL_BYTES
from sealift.serving.model import Model
from sealift.serving.served import Served
from sealift.serving.version import VERSION
from tests.unit.serving.http.client import INFER, Client
from tests.unit.serving.sockets import SECONDS
from tests.unit.serving.tiny import DESCRIPTION, onnx_model, request

ALIASES = ["", "/versions/1"]


@pytest.fixture
def client() -> Client:
    return Client(HttpService(Served("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess())))


def test_live_ready_and_server(client: Client) -> None:
    assert (client.get("/v2/health/live").status_code, client.get("/v2/health/live").json()) == (200, {"live": True})
    assert (client.get("/v2/health/ready").status_code, client.get("/v2/health/ready").json()) == (200, {"ready": True})
    extensions = ["binary_tensor_data", "classification", "statistics"]
    assert client.get("/v2").json() == {"name": "sealift", "version": VERSION, "extensions": extensions}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("version", ALIASES)
def test_a_model_says_what_it_takes_and_gives(client: Client, version: str, slash: str) -> None:
    assert client.get(f"/v2/models/tiny{version}{slash}").json() == {
        "name": "tiny",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [{"name": "prediction", "datatype": "FP32", "shape": [-1, 1]}],
        "parameters": {"task": "regression", "features": ["age", "bmi", "sex"], "classes": []},
    }
    assert client.get(f"/v2/models/tiny{version}/ready{slash}").json() == {"name": "tiny", "ready": True}


def test_no_route_gives_metrics_away(client: Client) -> None:
    bodies = [client.get(path).text for path in ["/v2", "/v2/models/tiny", "/v2/models/tiny/ready", "/nothing"]]

    assert [body for body in bodies if "987654" in body or "r2" in body] == []


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("version", ALIASES)
def test_a_prediction(client: Client, version: str, slash: str) -> None:
    body = request([[1, 2, 3], [4, 5, 6]], id="a", parameters={"b": 1})
    response = client.infer(body, f"/v2/models/tiny{version}/infer{slash}")

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert "connection" not in response.headers
    assert response.json() == {
        "model_name": "tiny",
        "model_version": "1",
        "id": "a",
        "parameters": {"b": 1},
        "outputs": [{"name": "prediction", "shape": [2, 1], "datatype": "FP32", "data": [321, 654]}],
    }


def test_a_large_request_is_answered_off_the_event_loop_with_the_same_numbers(client: Client) -> None:
    rows = np.arange(60_000).reshape(-1, 3) % 10
    assert len(json.dumps(rows.tolist())) > QUICK_BYTES

    data = client.infer(request(rows.tolist())).json()["outputs"][0]["data"]

    assert data == (rows @ [1, 10, 100]).tolist()


@pytest.mark.parametrize("rows", [1, 10_000])
def test_an_infinite_answer_is_refused_as_json(client: Client, rows: int) -> None:
    response = client.infer(request([[0.0, 0.0, 0.0]] * (rows - 1) + [[0.0, 0.0, 3e38]]))

    assert response.status_code == 422
    assert f"in row {rows - 1}" in response.json()["error"]


@pytest.mark.parametrize(
    "path",
    ["/other", "/v1", "/v2/models", "/v2/models/other", "/v2/models/other/infer", "/v2/models/tiny/versions/2",
     "/v2/models/TINY", "/x//v2", "/v2/models/tiny/versions/1/versions/1", "/v2/models/tiny%2Finfer%2Fx"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_another_path_or_model_is_told_what_there_is(client: Client, path: str, method: str) -> None:
    response = client.send(method, path)

    assert response.status_code == 404
    said = response.json()["error"]
    assert "/v2/models/tiny/infer" in said or said == "Request for unknown model: available is 'tiny', version 1"


@pytest.mark.parametrize("path", ["/v2/models/other", "/v2/models/other/infer", "/v2/models/tiny/versions/2/stats"])
def test_triton_s_clients_know_an_unknown_model_by_its_words(client: Client, path: str) -> None:
    assert client.send("GET", path).json()["error"].startswith("Request for unknown model")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", INFER, "POST"), ("HEAD", INFER, "POST"), ("PUT", INFER, "POST"), ("POST", "/v2/health/ready", "GET, HEAD"),
     ("DELETE", "/v2/models/tiny", "GET, HEAD")],
)  # fmt: skip
def test_another_method_is_told_which_one(client: Client, method: str, path: str, allowed: str) -> None:
    response = client.send(method, path)

    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert method == "HEAD" or response.json()["error"].endswith(f"allowed: {allowed}")


def test_a_head_request_is_a_get_request(client: Client) -> None:
    assert client.send("HEAD", "/v2/health/live").status_code == 200


def test_a_bad_request_is_told_what_was_expected(client: Client) -> None:
    response = client.infer(request([[1, 2]]))

    assert response.status_code == 400
    expected = "expected 3 for shape [1, 3]"
    assert response.json() == {"error": f"input 'input' has data of 2 numbers in shape [1, 2]; {expected}"}


def test_a_body_of_the_largest_size_is_read_and_one_byte_more_is_not(client: Client) -> None:
    whole = json.dumps(request([[1, 2, 3]])).encode().ljust(MAX_BODY_BYTES)

    assert client.send("POST", INFER, content=whole).status_code == 200
    refused = client.send("POST", INFER, content=whole + b" ")
    assert (refused.status_code, refused.headers["connection"]) == (413, "close")
    assert str(MAX_BODY_BYTES) in refused.json()["error"]


def test_of_a_body_without_a_length_no_more_is_kept_than_the_largest_size(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.2)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * (1 << 20)

    tracemalloc.start()
    answer = client.send("POST", INFER, content=endless())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert answer.status_code == 413
    assert peak < 3 * MAX_BODY_BYTES


def test_a_body_that_declares_to_be_larger_is_not_read(client: Client) -> None:
    refused = client.send("POST", INFER, content=bytes(MAX_HELD_BYTES * 2))

    assert (refused.status_code, refused.headers["connection"]) == (413, "close")


def test_more_large_bodies_than_fit_into_memory_are_told_to_come_again(client: Client) -> None:
    whole = json.dumps(request([[1, 2, 3]])).encode().ljust(MAX_BODY_BYTES)
    fitting = MAX_HELD_BYTES // MAX_BODY_BYTES

    async def many() -> list[httpx.Response]:
        gate = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield whole[:-1]
            await gate.wait()
            yield whole[-1:]

        async def quick() -> AsyncIterator[bytes]:
            yield whole

        held = [asyncio.create_task(client.ask("POST", INFER, content=slow())) for _ in range(fitting)]
        async with asyncio.timeout(SECONDS):
            while client.service.served.memory.bytes < fitting * (MAX_BODY_BYTES - SMALL_BYTES - 1):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        refused = await client.ask("POST", INFER, content=quick())
        small = await client.ask("POST", INFER, content=whole.strip())
        gate.set()
        return [refused, small, *await asyncio.gather(*held), await client.ask("POST", INFER, content=quick())]

    answers = asyncio.run(many())
    assert [answer.status_code for answer in answers] == [503] + [200] * (fitting + 2)
    assert "try again" in answers[0].json()["error"]


def test_what_is_only_announced_keeps_no_one_out(client: Client) -> None:
    whole = json.dumps(request([[1, 2, 3]])).encode().ljust(MAX_BODY_BYTES)

    async def many() -> int:
        async def idle() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

        announced = [{"content-length": str(MAX_BODY_BYTES)}, {"transfer-encoding": "chunked"}] * 8
        held = [asyncio.create_task(client.ask("POST", INFER, content=idle(), headers=h)) for h in announced]
        await asyncio.sleep(0.2)
        answered = await client.ask("POST", INFER, content=whole)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        return answered.status_code

    assert asyncio.run(many()) == 200


def test_a_body_that_does_not_arrive_in_time_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)

    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(0.5)

    response = client.send("POST", INFER, content=stuck())
    assert (response.status_code, response.headers["connection"]) == (408, "close")


def test_once_draining_it_is_not_ready_but_live_and_closes_connections_after_their_answer(client: Client) -> None:
    client.service.served.draining = True

    for path in ["/v2/health/ready", "/v2/models/tiny/ready", "/v2/models/tiny/versions/1/ready"]:
        assert (client.get(path).status_code, client.get(path).json()["ready"]) == (503, False)
    answers = [client.get("/v2/health/live"), client.infer(request([[1, 2, 3]]))]
    assert [(answer.status_code, answer.headers["connection"]) for answer in answers] == [(200, "close")] * 2


class _BrokenModel(Model):
    def run(self, inputs: object, outputs: object) -> Any:
        if getattr(self, "broken", False):
            raise RuntimeError("a message that quotes 31415.0")
        return super().run(inputs, outputs)  # type: ignore[arg-type]


@pytest.fixture
def broken() -> Iterator[Client]:
    model = _BrokenModel(onnx_model(), DESCRIPTION)
    client = Client(HttpService(Served("tiny", model, UncheckedAccess())))
    model.broken = True  # type: ignore[attr-defined]
    yield client


def test_a_failure_inside_is_json_for_the_client_and_a_line_for_the_log(
    broken: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    response = broken.infer(request([[31415.0, 2, 3]]))

    assert (response.status_code, sorted(response.json())) == (500, ["error"])
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(line["level"], line["event"]) for line in lines] == [("error", "request failed"), ("error", "refused")]
    assert lines[0]["error"] == "RuntimeError"


def test_refusals_are_logged_without_a_word_of_what_was_sent(
    client: Client, broken: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    client.infer(request([[31415.0, 2]], id="31415"))
    client.infer(request([[31415.0, 2, 3]]) | {"outputs": [{"name": "31415"}]})
    client.get("/v2/models/31415?key=31415")
    broken.infer(request([[31415.0, 2, 3]], id="31415"))

    said = capfd.readouterr()
    assert [json.loads(line).get("status") for line in said.out.splitlines()] == [400, 400, 404, None, 500]
    assert "31415" not in said.out + said.err


def test_answers_are_not_logged(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    client.infer(request([[1, 2, 3]]))
    client.get("/v2/health/ready")

    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("body", [b"", b'{"ready": true}', b"no JSON"])
def test_the_repository_has_one_model_whatever_is_sent_along(client: Client, body: bytes) -> None:
    told = client.send("POST", "/v2/repository/index", content=body)

    assert told.json() == [{"name": "tiny", "version": "1", "state": "READY", "reason": ""}]
    assert client.send("POST", "/v2/repository/models/tiny/unload").status_code == 404
