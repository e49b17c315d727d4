"""Reading the stack's outputs and the service's answer, against a real HTTP server."""

import http.server
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bootstrap.commands import prediction
from bootstrap.context import Context
from bootstrap.errors import BootstrapError

OUTPUTS = {
    "url": "http://127.0.0.1:1/",
    "namespace": "dev",
    "service": "diabetes",
    "modelName": "diabetes",
    "example": {"inputs": [[0.5, 1.5]], "expected": [[151.0]]},
}


def test_what_docker_serves_is_asked_directly_alone(context: Context) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name not in ("namespace", "service")}
    service = prediction.parse(json.dumps(outputs | {"container": "model-1a2b3c4"}))

    assert (service.namespace, service.name) == ("", "model-1a2b3c4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction, "READY_SECONDS", 0.0)
        with pytest.raises(BootstrapError) as refused:
            prediction.ask(context, service, lambda text: None)
    assert [*refused.value.ways] == ["docker logs model-1a2b3c4"]


@pytest.fixture
def server() -> Iterator[str]:
    """Ready at the second question; predicts the sum of the row."""
    asked: list[str] = []

    with answering(asked, lambda key: True) as url:
        yield url


@pytest.fixture
def closed_server() -> Iterator[str]:
    """Does not know the key when it is first sent, as a pod whose Secret the kubelet has not changed yet."""
    sent: list[str | None] = []

    def admits(key: str | None) -> bool:
        sent.append(key)
        return key == "sealift_k" and len(sent) > 1

    with answering(["asked once"], admits) as url:
        yield url


@contextmanager
def answering(asked: list[str], admits: Callable[[str | None], bool]) -> Iterator[str]:
    class Model(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.reply(200 if len(asked) > 1 and self.path == "/v2/models/diabetes/ready" else 503, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not admits(self.headers["X-API-Key"]):
                return self.reply(401, {"error": "unknown key"})
            (tensor,) = body["inputs"]
            assert (self.path, tensor["name"], tensor["datatype"]) == ("/v2/models/diabetes/infer", "input", "FP32")
            assert tensor["shape"] == [1, len(tensor["data"])]
            return self.reply(200, {"outputs": [{"name": "prediction", "data": [sum(tensor["data"])]}]})

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


@pytest.fixture
def api_server(context: Context, server: str, tmp_path: Path) -> Iterator[list[str]]:
    """An API server as the current context of KUBECONFIG, which lets in who has the token; the paths it was asked."""
    asked: list[str] = []
    service = "/api/v1/namespaces/dev/services/diabetes:http/proxy"

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path + (f" with {key}" if (key := self.headers["X-API-Key"]) else ""))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, reply = 503, b'{"kind": "Status", "message": "no endpoints available"}'
            if self.headers["Authorization"] != "Bearer let-me-in":
                status, reply = 401, b"Unauthorized"
            elif self.path.startswith(f"{service}/"):
                status, reply = self.forward(f"{server}{self.path.removeprefix(service)}", body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def forward(self, url: str, body: bytes) -> tuple[int, bytes]:
            try:
                with urllib.request.urlopen(urllib.request.Request(url, body or None, method=self.command)) as reply:
                    return reply.status, reply.read()
            except urllib.error.HTTPError as problem:
                return problem.code, problem.read()

        do_POST = do_GET  # noqa: N815  the name that the base class looks for

        def log_message(self, *_: object) -> None: ...

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{running.server_port}"}}],
        "users": [{"name": "me", "user": {"token": "let-me-in"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    context.user = {**context.user, "KUBECONFIG": str(tmp_path / "kubeconfig")}
    yield asked
    running.shutdown()
    running.server_close()


@pytest.fixture(autouse=True)
def python(context: Context) -> None:
    """The checkout's Python is the one that runs the tests."""
    context.layout.python.parent.mkdir(parents=True)
    context.layout.python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    context.layout.python.chmod(0o755)


KEYS = {"apiKeys": {"dashboard": "sealift_d", "default": "sealift_k"}}
INSIDE = {**OUTPUTS, "url": "http://diabetes.dev.svc:8080"}  # exposure: cluster


def test_a_service_inside_the_cluster_is_asked_through_the_api_server(context: Context, api_server: list[str]) -> None:
    answer = prediction.ask(context, prediction.parse(json.dumps(INSIDE)), lambda _: None)

    proxy = "/api/v1/namespaces/dev/services/diabetes:http/proxy"
    assert answer == prediction.ServiceAnswer([2.0], proxy)
    assert api_server == [f"{proxy}/v2/models/diabetes/{verb}" for verb in ("ready", "ready", "infer")]


def test_the_key_goes_through_the_api_server_beside_the_administrator_s_own_token(
    context: Context, api_server: list[str]
) -> None:
    prediction.ask(context, prediction.parse(json.dumps({**INSIDE, **KEYS})), lambda _: None)

    assert [path.rpartition("/")[2] for path in api_server] == [
        f"{verb} with sealift_k" for verb in ("ready", "ready", "infer")
    ]


def test_what_the_api_server_says_reaches_the_user(
    context: Context, api_server: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "READY_SECONDS", 0.2)

    with pytest.raises(BootstrapError, match=r"was not ready after 0 s: no endpoints available$"):
        prediction.ask(context, prediction.parse(json.dumps({**INSIDE, "service": "other"})), lambda _: None)
    assert api_server


def test_a_mistake_of_ours_is_not_taken_for_silence(context: Context) -> None:
    """Such as an argument that the client does not have: waiting would hide it."""
    context.layout.python.write_text("#!/bin/sh\necho 'TypeError: call_api() got an argument' >&2; exit 1\n")

    with pytest.raises(BootstrapError, match=r"(?s)internal error: .*TypeError: call_api"):
        prediction.ask(context, prediction.parse(json.dumps(INSIDE)), lambda _: None)


def test_a_container_that_is_gone_is_said_at_once_with_the_way_out(
    context: Context, program: Callable[[str, str], Path]
) -> None:
    program("docker", "exit 0")
    outputs = {name: value for name, value in OUTPUTS.items() if name not in ("namespace", "service")}
    service = prediction.parse(json.dumps(outputs | {"container": "model-1a2b3c4"}))

    with pytest.raises(BootstrapError, match=r"model-1a2b3c4 does not exist any more") as refused:
        prediction.ask(context, service, lambda _: None, "laptop")

    assert [*refused.value.ways] == ["to create it again, run pulumi refresh --stack laptop, then make up STACK=laptop"]


def test_a_service_that_is_gone_is_said_at_once(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    status = json.dumps({"kind": "Status", "reason": "NotFound", "message": 'services "diabetes" not found'})
    monkeypatch.setattr(prediction, "_send_through_api_server", lambda _: lambda *asked: (404, status))

    with pytest.raises(BootstrapError, match=r"diabetes does not exist any more"):
        prediction.ask(context, prediction.parse(json.dumps(INSIDE)), lambda _: None)


def test_the_command_to_try_next_can_be_typed(context: Context, server: str) -> None:
    """Where the address is reached directly, by curl itself."""
    service = prediction.parse(json.dumps({**OUTPUTS, "url": server}))
    context.layout.root.mkdir(exist_ok=True)
    (context.layout.root / "request.json").write_text(json.dumps(service.request))
    (line,) = prediction.by_hand(context, service, server, "request.json", "headers")

    done = subprocess.run(["sh", "-c", line], cwd=context.layout.root, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout)["outputs"][0]["data"] == [2.0]


def test_the_key_is_sent_and_the_command_to_try_next_takes_it_from_a_file(context: Context, closed_server: str) -> None:
    """Under X-API-Key, since the API server takes Authorization for its own."""
    service = prediction.parse(json.dumps({**OUTPUTS, **KEYS, "url": closed_server}))
    context.layout.root.mkdir(exist_ok=True)
    (context.layout.root / "request.json").write_text(json.dumps(service.request))
    (context.layout.root / "h").write_text("X-API-Key: sealift_k\n")

    answer = prediction.ask(context, service, lambda _: None)
    (line,) = prediction.by_hand(context, service, closed_server, "request.json", "h")
    done = subprocess.run(["sh", "-c", line], cwd=context.layout.root, capture_output=True, text=True, check=True)

    assert answer.values == json.loads(done.stdout)["outputs"][0]["data"] == [2.0]
    assert "sealift_k" not in line


def test_the_first_of_other_keys_is_taken_and_none_where_there_are_none() -> None:
    keys = [prediction.parse(json.dumps({**OUTPUTS, "apiKeys": given})).key for given in ({"app": "a"}, {}, None)]

    assert keys == ["a", None, None]


def test_the_command_to_try_next_suits_the_cluster(context: Context) -> None:
    service, proxy = prediction.parse(json.dumps(INSIDE)), "/api/v1/namespaces/dev/services/diabetes:http/proxy"

    data = "-H 'Content-Type: application/json' -d @r.json"
    assert prediction.by_hand(context, service, proxy, "r.json", "h") == [
        "kubectl --namespace dev port-forward service/diabetes 8080:http",
        f"curl -s http://127.0.0.1:8080/v2/models/diabetes/infer {data}  # in another terminal",
    ]
    page = prediction.page(context, service, proxy)
    assert page == ("kubectl --namespace dev port-forward service/diabetes 8080:http, then http://127.0.0.1:8080/")

    context.learn(kubeconfig=str(context.layout.kubeconfig))
    pki = ".tools/cluster/pki"
    administrator = f"--cacert {pki}/ca.crt --cert {pki}/admin.crt --key {pki}/admin.key"
    assert prediction.by_hand(context, service, proxy, "r.json", "h") == [
        f"curl -s {administrator} https://127.0.0.1:27443{proxy}/v2/models/diabetes/infer {data}"
    ]
    assert prediction.page(context, service, proxy) == page


def test_it_waits_until_ready_and_then_asks(context: Context, server: str) -> None:
    service = prediction.parse(json.dumps({**OUTPUTS, "url": server + "/"}))

    answer = prediction.ask(context, service, lambda _: None)

    assert answer == prediction.ServiceAnswer([2.0], server)


def test_a_service_that_never_gets_ready_says_why(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(prediction, "READY_SECONDS", 0.2)
    context.user = {**context.user, "KUBECONFIG": str(tmp_path / "none")}

    with pytest.raises(BootstrapError, match="was not ready after 0 s: Invalid kube-config file"):
        prediction.ask(context, prediction.parse(json.dumps(OUTPUTS)), lambda _: None)


def test_ways_to_look_are_commands_that_are_there(context: Context, program: Callable[[str, str], Path]) -> None:
    """Set-up brings no kubectl."""
    service = prediction.parse(json.dumps(OUTPUTS))
    context.learn(kubeconfig=str(context.layout.kubeconfig))
    assert prediction._ways_to_look(context, service) == [
        "read the pods' logs: tail .tools/cluster/pod-logs/dev_*/*/*.log"
    ]

    program("kubectl", "")
    assert "kubectl --namespace dev get pods,events" in prediction._ways_to_look(context, service)


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_missing_output_is_named(name: str) -> None:
    with pytest.raises(BootstrapError, match=f"no output {name}$"):
        prediction.parse(json.dumps({**OUTPUTS, name: None}))


def test_the_example_s_own_request_is_sent_where_there_is_one() -> None:
    request = {"inputs": [{"name": "side", "shape": [1, 1], "datatype": "BYTES", "data": [["north"]]}]}
    example = {"inputs": [["north"]], "expected": [[151.0]], "request": request}

    assert prediction.parse(json.dumps({**OUTPUTS, "example": example})).request == request


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
