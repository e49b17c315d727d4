"""`python -m sealift.serving --otlp-endpoint`: what a collector gets of a server, and a server whose collector is gone.

The collector is one of the standard library with OpenTelemetry's own messages; SEALIFT_OTLP_RECEIVER may name a program
that takes an address and prints each request that it gets as a line of OTLP's JSON, such as the OpenTelemetry
Collector's receiver.
"""

import http.client
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from sealift.serving.grpc.messages import CLASSES
from tests.process.serving_process import arguments, serving, start
from tests.unit.serving.sockets import INFER, SECONDS
from tests.unit.serving.tiny import Files, request, sealed
from tests.unit.serving.tracing.collector import collector, values
from tests.unit.serving.tracing.test_trace_context import PARENT, TRACE
from tests.unit.serving.tracing.test_tracer import CALLER, UNSAMPLED

BODY = json.dumps(request([[1, 2, 3]]))
CALL = "inference.GRPCInferenceService/ModelInfer"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.write(tmp_path)


def infer(connection: http.client.HTTPConnection, headers: dict[str, str]) -> None:
    connection.request("POST", INFER, BODY, headers)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["outputs"][0]["data"]) == (200, [321])


def call(port: int, headers: dict[str, str]) -> None:
    message = CLASSES["ModelInferRequest"](model_name="tiny", raw_input_contents=[np.ones(3, "<f4").tobytes()])
    message.inputs.add(name="input", datatype="FP32", shape=[1, 3])
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        asking = channel.unary_unary(f"/{CALL}", request_serializer=lambda one: one.SerializeToString())
        asking(message, metadata=list(headers.items()), timeout=SECONDS)


def test_a_collector_gets_the_spans_of_both_transports_before_it_ends(files: Files) -> None:
    with collector() as to:
        with serving(files, otlp_endpoint=to.url, grpc_port="0", metrics_port="0") as server:
            with server.connect() as connection:
                for headers in (CALLER, UNSAMPLED, {}):
                    infer(connection, headers)
            call(server.ready["grpc_port"], CALLER)
            server.terminate()
            code, _, complaints = server.end()
        spans = to.spans(6)

    assert (code, complaints) == (0, "")
    assert sorted(span.name for span in spans) == sorted([f"POST {INFER}", CALL, *["queue", "run"] * 2])
    assert {(span.trace_id.hex(), span.trace_state) for span in spans} == {(TRACE, "foo=1")}
    assert [span.parent_span_id.hex() for span in spans if span.kind == 2] == [PARENT] * 2
    resource = values(to.requests[0].resource_spans[0].resource.attributes)
    assert resource.pop("service.instance.id") and resource.pop("service.version")
    assert resource == {
        "service.name": "tiny", "sealift.artifact.id": sealed().artifact_id,
        "sealift.payload.digest": sealed().payload_digest,
    }  # fmt: skip


def test_all_are_traced_where_it_is_told_to_and_metrics_count_them(files: Files) -> None:
    with (
        collector() as to,
        serving(files, otlp_endpoint=to.url, trace_ratio="1", metrics_port="0") as server,
        server.connect() as connection,
    ):
        for _ in range(200):
            infer(connection, {})
        assert len({span.trace_id for span in to.spans(512)}) > 150
        page = http.client.HTTPConnection("127.0.0.1", server.ready["metrics_port"], timeout=SECONDS)
        page.request("GET", "/metrics")
        text = page.getresponse().read().decode()

    assert 'sealift_spans_total{outcome="dropped"} 0' in text
    assert 'sealift_spans_total{outcome="sent"}' in text


def test_a_collector_that_is_gone_fails_no_request_and_has_one_line(files: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gone = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with serving(files, otlp_endpoint=gone, trace_ratio="1") as server:
        with server.connect() as connection:
            for _ in range(1000):
                infer(connection, {})
        server.terminate()
        code, log, complaints = server.end()

    assert (code, complaints) == (0, "")
    assert [line["reason"] for line in log if line["event"] == "spans not exported"] == ["ConnectionRefusedError"]


def test_what_it_needs_for_that_is_loaded_only_where_it_is_asked_for(files: Files) -> None:
    with serving(files) as server:
        loaded = Path(f"/proc/{server.process.pid}/maps").read_text()

    assert "google/_upb" not in loaded  # protobuf's


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"otlp_endpoint": "collector:4318"}, "the OTLP endpoint must be a URL that begins with http:// or https://"),
        ({"trace_ratio": "2"}, "argument --trace-ratio: '2' is not a ratio; allowed: 0 to 1"),
        ({"trace_ratio": "x"}, "argument --trace-ratio: invalid"),
    ],
)
def test_what_cannot_be_keeps_it_from_starting(files: Files, changed: dict[str, str], said: str) -> None:
    process = start(arguments(files, **changed))
    output, complaints = process.communicate(timeout=SECONDS)

    assert (process.returncode, output, complaints.count("\n")) == (1, "", 1)
    assert said in complaints


@pytest.fixture
def receiver() -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    program = os.environ.get("SEALIFT_OTLP_RECEIVER")
    if program is None:
        pytest.skip("SEALIFT_OTLP_RECEIVER names no receiver that others wrote")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    process = subprocess.Popen([program, address], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield address, process
    finally:
        process.kill()
        process.communicate()


def test_a_receiver_that_others_wrote_reads_them(files: Files, receiver: "tuple[str, subprocess.Popen[str]]") -> None:
    address, process = receiver
    with serving(files, otlp_endpoint=f"http://{address}") as server:
        with server.connect() as connection:
            infer(connection, CALLER)
        server.terminate()
        assert server.end()[0] == 0
    assert process.stdout is not None
    (resource,) = json.loads(process.stdout.readline())["resourceSpans"]
    spans: list[dict[str, Any]] = resource["scopeSpans"][0]["spans"]

    assert [span["name"] for span in spans] == [f"POST {INFER}", "queue", "run"]
    assert [span["parentSpanId"] for span in spans] == [PARENT, spans[0]["spanId"], spans[0]["spanId"]]
    assert {span["traceId"] for span in spans} == {TRACE}
