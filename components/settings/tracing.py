"""Settings of tracing: the collector that a server sends its spans to, and the share of traced requests."""

import re
from dataclasses import dataclass
from typing import Final

from sealift.settings import Kind, Problem, Refused, RefusedInside, kinds, setting

_ENDPOINT: Final = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")


def _endpoint(value: object) -> str:
    if isinstance(value, str) and _ENDPOINT.fullmatch(value):
        return value
    allowed = "a URL that begins with http:// or https://, without user, query or fragment"
    if isinstance(value, str) and ("@" in value or "?" in value):  # parts of a URL that contain secrets
        raise RefusedInside(Problem("", f"is not shown, because it may contain a secret; allowed: {allowed}"))
    raise Refused(f"allowed: {allowed}")


@dataclass(frozen=True)
class Tracing:
    """Export of traces over OTLP, the protocol of OpenTelemetry."""

    otlp_endpoint: str = setting(
        Kind("string", "http://…, https://…", _endpoint),
        "",
        "URL of a collector that accepts OTLP over HTTP, such as http://collector.observability:4318. The server sends "
        "spans to its path /v1/traces.",
        required=True,
    )
    ratio: float = setting(
        kinds.number_within(0, 1),
        0.0,
        "Share of the requests without a `traceparent` header that are traced. A request with that header is traced if "
        "its client traces it.",
    )
