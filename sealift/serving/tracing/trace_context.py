"""The headers `traceparent` and `tracestate` (W3C Trace Context, https://www.w3.org/TR/trace-context-1/)."""

import re
from typing import Final, NamedTuple

_PARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_MEMBER: Final = re.compile(
    rb"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    rb"=[ -+\--<>-~]{0,255}[!-+\--<>-~]"
)
"""A member of `tracestate` (section 3.3.1.3). Its value is printable ASCII without a comma or an equals sign, and does
not end with a space."""
MOST_MEMBERS: Final = 32


class TraceContext(NamedTuple):
    """The trace that a request belongs to, the span of its client, and whether the client records it."""

    trace_id: bytes
    parent_id: bytes
    sampled: bool


def parse_trace_context(traceparent: bytes) -> TraceContext | None:
    """Returns the trace context, or None if the header is invalid and must be ignored.

    A version later than 00 may have more fields at its end.
    """
    found = _PARENT.fullmatch(traceparent)
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == b"ff" or (version == b"00" and more is not None):
        return None
    if not trace_id.strip(b"0") or not parent_id.strip(b"0"):
        return None
    return TraceContext(bytes.fromhex(trace_id.decode()), bytes.fromhex(parent_id.decode()), bool(int(flags, 16) & 1))


def state_of(tracestate: bytes) -> str:
    """Returns the state to pass on: all of it, or "" if any member is malformed."""
    members = [member for part in tracestate.split(b",") if (member := part.strip(b" \t"))]
    if len(members) > MOST_MEMBERS or not all(map(_MEMBER.fullmatch, members)):
        return ""
    return b",".join(members).decode("ascii")
