"""An HTTP server that takes what an exporter sends, and reads it with OpenTelemetry's own messages."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SECONDS = 30.0


class Collector:
    """What came, and what the next requests are answered: a status, headers and a body; at the end it is 200."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Mapping[str, str], bytes]] = []
        self.requests: list[ExportTraceServiceRequest] = []
        self.came = threading.Condition()
        self.url = ""

    def spans(self, count: int) -> list[Any]:
        """Once there are so many of requests that were answered with 200: all."""
        with self.came:
            assert self.came.wait_for(lambda: len(self._spans()) >= count, SECONDS), f"{len(self._spans())} spans"
            return self._spans()

    def _spans(self) -> list[Any]:
        return [
            span
            for one in self.requests
            for of in one.resource_spans
            for scope in of.scope_spans
            for span in scope.spans
        ]


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
            with made.came:
                status, headers, answer = made.answers.pop(0) if made.answers else (200, {}, b"")
                if status == 200:
                    made.requests.append(ExportTraceServiceRequest.FromString(body))
                made.came.notify_all()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def values(attributes: Any) -> dict[str, str | int]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
