"""A request as a connection hears it, a response as it says it, and who waits for one."""

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
"""How many bytes of a body are JSON, where the rest is binary."""
BEARER: Final = b"bearer "


class Response(NamedTuple):
    """What is said. `fields` are further header lines, each with its end."""

    status: int
    body: bytes
    content_type: bytes = JSON
    fields: bytes = b""


class Client(Protocol):
    """Who sent a request."""

    def reply(self, response: Response) -> None:
        """Called once for each request, on the event loop: at once, or later."""


class Handler(Protocol):
    """Whom a connection asks: the model's service, or another on another port."""

    served: Served
    """Once it is draining, each connection closes after the next answer on it."""

    def admit(self, request: "HttpRequest") -> None:
        """Once its head is read: sets its refusal, if it is refused whatever its body is."""

    def handle(self, request: "HttpRequest", client: Client) -> None:
        """Answers a request that is whole, or refused: at once or later."""

    def answer_failure(self, request: "HttpRequest", error: Exception) -> Response:
        """What a request is answered that `error` ended."""


class HttpRequest:
    """One request. Each field that is not said has the class's value, which costs nothing."""

    began = 0.0
    """When its first byte came, by time.perf_counter."""
    method = b""
    target = b""
    """As it was sent: with a query, percent-encoded."""
    keep_alive = True
    hop = False
    """Whether it says something about the connection."""
    upgrades = False
    """Whether it offers to speak another protocol."""
    host: bytes | None = None
    """As sent; where there is more than one, it is none that could be."""
    origin: bytes | None = None
    """Of the page that a browser asks for."""
    asked_method: bytes | None = None
    """What a page will ask with, where its browser asks first whether it may."""
    transfer: bytes | None = None
    """The transfer-encoding, as sent."""
    length: int | None = None
    """Of the body, as announced."""
    expects = False
    """Whether the client waits for a word before it sends the body."""
    encoding: bytes | None = None
    """Of the body, if any, in lower case."""
    accepts_gzip = False
    """Whether a large answer may be compressed."""
    json_bytes: bytes | None = None
    """That header's value."""
    credential: bytes | None = None
    """A key or token, without its scheme."""
    body: Body = b""
    identifier: bytes | None = None
    """By which the client knows it, as sent."""
    traceparent: bytes | None = None
    tracestate: bytes | None = None
    """As sent; the first is empty where it came more than once, which is none."""
    trace: "Trace | None" = None
    """Where it is recorded."""
    rows = 0
    """That it asks the model for, once they are known."""
    route: "Route | None" = None
    caller = ""
    """Who sent it, as far as it was asked."""
    refusal: Response | None = None
    """What it will be answered, whatever its body is."""
    share: Share | None = None
    """Of the memory that is counted, where it takes some."""

    @property
    def announces_body(self) -> bool:
        """Whether its head says that a body follows."""
        return self.transfer is not None or bool(self.length)

    def release(self) -> None:
        """Drops its body, and gives back what that held."""
        self.body = b""
        if self.share is not None:
            self.share.release()
            self.share = None

    def read_field(self, name: bytes, value: bytes) -> None:
        """A header, in whatever case; most say nothing to us."""
        read = FIELDS.get(name) or FIELDS.get(name.lower())
        if read is not None:
            read(self, value)

    def extend(self, part: bytes, memory: MemoryBudget) -> None:
        """A part of the body. Raises Refused 413 and Overloaded, and then keeps nothing of it."""
        if not self.body:  # what came in one part, as nearly all do, is not copied
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
    """A body."""
    return RefusedRequest(413, f"the body exceeds the limit of {MAX_BODY_BYTES} bytes; send fewer rows per request")


def not_taken() -> RefusedRequest:
    """A body, where none is read."""
    return RefusedRequest(413, "this path does not accept a body; send the request without one")


REASONS: Final = {int(status): status.phrase.encode() for status in HTTPStatus}
STARTS: Final = {
    (status, kind): b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\n" % (status, reason, kind)
    for status, reason in REASONS.items()
    for kind in (JSON, BINARY)
}


def head(response: Response, date: bytes, close: bool) -> bytes:
    """Status line and headers. `date` is a whole line."""
    status, body, content_type, fields = response
    start = STARTS.get((status, content_type)) or b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\n" % (
        status, REASONS[status], content_type,
    )  # fmt: skip
    end = b"connection: close\r\n\r\n" if close else b"\r\n"
    return b"%s%s%scontent-length: %d\r\n%s" % (start, date, fields, len(body), end)


def _accepts_gzip(value: bytes) -> bool:
    """Whether an Accept-Encoding has it, with a weight above 0 (RFC 9110, 12.4.2)."""
    for item in value.lower().split(b","):
        name, _, weight = item.replace(b" ", b"").partition(b";q=")
        if name == b"gzip":
            return weight.strip(b"0.") != b"" or not weight
    return False


def _set_length(request: HttpRequest, value: bytes) -> None:
    request.length = int(value)  # the parser lets through nothing but a number


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
    if request.encoding is not None:  # two of them are one that nobody knows
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
    """What nearly every client sends, and says nothing to us."""


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
"""What a header does to a request, by its name as most clients write it; others are looked up in lower case."""
