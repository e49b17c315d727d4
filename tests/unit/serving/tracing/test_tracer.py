"""Which requests are recorded over HTTP and gRPC, and what their spans say."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from sealift.serving.access import UncheckedAccess
from sealift.serving.batches import Ran, Watch
from sealift.serving.http.limits import QUICK_BYTES
from sealift.serving.http.service import HttpService
from sealift.serving.model import Model
from sealift.serving.served import Served
from sealift.serving.tensor import Array
from sealift.serving.tracing.tracer import INTERNAL, SERVER, Span, Tracer
from tests.unit.serving.grpc.test_service import Ask, Doorkeeper, asking, refused, served, with_server
from tests.unit.serving.http.client import INFER, Client
from tests.unit.serving.tiny import DESCRIPTION, onnx_model, request
from tests.unit.serving.tracing.test_trace_context import PARENT, TRACE

CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "foo=1"}
UNSAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
BODY = json.dumps(request([[7123.25, 2, 3], [4, 5, 6]])).encode()


class Recorded:
    """A tracer, and the spans that it has exported."""

    def __init__(self, ratio: float = 0) -> None:
        self.spans: list[Span] = []
        self.tracer = Tracer(ratio, "http", self._export)

    def _export(self, spans: Sequence[Span]) -> None:
        self.spans += spans


def client(recorded: Recorded, access: Any = None, log_all: bool = False) -> Client:
    model = Model(onnx_model(), DESCRIPTION)
    return Client(
        HttpService(Served("tiny", model, access or UncheckedAccess(), log_all=log_all, tracer=recorded.tracer))
    )


def test_a_request_that_its_caller_records_has_three_spans() -> None:
    recorded, before = Recorded(), time.time_ns()
    answer = client(recorded).send("POST", INFER, content=BODY, headers=CALLER)
    server, queue, run = recorded.spans

    assert {span.trace_id.hex() for span in recorded.spans} == {TRACE}
    assert {span.state for span in recorded.spans} == {"foo=1"}
    assert len({span.span_id for span in recorded.spans}) == 3
    assert (server.parent_id.hex(), server.is_remote) == (PARENT, True)
    assert {(span.parent_id, span.is_remote) for span in (queue, run)} == {(server.span_id, False)}
    assert [(span.name, span.kind, span.failed) for span in recorded.spans] == [
        (f"POST {INFER}", SERVER, False), ("queue", INTERNAL, False), ("run", INTERNAL, False),
    ]  # fmt: skip
    assert server.attributes == {
        "http.request.method": "POST", "http.response.status_code": 200, "http.route": INFER, "url.path": INFER,
        "url.scheme": "http", "http.request.body.size": len(BODY), "http.response.body.size": len(answer.content),
        "sealift.rows": 2,
    }  # fmt: skip
    assert (queue.attributes, run.attributes) == ({}, {"sealift.batch.requests": 1, "sealift.batch.rows": 2})
    assert before <= server.begun_ns <= queue.begun_ns <= queue.ended_ns == run.begun_ns <= run.ended_ns
    assert run.ended_ns <= server.ended_ns <= time.time_ns()


@pytest.mark.parametrize("ratio", [0, 1])
def test_a_request_that_its_caller_does_not_record_has_none(ratio: float) -> None:
    recorded = Recorded(ratio)
    client(recorded).send("POST", INFER, content=BODY, headers=UNSAMPLED)

    assert recorded.spans == []


@pytest.mark.parametrize("headers", [{}, {"traceparent": "00-0-0-01"}])
def test_without_a_trace_of_its_caller_a_request_is_drawn(headers: dict[str, str]) -> None:
    never, always = Recorded(0), Recorded(1)
    for recorded in (never, always):
        client(recorded).send("POST", INFER, content=BODY, headers=headers | {"tracestate": "foo=1"})

    assert never.spans == []
    assert [(span.parent_id, span.state) for span in always.spans[:1]] == [(b"", "")]
    assert len({span.trace_id for span in always.spans}) == 1


def test_of_many_requests_about_as_many_are_drawn_as_the_ratio_says() -> None:
    tracer = Recorded(0.25).tracer
    drawn = sum(tracer.start(None, None) is not None for _ in range(10_000))

    assert 2_200 < drawn < 2_800  # seven standard deviations


def test_two_traceparents_are_none() -> None:
    recorded = Recorded()
    twice = [(b"traceparent", CALLER["traceparent"].encode())] * 2
    client(recorded).send("POST", INFER, content=BODY, headers=twice)

    assert recorded.spans == []


def test_a_large_request_has_the_same_spans() -> None:
    recorded = Recorded()
    body = json.dumps(request([[1.0, 2.0, 3.0]] * (QUICK_BYTES // 10))).encode()
    assert client(recorded).send("POST", INFER, content=body, headers=CALLER).status_code == 200
    _server, queue, run = recorded.spans

    assert run.attributes == {"sealift.batch.requests": 1, "sealift.batch.rows": QUICK_BYTES // 10}
    assert queue.begun_ns <= queue.ended_ns <= run.ended_ns


def test_a_refused_request_has_one_span_and_only_the_server_s_fault_is_an_error() -> None:
    recorded = Recorded()
    asked = client(recorded)
    asked.send("POST", INFER, content=b"{}", headers=CALLER)
    asked.service.served.model.run = None  # type: ignore[method-assign, assignment]
    asked.send("POST", INFER, content=BODY, headers=CALLER)
    refusal, failure = (span for span in recorded.spans if span.kind == SERVER)

    assert (refusal.attributes["http.response.status_code"], refusal.failed) == (400, False)
    assert "error.type" not in refusal.attributes
    assert (failure.attributes["http.response.status_code"], failure.failed) == (500, True)
    assert failure.attributes["error.type"] == "500"


def test_who_may_not_ask_and_who_looks_whether_it_lives_is_not_recorded() -> None:
    recorded = Recorded(1)
    asked = client(recorded, Doorkeeper())
    assert asked.send("POST", INFER, content=BODY, headers=CALLER).status_code == 401
    assert asked.send("GET", "/v2/health/live", headers=CALLER).status_code == 200

    assert recorded.spans == []


def test_nothing_that_a_client_made_up_is_in_a_span() -> None:
    recorded = Recorded()
    asked = client(recorded)
    asked.send("POST", INFER, content=BODY, headers=CALLER | {"x-request-id": "secret"})
    asked.send("GET", "/secret?secret", headers=CALLER | {"user-agent": "secret"})
    asked.send("PROPFIND", INFER, headers=CALLER)

    assert [span.name for span in recorded.spans if span.kind == SERVER] == [f"POST {INFER}", "GET", f"HTTP {INFER}"]
    assert "secret" not in str(recorded.spans) and "7123" not in str(recorded.spans)


def test_a_line_of_the_log_names_the_trace(capfd: pytest.CaptureFixture[str]) -> None:
    asked = client(Recorded(), log_all=True)
    asked.send("POST", INFER, content=BODY, headers=CALLER)
    asked.send("POST", INFER, content=BODY)
    first, second = map(json.loads, capfd.readouterr().out.splitlines())

    assert first["trace_id"] == TRACE and "trace_id" not in second


def test_a_call_of_grpc_has_the_same_spans() -> None:
    recorded, model = Recorded(), Model(onnx_model(), DESCRIPTION)
    row = asking("FP32", [1, 3], np.ones(3, np.float32).tobytes())

    async def run(inputs: Mapping[str, Array], watch: Watch | None) -> Mapping[str, Array]:
        answer = model.run(inputs, list(model.outputs))
        if watch is not None:
            watch(Ran(time.perf_counter_ns(), 2, 3, 0, 1, 0))
        return answer

    async def check(ask: Ask) -> None:
        await ask("ModelInfer", row, x_api_key="key", **CALLER)
        await ask("ModelInfer", row, x_api_key="key", **UNSAMPLED)
        await ask("ModelInfer", row, x_api_key="key")
        await ask("ServerLive", **CALLER)
        await refused(ask("ModelInfer", row, **CALLER))

    with_server(served(model, run=run, access=Doorkeeper(), tracer=recorded.tracer), check)
    server, queue, part = recorded.spans

    assert (server.trace_id.hex(), server.parent_id.hex(), server.state) == (TRACE, PARENT, "foo=1")
    assert (server.name, server.kind, server.failed) == ("inference.GRPCInferenceService/ModelInfer", SERVER, False)
    assert server.attributes.pop("http.response.body.size")  # type: ignore[attr-defined]
    assert server.attributes == {
        "rpc.system.name": "grpc", "rpc.method": server.name, "rpc.response.status_code": "OK",
        "http.request.body.size": row.ByteSize(), "sealift.rows": 1,
    }  # fmt: skip
    assert (queue.name, part.name, part.attributes) == (
        "queue", "run", {"sealift.batch.requests": 2, "sealift.batch.rows": 3},
    )  # fmt: skip


def test_a_call_of_grpc_that_fails_is_an_error_and_one_that_is_wrong_is_none() -> None:
    recorded = Recorded()

    async def run(_inputs: Mapping[str, Array], _watch: Watch | None) -> Mapping[str, Array]:
        raise ValueError("secret")

    async def check(ask: Ask) -> None:
        await refused(ask("ModelInfer", asking("FP32", [1, 2], b""), **CALLER))
        await refused(ask("ModelInfer", asking("FP32", [1, 3], np.ones(3, np.float32).tobytes()), **CALLER))

    with_server(served(Model(onnx_model(), DESCRIPTION), run=run, tracer=recorded.tracer), check)

    assert [(span.attributes["rpc.response.status_code"], span.failed) for span in recorded.spans] == [
        ("INVALID_ARGUMENT", False), ("INTERNAL", True),
    ]  # fmt: skip
    assert "secret" not in str(recorded.spans)
