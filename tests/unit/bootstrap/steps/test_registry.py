"""Which registry is used: a real HTTP server plays the part of what is on the port."""

import http.server
import io
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing
from bootstrap.steps import registry

Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """serve(status, **headers): an HTTP server on a free port of loopback, which it returns."""
    running: list[http.server.ThreadingHTTPServer] = []

    def start(status: int, version: str = "registry/2.0") -> int:
        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                if version:
                    self.send_header("Docker-Distribution-Api-Version", version)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        running.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("claim", "status", "version", "expected"),
    [
        ("an open registry", 200, "registry/2.0", True),
        ("one that wants a log-in", 401, "registry/2.0", True),
        ("a web server with such a page", 200, "", False),
        ("a web server without it", 404, "", False),
        ("a registry in trouble", 503, "registry/2.0", False),
    ],
)
def test_only_a_registry_counts(serve: Serve, claim: str, status: int, version: str, expected: bool) -> None:
    assert registry.answers(serve(status, version)) is expected, claim


def test_a_port_where_nobody_listens_has_no_registry() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))

        assert not registry.answers(unused.getsockname()[1])


def test_one_that_answers_is_used(context: Context, step: Step, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    port = serve(200)
    monkeypatch.setattr(registry, "PORTS", range(port, port + 1))

    registry.ensure(context, step)

    assert context.facts.registry == f"localhost:{port}"


def test_a_taken_port_is_passed_over_and_it_says_so(
    context: Context, terminal: io.StringIO, step: Step, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = serve(404, "")
    started: list[int] = []
    monkeypatch.setattr(registry, "PORTS", range(taken, taken + 20))

    def start(context: Context, step: Step, port: int) -> str:
        started.append(port)
        return "a test"

    monkeypatch.setattr(registry, "start", start)

    registry.ensure(context, step)

    assert started[0] > taken
    assert f"port {taken} is in use by another program; the registry uses port {started[0]}" in terminal.getvalue()


def test_the_users_choice_wins(context: Context, step: Step) -> None:
    context.user = {"SEALIFT_REGISTRY": "registry.example/team"}

    registry.ensure(context, step)

    assert step.result.startswith("registry.example/team")
    assert context.facts.registry == ""


def test_a_local_choice_that_does_not_answer_is_refused(context: Context, step: Step) -> None:
    context.user = {"SEALIFT_REGISTRY": "localhost:1"}

    with pytest.raises(PartMissing, match="SEALIFT_REGISTRY=localhost:1 does not answer"):
        registry.ensure(context, step)


def test_ours_listens_on_loopback_only_and_allows_deletion(context: Context) -> None:
    settings = registry.configuration(context, 5001)

    assert settings["http"] == {"addr": "127.0.0.1:5001"}
    assert settings["storage"]["delete"] == {"enabled": True}  # type: ignore[index]
