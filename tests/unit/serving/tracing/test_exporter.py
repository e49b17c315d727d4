"""Spans reach a collector that is there, and one that is not holds nothing up."""

import json
import socket

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sealift.serving.errors import StartError
from sealift.serving.tracing import exporter as exporter_module
from sealift.serving.tracing.exporter import BATCH_SPANS, QUEUE_SPANS, Exporter
from sealift.serving.tracing.tracer import Span
from tests.unit.serving.tracing.collector import SECONDS, collector, values

SPAN = Span(b"t" * 16, b"s" * 8, b"p" * 8, True, "foo=1", "POST /", 2, 10**18, 10**18 + 5, {"a": "b", "c": 1}, True)


def test_a_span_arrives_as_it_was() -> None:
    with collector() as to:
        exporter = Exporter(f"{to.url}/", {"service.name": "tiny"})
        exporter.start()
        exporter.offer([SPAN])
        exporter.stop(SECONDS)
        (span,) = to.spans(1)
        (request,) = to.requests

    assert values(request.resource_spans[0].resource.attributes) == {"service.name": "tiny"}
    assert request.resource_spans[0].scope_spans[0].scope.name == "sealift"
    assert (span.trace_id, span.span_id, span.parent_span_id, span.trace_state) == (*SPAN[:3], "foo=1")
    assert (span.name, span.kind, span.flags, span.status.code) == ("POST /", 2, 0x301, 2)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (10**18, 10**18 + 5)
    assert values(span.attributes) == {"a": "b", "c": 1}
    assert (exporter.sent, exporter.dropped) == (1, 0)


def test_a_full_batch_is_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter_module, "EVERY_SECONDS", 1000.0)
    with collector() as to:
        exporter = Exporter(to.url, {})
        exporter.start()
        for _ in range(BATCH_SPANS):
            exporter.offer([SPAN])
        assert len(to.spans(BATCH_SPANS)) == BATCH_SPANS
        exporter.stop(SECONDS)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_be_sent_again_is(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setattr(exporter_module, "FIRST_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(exporter_module, "EVERY_SECONDS", 0.01)
    with collector() as to:
        to.answers += [(status, {"retry-after": "0"}, b""), (status, {"retry-after": "soon"}, b"")]
        exporter = Exporter(to.url, {})
        exporter.start()
        exporter.offer([SPAN])
        assert len(to.spans(1)) == 1
        exporter.stop(SECONDS)

    assert (exporter.sent, exporter.dropped, to.answers) == (1, 0, [])


def test_a_collector_says_when_it_may_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter_module, "FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(exporter_module, "EVERY_SECONDS", 0.01)
    with collector() as to:
        to.answers.append((503, {"retry-after": "7"}, b""))
        exporter = Exporter(to.url, {})
        waits: list[float] = []
        monkeypatch.setattr(exporter._stopping, "wait", waits.append)
        exporter.start()
        exporter.offer([SPAN])
        to.spans(1)
        exporter.stop(SECONDS)

    assert waits == [7]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500])
def test_what_may_not_be_sent_again_is_dropped_and_told_once(capfd: pytest.CaptureFixture[str], status: int) -> None:
    with collector() as to:
        to.answers += [(status, {"location": "/"}, b"secret")] * 2
        exporter = Exporter(to.url, {})
        for _ in range(BATCH_SPANS + 1):
            exporter.offer([SPAN])
        exporter.start()
        exporter.stop(SECONDS)

    (line,) = map(json.loads, capfd.readouterr().out.splitlines())
    del line["time"]
    assert line == {
        "level": "warning", "event": "spans not exported", "reason": f"status {status}", "dropped": BATCH_SPANS
    }  # fmt: skip
    assert (exporter.sent, exporter.dropped, to.requests) == (0, BATCH_SPANS + 1, [])


def test_spans_that_a_collector_refuses_are_counted(capfd: pytest.CaptureFixture[str]) -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 2
    with collector() as to:
        to.answers += [(200, {}, answer.SerializeToString()), (200, {}, b"not a message")]
        exporter = Exporter(to.url, {})
        exporter.offer([SPAN] * BATCH_SPANS)
        exporter.offer([SPAN])
        exporter.start()
        exporter.stop(SECONDS)

    assert (exporter.sent, exporter.dropped) == (BATCH_SPANS - 1, 2)
    assert "refused some" in capfd.readouterr().out


def test_where_nobody_answers_spans_wait_are_dropped_and_it_ends_in_time(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    exporter = Exporter(f"http://127.0.0.1:{port}", {})
    exporter.start()
    for _ in range(QUEUE_SPANS + 10):
        exporter.offer([SPAN])
    exporter.stop(SECONDS)

    assert (exporter.sent, exporter.dropped) == (0, QUEUE_SPANS + 10)
    (line,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert line["reason"] == "ConnectionRefusedError"


def test_a_collector_that_never_answers_does_not_keep_it_from_ending() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        exporter = Exporter(f"http://127.0.0.1:{silent.getsockname()[1]}", {})
        exporter.start()
        exporter.offer([SPAN])
        exporter.stop(0.05)

        assert exporter._thread.is_alive(), "it still waits for the answer"


@pytest.mark.parametrize(
    "endpoint",
    ["collector:4318", "grpc://c:4317", "http://", "http://user:secret@c", "http://c?x", "http://c#x", "http://c:x"],
)
def test_an_endpoint_that_is_no_url_of_a_server_is_refused(endpoint: str) -> None:
    with pytest.raises(StartError, match="OTLP endpoint") as error:
        Exporter(endpoint, {})

    assert "secret" not in str(error.value)
