"""Handling of a gRPC call from start to end: access, status, metrics and log.

INVALID_ARGUMENT     the request does not fit the model
NOT_FOUND            another model, or another version
UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED    errors of access control
UNAVAILABLE          the server is busy or shutting down; try again
INTERNAL             a server error; requests, and errors that quote them, are never logged
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import grpc
from google.protobuf.message import DecodeError

from sealift.serving.access import Scope
from sealift.serving.errors import (
    Forbidden,
    InvalidAnswer,
    InvalidInput,
    Overloaded,
    RequestError,
    TooManyRequests,
    Unauthenticated,
)
from sealift.serving.grpc.arrivals import Arrivals
from sealift.serving.grpc.messages import CLASSES, PACKAGE
from sealift.serving.log import log
from sealift.serving.memory_budget import Share
from sealift.serving.request_log import HEADER
from sealift.serving.served import Served

if TYPE_CHECKING:
    from sealift.serving.tracing.tracer import Trace, Tracer, Value


class UnknownModel(RequestError): ...


STATUS: Final[Mapping[type[RequestError], grpc.StatusCode]] = {
    UnknownModel: grpc.StatusCode.NOT_FOUND,
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    Overloaded: grpc.StatusCode.UNAVAILABLE,
    InvalidAnswer: grpc.StatusCode.OUT_OF_RANGE,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    TooManyRequests: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
CODES: Final[Mapping[grpc.StatusCode, int]] = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
}
"""HTTP status codes, by which calls are counted and logged. google/rpc/code.proto defines the mapping."""

NAMES_BYTES: Final = 4096
"""Largest size of a message that contains only names."""

OPEN_ARRIVING: Final = 2
OPEN_SECONDS: Final = 1.0
"""Limits for calls that need no key. Their places are separate, so that clients with a key do not wait for them."""

FAILURES: Final = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL}
"""Status codes that are the server's fault, by OpenTelemetry's conventions."""


class Call:
    """A client's call, and what is known of it so far."""

    __slots__ = ("began", "caller", "identifier", "message", "name", "received_bytes", "rows", "trace")

    def __init__(self, name: str, metadata: Mapping[str, str | bytes]) -> None:
        self.name = name
        self.began = time.perf_counter()
        self.caller = ""
        """Name of the client. Empty if the call needs no key."""
        self.identifier = _bytes(metadata, HEADER)
        """Request id that the client sent."""
        self.message: Any = None
        self.received_bytes = 0
        self.rows = 0
        """Number of rows in the request. 0 until the message is read."""
        self.trace: Trace | None = None
        """The call's part of a trace. None if the call is not sampled."""


class Method(NamedTuple):
    """The function that answers a call, and the scope that a client needs. None: anyone may make the call."""

    answer: Callable[[Call], Awaitable[Any]]
    scope: Scope | None
    most_bytes: int = NAMES_BYTES
    """Largest size of the message. With 0, the message is not read."""
    check: Callable[[bytes], int] = lambda data: 0
    """Returns the memory that the message's objects take beside its bytes. Raises InvalidInput if it must not be
    parsed."""


class Guard(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    """Checks the access of each call as soon as its metadata is read, and dispatches it."""

    def __init__(self, served: Served, methods: Mapping[str, Method]) -> None:
        self._access, self._tracer, self._memory = served.access, served.tracer, served.memory
        self._counts, self._log = served.counts, served.log
        self._arrivals = Arrivals()
        self._open_arrivals = Arrivals(OPEN_ARRIVING, OPEN_SECONDS)
        self._methods = {_path(name): (name, method) for name, method in methods.items()}
        self._counts.expect(self._methods)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Returns the handler of a call. None makes grpcio answer UNIMPLEMENTED."""
        found = self._methods.get(details.method)
        if found is None:
            return None
        name, method = found
        metadata = dict(details.invocation_metadata or ())
        call = Call(name, metadata)
        if method.scope is not None:
            try:
                call.caller = self._access.admit(_credential(metadata), method.scope, time.time())
            except RequestError as error:
                return grpc.stream_unary_rpc_method_handler(partial(self._refuse, call, error))
            if self._tracer is not None:
                call.trace = self._tracer.start(_bytes(metadata, "traceparent"), _bytes(metadata, "tracestate"))
        # For the client this is a unary call. Here it takes a stream, so that waiting for the message has a time limit,
        # and a message that is not needed is not waited for.
        return grpc.stream_unary_rpc_method_handler(partial(self._answer, call, method))

    async def _answer(self, call: Call, method: Method, _requests: Any, context: Any) -> bytes:
        share = Share(self._memory)
        try:
            call.message = await self._receive(call, method, share, context)
            answer: bytes = (await method.answer(call)).SerializeToString()
        except Exception as error:  # noqa: BLE001 - the last resort; a trace could quote the input
            return await self._abort(call, error, context)
        finally:
            call.message = None  # grpcio keeps calls for a while
            share.release()
        metadata = self._finish_call(call, grpc.StatusCode.OK, len(answer))
        if metadata:
            context.set_trailing_metadata(metadata)
        if method.scope == "predict":
            self._counts.request_seconds.observe(time.perf_counter() - call.began)
        return answer

    async def _receive(self, call: Call, method: Method, share: Share, context: Any) -> Any:
        """Returns the call's message. Its bytes are not kept."""
        arrivals = self._open_arrivals if method.scope is None else self._arrivals
        data = await arrivals.read(context) if method.most_bytes else b""
        call.received_bytes = len(data)
        share.grow_to(len(data))
        if len(data) > method.most_bytes:
            raise InvalidInput(f"the message has {len(data)} bytes; expected at most {method.most_bytes}")
        share.grow_to(len(data) + method.check(data))
        return _parse_message(call.name, data)

    async def _refuse(self, call: Call, error: RequestError, _requests: Any, context: Any) -> bytes:
        return await self._abort(call, error, context)

    async def _abort(self, call: Call, error: Exception, context: Any) -> bytes:
        if isinstance(error, RequestError):
            status, said = STATUS[type(error)], error.message
        else:
            status, said = grpc.StatusCode.INTERNAL, "internal error; see the server's log"
            log("error", "request failed", call=call.name, error=type(error).__name__)
        # These refer to the frames that read the message, and grpcio's error, which is raised from this one, is in a
        # reference cycle.
        error.__traceback__ = error.__context__ = error.__cause__ = None
        await context.abort(status, said, self._finish_call(call, status, 0))
        raise AssertionError("internal error: abort returned")

    def _finish_call(self, call: Call, status: grpc.StatusCode, answer_bytes: int) -> tuple[tuple[str, str], ...]:
        """Counts and logs a call. Returns the metadata to send to the client."""
        path, code = _path(call.name), CODES[status]
        self._counts.count_answer(path, code)
        if call.trace is not None and self._tracer is not None:
            _end(self._tracer, call.trace, call, status, answer_bytes)
        identifier = self._log.identifier(call.identifier, code)
        if identifier is None:
            return ()
        self._log.write_answer(
            identifier,
            caller=call.caller,
            route=path,
            status=code,
            rows=call.rows,
            began=call.began,
            bytes_in=call.received_bytes,
            bytes_out=answer_bytes,
            grpc_status=status.name,
            trace_id=None if call.trace is None else call.trace.trace_id.hex(),
        )
        return ((HEADER, identifier.decode("ascii")),)


def _end(tracer: "Tracer", trace: "Trace", call: Call, status: grpc.StatusCode, answer_bytes: int) -> None:
    """Ends the trace with attributes of OpenTelemetry's conventions.

    https://opentelemetry.io/docs/specs/semconv/rpc/grpc
    """
    name = _path(call.name)[1:]
    attributes: dict[str, Value] = {
        "rpc.system.name": "grpc",
        "rpc.method": name,
        "rpc.response.status_code": status.name,
        "http.request.body.size": call.received_bytes,
        "http.response.body.size": answer_bytes,
    }
    if call.rows:
        attributes["sealift.rows"] = call.rows
    failed = status in FAILURES
    if failed:
        attributes["error.type"] = status.name
    tracer.end(trace, name, call.began, attributes, failed=failed)


def _path(name: str) -> str:
    return f"/{PACKAGE}.GRPCInferenceService/{name}"


def _parse_message(name: str, data: bytes) -> Any:
    try:
        return CLASSES[f"{name}Request"].FromString(data)
    except DecodeError:
        raise InvalidInput(f"the message is not a {name}Request") from None


def _bytes(metadata: Mapping[str, str | bytes], name: str) -> bytes | None:
    value = metadata.get(name)
    return value.encode() if isinstance(value, str) else None


def _credential(metadata: Mapping[str, str | bytes]) -> bytes | None:
    """Returns the text after `Bearer ` in `authorization`, or else `x-api-key`."""
    kind, _, value = str(metadata.get("authorization", "")).partition(" ")
    if kind.lower() == "bearer" and value:
        return value.strip().encode()
    key = metadata.get("x-api-key")
    return str(key).encode() if key else None
