"""Which request is sampled, and its times → spans.

As OpenTelemetry's ParentBased(TraceIdRatioBased) decides: the caller's flag where there is one, else a draw. A request
that is not sampled costs a look at its header, and nothing is made for it.

    server     from the first byte until the answer is written
    ├ queue    until the model's run begins
    └ run      of the model, with others' rows if they came at once
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
"""The digit of a `traceparent` that has the flag, and what it is then: the rest need not be read to say no."""
INTERNAL: Final = 1
SERVER: Final = 2
"""Kinds of span, by OpenTelemetry's numbers."""


class Span(NamedTuple):
    """One that has ended. Times are in nanoseconds since 1970."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    """Empty: it has none."""
    is_remote: bool
    """Whether the parent is another process'."""
    state: str
    name: str
    kind: int
    begun_ns: int
    ended_ns: int
    attributes: Mapping[str, Value]
    failed: bool


class Trace:
    """One request's part of a trace that is recorded."""

    __slots__ = ("_queued_ns", "_ran", "parent_id", "span_id", "state", "trace_id")

    def __init__(self, trace_id: bytes, parent_id: bytes = b"", state: str = "") -> None:
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.state = state
        self.span_id = secrets.token_bytes(8)
        self._queued_ns = 0
        self._ran: Ran | None = None

    def mark_queued(self) -> None:
        """It waits for the model from now on."""
        self._queued_ns = time.perf_counter_ns()

    def ran(self, ran: Ran) -> None:
        """The model has run for it."""
        self._ran = ran

    def spans(self, name: str, began: float, attributes: Mapping[str, Value], failed: bool) -> list[Span]:
        """All of it. `began` is when its first byte came, by time.perf_counter; it ends now."""
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
    """`ratio`: of requests that say nothing of a trace, how many are sampled; 0 to 1. `scheme` is HTTP's."""

    def __init__(self, ratio: float, scheme: str, export: Callable[[Sequence[Span]], None]) -> None:
        self.scheme = scheme
        self._ratio = ratio
        self._export = export

    def start(self, traceparent: bytes | None, tracestate: bytes | None) -> Trace | None:
        """For a request with these headers. None: it is not recorded."""
        if traceparent is not None:
            if not self._ratio and traceparent[LAST_FLAG] not in SAMPLED:
                return None
            context = parse_trace_context(traceparent)
            if context is not None:
                if not context.sampled:
                    return None
                return Trace(context.trace_id, context.parent_id, state_of(tracestate or b""))
        if self._ratio and random.random() < self._ratio:  # noqa: S311 - no secret hangs on it
            return Trace(secrets.token_bytes(16))
        return None

    def end(self, trace: Trace, name: str, began: float, attributes: Mapping[str, Value], *, failed: bool) -> None:
        """The request is answered. `failed`: it is the server's fault."""
        self._export(trace.spans(name, began, attributes, failed))
