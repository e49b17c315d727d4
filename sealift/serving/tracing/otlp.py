"""Conversion of spans to an OTLP request, and the collector's response: https://opentelemetry.io/docs/specs/otlp/."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from sealift.serving.tracing.tracer import Span, Value
from sealift.serving.version import VERSION

SAMPLED: Final = 0x001
KNOWN_REMOTE: Final = 0x100
REMOTE: Final = 0x200
"""SpanFlags of trace.proto."""


def request(resource: Mapping[str, str], spans: Sequence[Span]) -> bytes:
    """Returns an ExportTraceServiceRequest, serialised, with the spans of one server."""
    message = ExportTraceServiceRequest()
    of = message.resource_spans.add()
    _set(of.resource.attributes, resource)
    scope = of.scope_spans.add()
    scope.scope.name, scope.scope.version = "sealift", VERSION
    for span in spans:  # each message is made in place, because appending a finished one copies it
        _write(scope.spans.add(), span)
    return bytes(message.SerializeToString())


def count_refused(answer: bytes) -> int:
    """Returns the number of spans that a collector refused in a response of success (partial success)."""
    try:
        return int(ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans)
    except DecodeError:
        return 0


def _write(message: Any, span: Span) -> None:
    message.trace_id = span.trace_id
    message.span_id = span.span_id
    message.parent_span_id = span.parent_id
    message.trace_state = span.state
    message.flags = SAMPLED | KNOWN_REMOTE | (REMOTE if span.is_remote else 0)
    message.name = span.name
    message.kind = span.kind
    message.start_time_unix_nano = span.begun_ns
    message.end_time_unix_nano = span.ended_ns
    _set(message.attributes, span.attributes)
    if span.failed:
        message.status.code = Status.STATUS_CODE_ERROR


def _set(attributes: Any, values: Mapping[str, Value] | Mapping[str, str]) -> None:
    for name, value in values.items():
        said = attributes.add(key=name).value
        if isinstance(value, str):
            said.string_value = value
        else:
            said.int_value = value
