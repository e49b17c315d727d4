"""Sampling of requests, and the spans of those that are sampled.

The client's flag decides, or chance if the request has no flag, as in OpenTelemetry's ParentBased(TraceIdRatioBased).
A request that is not sampled costs one look at its header, and no object is made for it.

    server     from the first byte until the response is written
    ├ queue    until the model's run begins
    └ run      run of the model, together with other requests' rows that arrived at the same time
"""

import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from sealift.serving.batches import Ran
from sealift.serving.tracing.trace_context import parse_trace_context, state_of

Value = str | int
LAST_FLAG: Final = slice(54, 55)
SAMPLED: Final = frozenset(b"%x" % digit for digit in range(1, 16, 2))
"""Place of the digit of a `traceparent` that has the flag `sampled`, and its values if the flag is set. A request that
is not sampled needs no further parsing."""
INTERNAL: Final = 1
SERVER: Final = 2
"""Kinds of spans, in OpenTelemetry's numbers."""


class Span(NamedTuple):
    """A span that has ended. Times are in nanoseconds since 1970."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    """Span id of the parent. Empty if the span has no parent."""
    is_remote: bool
    """Whether the parent is a span of another process."""
    state: str
    name: str
    kind: int
    begun_ns: int
    ended_ns: int
    attributes: Mapping[str, Value]
    failed: bool


class Trace:
    """A request's part of a trace that is recorded."""

    __slots__ = ("_queued_ns", "_ran", "parent_id", "span_id", "state", "trace_id")

    def __init__(self, trace_id: bytes, parent_id: bytes = b"", state: str = "") -> None:
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.state = state
        self.span_id = secrets.token_bytes(8)
        self._queued_ns = 0
        self._ran: Ran | None = None

    def mark_queued(self) -> None:
        """Notes that the request waits for the model from now on."""
        self._queued_ns = time.perf_counter_ns()

    def ran(self, ran: Ran) -> None:
        """Notes that the model has run for the request."""
        self._ran = ran

    def spans(self, name: str, began: float, attributes: Mapping[str, Value], failed: bool) -> list[Span]:
        """Returns the request's spans, which end now. `began` is the time.perf_counter of its first byte."""
        now = time.perf_counter_ns()
        shift = time.time_ns() - now
        remote = bool(self.parent_id)
        found = [
            Span(
                self.trace_id, self.span_id, self.parent_id, remote, self.state, name, SERVER,
                int(began * 1e9) + shift, now + shift, attributes, failed,
            )
        ]  # fmt: skip
        ran = self._ran
        if ran is not None:
            ended = ran.begun_ns + ran.input_ns + ran.infer_ns + ran.output_ns
            size = {"sealift.batch.requests": ran.requests, "sealift.batch.rows": ran.rows}
            found.append(self._part("queue", self._queued_ns + shift, ran.begun_ns + shift, {}))
            found.append(self._part("run", ran.begun_ns + shift, ended + shift, size))
        return found

    def _part(self, name: str, begun_ns: int, ended_ns: int, attributes: Mapping[str, Value]) -> Span:
        own = secrets.token_bytes(8)
        return Span(
            self.trace_id, own, self.span_id, False, self.state, name, INTERNAL, begun_ns, ended_ns, attributes, False
        )


class Tracer:
    """Decides which requests are traced, and exports their spans."""

    def __init__(self, ratio: float, scheme: str, export: Callable[[Sequence[Span]], None]) -> None:
        """`ratio` is the share, from 0 to 1, of the requests without a trace context that are sampled. `scheme` is the
        server's, http or https."""
        self.scheme = scheme
        self._ratio = ratio
        self._export = export

    def start(self, traceparent: bytes | None, tracestate: bytes | None) -> Trace | None:
        """Starts the trace of a request with these headers. Returns None if the request is not sampled."""
        if traceparent is not None:
            if not self._ratio and traceparent[LAST_FLAG] not in SAMPLED:
                return None
            context = parse_trace_context(traceparent)
            if context is not None:
                if not context.sampled:
                    return None
                return Trace(context.trace_id, context.parent_id, state_of(tracestate or b""))
        if self._ratio and random.random() < self._ratio:  # noqa: S311 - no secret depends on it
            return Trace(secrets.token_bytes(16))
        return None

    def end(self, trace: Trace, name: str, began: float, attributes: Mapping[str, Value], *, failed: bool) -> None:
        """Exports the spans of a request that is answered. `failed` means that the server caused an error."""
        self._export(trace.spans(name, began, attributes, failed))
