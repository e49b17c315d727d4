"""Requests and responses, and the contracts of clients and handlers."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from sealift.serving.errors import RequestError
from sealift.serving.http.errors import RefusedRequest
from sealift.serving.memory_budget import MAX_BODY_BYTES, SMALL_BYTES, MemoryBudget, Share
from sealift.serving.protocol.contract import Body
from sealift.serving.served import Served

if TYPE_CHECKING:
    from sealift.serving.http.routes import Route
    from sealift.serving.tracing.tracer import Trace

JSON: Final = b"application/json"
BINARY: Final = b"application/octet-stream"
JSON_BYTES_HEADER: Final = b"inference-header-content-length"
"""Header with the number of bytes of a body that are JSON; the rest is binary."""
BEARER: Final = b"bearer "


class Response(NamedTuple):
    """A response. `fields` are further header lines, each with its line end."""

    status: int
    body: bytes
    content_type: bytes = JSON
    fields: bytes = b""


class Client(Protocol):
    """The sender of a request."""

    def reply(self, response: Response) -> None:
        """Sends the response. Called once for each request, on the event loop, at once or later."""


class Handler(Protocol):
    """Handles a connection's requests: the model's service, or another one on another port."""

    served: Served
    """While it is draining, each connection closes after its next answer."""

    def admit(self, request: "HttpRequest") -> None:
        """Called after the head is read. Sets the refusal if the request is refused whatever its body is."""

    def handle(self, request: "HttpRequest", client: Client) -> None:
        """Answers a complete or refused request, at once or later."""

    def answer_failure(self, request: "HttpRequest", error: Exception) -> Response:
        """Makes the response to a request that ended with `error`."""


class HttpRequest:
    """One request. Missing headers have the class's default values, which take no memory."""

    began = 0.0
    """Arrival of its first byte, by time.perf_counter."""
    method = b""
    target = b""
    """The target as sent: percent-encoded, with the query."""
    keep_alive = True
    hop = False
    """Whether the request has a Connection header."""
    upgrades = False
    """Whether the request offers to upgrade to another protocol."""
    host: bytes | None = None
    """The Host as sent. Several are joined to a value that is not a valid host."""
    origin: bytes | None = None
    """Origin of the page whose browser sent the request."""
    asked_method: bytes | None = None
    """The method in a browser's preflight request."""
    transfer: bytes | None = None
    """The transfer-encoding, as sent."""
    length: int | None = None
    """Announced size of the body in bytes."""
    expects = False
    """Whether the client waits for 100 Continue before it sends the body."""
    encoding: bytes | None = None
    """Content-Encoding of the body, if any, in lower case."""
    accepts_gzip = False
    """Whether a large response may be compressed."""
    json_bytes: bytes | None = None
    """Value of JSON_BYTES_HEADER."""
    credential: bytes | None = None
    """A key or token, without its scheme."""
    body: Body = b""
    identifier: bytes | None = None
    """The client's identifier of the request, as sent."""
    traceparent: bytes | None = None
    tracestate: bytes | None = None
    """The headers as sent. `traceparent` is empty, which is invalid, if it was sent more than once."""
    trace: "Trace | None" = None
    """The trace, if the request is recorded."""
    rows = 0
    """Number of rows for the model, once it is known."""
    route: "Route | None" = None
    caller = ""
    """Name of the caller, if access was checked."""
    refusal: Response | None = None
    """The response, if the request is refused whatever its body is."""
    share: Share | None = None
    """The request's share of the memory budget, if any."""

    @property
    def announces_body(self) -> bool:
        """Whether the head says that a body follows."""
        return self.transfer is not None or bool(self.length)

    def release(self) -> None:
        """Drops the body and releases its memory share."""
        self.body = b""
        if self.share is not None:
            self.share.release()
            self.share = None

    def read_field(self, name: bytes, value: bytes) -> None:
        """Reads a header, whose name may be in any case. Most headers are ignored."""
        read = FIELDS.get(name) or FIELDS.get(name.lower())
        if read is not None:
            read(self, value)

    def extend(self, part: bytes, memory: MemoryBudget) -> None:
        """Appends a part of the body. Raises RefusedRequest (413) or Overloaded, and then drops the body."""
        if not self.body:  # a body in one part, as nearly all are, is not copied
            self.body = part
        else:
            if isinstance(self.body, bytes):
                self.body = bytearray(self.body)
            self.body += part
        size = len(self.body)
        if size <= SMALL_BYTES:
            return
        try:
            if size > MAX_BODY_BYTES:
                raise too_large()
            if self.share is None:
                self.share = Share(memory)
            self.share.grow_to(size)
        except RequestError:
            self.release()
            raise


def too_large() -> RefusedRequest:
    """Makes the refusal of a body that is too large."""
    return RefusedRequest(413, f"the body exceeds the limit of {MAX_BODY_BYTES} bytes; send fewer rows per request")


def not_taken() -> RefusedRequest:
    """Makes the refusal of a body on a path that accepts none."""
    return RefusedRequest(413, "this path does not accept a body; send the request without one")


REASONS: Final = {int(status): status.phrase.encode() for status in HTTPStatus}
STARTS: Final = {
    (status, kind): b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\n" % (status, reason, kind)
    for status, reason in REASONS.items()
    for kind in (JSON, BINARY)
}


def head(response: Response, date: bytes, close: bool) -> bytes:
    """Makes status line and headers. `date` is a whole header line."""
    status, body, content_type, fields = response
    start = STARTS.get((status, content_type)) or b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\n" % (
        status, REASONS[status], content_type,
    )  # fmt: skip
    end = b"connection: close\r\n\r\n" if close else b"\r\n"
    return b"%s%s%scontent-length: %d\r\n%s" % (start, date, fields, len(body), end)


def _accepts_gzip(value: bytes) -> bool:
    """Whether an Accept-Encoding has gzip with a weight above 0 (RFC 9110, 12.4.2)."""
    for item in value.lower().split(b","):
        name, _, weight = item.replace(b" ", b"").partition(b";q=")
        if name == b"gzip":
            return weight.strip(b"0.") != b"" or not weight
    return False


def _set_length(request: HttpRequest, value: bytes) -> None:
    request.length = int(value)  # the parser accepts only numbers


def _set_host(request: HttpRequest, value: bytes) -> None:
    request.host = value if request.host is None else b"%s %s" % (request.host, value)


def _set_origin(request: HttpRequest, value: bytes) -> None:
    request.origin = value


def _set_asked_method(request: HttpRequest, value: bytes) -> None:
    request.asked_method = value


def _set_transfer(request: HttpRequest, value: bytes) -> None:
    request.transfer = value if request.transfer is None else b"%s, %s" % (request.transfer, value)


def _set_upgrades(request: HttpRequest, value: bytes) -> None:
    request.upgrades = True


def _set_expects(request: HttpRequest, value: bytes) -> None:
    request.expects = value.lower() == b"100-continue"


def _set_encoding(request: HttpRequest, value: bytes) -> None:
    name = value.strip().lower()
    if request.encoding is not None:  # two encodings are joined to an unknown one
        name = b"%s, %s" % (request.encoding, name)
    if name not in (b"", b"identity"):
        request.encoding = name


def _set_accepted(request: HttpRequest, value: bytes) -> None:
    request.accepts_gzip = _accepts_gzip(value)


def _set_json_bytes(request: HttpRequest, value: bytes) -> None:
    request.json_bytes = value


def _set_authorization(request: HttpRequest, value: bytes) -> None:
    if value[: len(BEARER)].lower() == BEARER:
        request.credential = value[len(BEARER) :].strip()


def _set_key(request: HttpRequest, value: bytes) -> None:
    request.credential = value


def _set_identifier(request: HttpRequest, value: bytes) -> None:
    request.identifier = value


def _set_traceparent(request: HttpRequest, value: bytes) -> None:
    request.traceparent = value if request.traceparent is None else b""


def _set_tracestate(request: HttpRequest, value: bytes) -> None:
    request.tracestate = value if request.tracestate is None else b"%s,%s" % (request.tracestate, value)


def _set_hop(request: HttpRequest, value: bytes) -> None:
    request.hop = True


def _ignore(request: HttpRequest, value: bytes) -> None:
    """Ignores headers that nearly every client sends and the server does not use."""


_READ: Final[Mapping[bytes, Callable[[HttpRequest, bytes], None]]] = {
    b"host": _set_host,
    b"origin": _set_origin,
    b"access-control-request-method": _set_asked_method,
    b"content-length": _set_length,
    b"transfer-encoding": _set_transfer,
    b"upgrade": _set_upgrades,
    b"expect": _set_expects,
    b"content-encoding": _set_encoding,
    b"accept-encoding": _set_accepted,
    JSON_BYTES_HEADER: _set_json_bytes,
    b"authorization": _set_authorization,
    b"x-api-key": _set_key,
    b"x-request-id": _set_identifier,
    b"connection": _set_hop,
    b"traceparent": _set_traceparent,
    b"tracestate": _set_tracestate,
    **dict.fromkeys((b"content-type", b"user-agent", b"accept"), _ignore),
}
FIELDS: Final = {name: read for lower, read in _READ.items() for name in (lower, lower.title())}
"""Functions that read a header into a request, by the name as most clients write it. Other spellings are looked up in
lower case."""
