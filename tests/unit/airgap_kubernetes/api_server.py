"""An API server in little: real HTTP and status objects, a few kinds; it keeps what it is told, and errs on demand."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]
KINDS = {
    "/api/v1": {"ConfigMap": "configmaps", "Event": "events", "Pod": "pods"},
    "/apis/batch/v1": {"Job": "jobs"},
}


@dataclass(frozen=True)
class Request:
    """One that arrived: discovery and the version aside."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass
class ApiServer:
    """State and script of the server. Objects by path."""

    url: str = ""
    objects: dict[str, Object] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    errors: deque[tuple[int, Object]] = field(default_factory=deque)
    """Answers, in turn, to the next requests that change something."""
    status: Object = field(default_factory=dict)
    """What controllers will say of every object that is made."""
    delays: deque[threading.Event] = field(default_factory=deque)
    """What each of the next changes waits for."""

    @property
    def kubeconfig(self) -> str:
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "little",
                "contexts": [{"name": "little", "context": {"cluster": "little", "user": "me"}}],
                "clusters": [{"name": "little", "cluster": {"server": self.url}}],
                "users": [{"name": "me", "user": {}}],
            }
        )

    def changes(self) -> list[Request]:
        return [request for request in self.requests if request.method != "GET"]

    def answer(self, request: Request) -> tuple[int, Object]:
        self.requests.append(request)
        if request.method == "GET":
            return self._read(request.path)
        if self.delays:
            self.delays.popleft().wait(10)
        if self.errors:
            return self.errors.popleft()
        if request.method == "DELETE":
            return (200, self.objects.pop(request.path)) if request.path in self.objects else _missing(request.path)
        return self._write(request)

    def _read(self, path: str) -> tuple[int, Object]:
        if path in self.objects:
            return 200, self.objects[path]
        if path.rsplit("/", 1)[-1] in {plural for kinds in KINDS.values() for plural in kinds.values()}:
            return 200, {"items": [obj for key, obj in self.objects.items() if key.startswith(path + "/")]}
        return _missing(path)

    def _write(self, request: Request) -> tuple[int, Object]:
        body = request.body
        path = f"{request.path}/{body['metadata']['name']}" if request.method == "POST" else request.path
        if request.method == "POST" and path in self.objects:
            message = f"{path} already exists"
            return 409, {"kind": "Status", "reason": "AlreadyExists", "message": message}
        before = self.objects.get(path, {})
        given = {"uid": f"uid-{len(self.requests)}", "resourceVersion": "1", "generation": 1}
        live = {**body, "metadata": {**given, **before.get("metadata", {}), **body["metadata"]}}
        if self.status:
            live["status"] = self.status
        if "dryRun" not in request.query:
            self.objects[path] = live
        return 201, live


@contextmanager
def serving() -> Iterator[ApiServer]:
    """A server on a port of its own, for as long as the block runs."""
    state = ApiServer()

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            url = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if url.path == "/version":
                self.send(200, {"gitVersion": "v1.34.4"})
            elif url.path in KINDS:
                entries = [
                    {"kind": kind, "name": plural, "namespaced": True} for kind, plural in KINDS[url.path].items()
                ]
                self.send(200, {"resources": entries})
            else:
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                body = json.loads(content) if content else None
                self.send(*state.answer(Request(self.command, url.path, query, body)))

        def send(self, code: int, body: Object) -> None:
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_DELETE = do_GET = do_PATCH = do_POST = respond  # noqa: N815  the names that the base class looks for

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _missing(path: str) -> tuple[int, Object]:
    return 404, {"kind": "Status", "reason": "NotFound", "message": f"{path} not found"}
