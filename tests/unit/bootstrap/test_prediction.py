"""Reading the stack's outputs and the service's answer, against a real HTTP server."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from bootstrap import prediction
from bootstrap.context import Context
from bootstrap.errors import BootstrapError

OUTPUTS = {
    "url": "http://127.0.0.1:1/",
    "namespace": "dev",
    "service": "diabetes",
    "modelName": "diabetes",
    "example": {"inputs": [[0.5, 1.5]], "expected": [[151.0]]},
}


@pytest.fixture
def server() -> Iterator[str]:
    """Ready at the second question; predicts the sum of the row."""
    asked: list[str] = []

    class Model(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.reply(200 if len(asked) > 1 and self.path == "/v2/models/diabetes/ready" else 503, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            (tensor,) = body["inputs"]
            assert (self.path, tensor["name"], tensor["datatype"]) == ("/v2/models/diabetes/infer", "input", "FP32")
            assert tensor["shape"] == [1, len(tensor["data"])]
            self.reply(200, {"outputs": [{"name": "prediction", "data": [sum(tensor["data"])]}]})

        def reply(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def test_it_waits_until_ready_and_then_asks(context: Context, server: str) -> None:
    service = prediction.parse(json.dumps({**OUTPUTS, "url": server + "/"}))

    answer = prediction.ask(context, service, lambda _: None)

    assert answer == prediction.Answer([2.0], server)


def test_a_service_that_never_gets_ready_says_why(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "READY_SECONDS", 0.2)
    service = prediction.parse(json.dumps(OUTPUTS))

    with pytest.raises(BootstrapError, match="did not get ready in 0 s: the API server does not answer") as caught:
        prediction.ask(context, service, lambda _: None)

    assert "kubectl --namespace dev get pods,events" in caught.value.ways


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_missing_output_is_named(name: str) -> None:
    with pytest.raises(BootstrapError, match=f"no output {name}$"):
        prediction.parse(json.dumps({**OUTPUTS, name: None}))


def test_an_example_may_travel_as_text() -> None:
    service = prediction.parse(json.dumps({**OUTPUTS, "example": json.dumps(OUTPUTS["example"])}))

    assert (service.row, service.expected) == ([0.5, 1.5], [151.0])


@pytest.mark.parametrize("text", ["", "no json"])
def test_outputs_that_cannot_be_read_are_an_error(text: str) -> None:
    with pytest.raises(BootstrapError, match="outputs could not be read"):
        prediction.parse(text)


@pytest.mark.parametrize("body", ["", "{}", '{"outputs": []}', '{"outputs": [{}]}', "[1]", '{"error": "shape"}'])
def test_an_answer_that_is_no_prediction_is_shown(body: str) -> None:
    with pytest.raises(BootstrapError, match="answered the example row with 200"):
        prediction._values(200, body)
