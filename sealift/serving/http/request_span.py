"""HTTP's requests as spans, by OpenTelemetry's conventions:
https://opentelemetry.io/docs/specs/semconv/http/http-spans.

Spans contain no headers, queries or unknown paths, because clients choose them.
"""

from typing import TYPE_CHECKING, Final

from sealift.serving.http.messages import HttpRequest, Response
from sealift.serving.metrics.counts import OTHER

if TYPE_CHECKING:
    from sealift.serving.tracing.tracer import Trace, Tracer, Value

METHODS: Final = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"}


def end(tracer: "Tracer", trace: "Trace", request: HttpRequest, route: str, received: int, response: Response) -> None:
    """Ends the span of an answered request."""
    known = request.method in METHODS
    method = request.method.decode("ascii") if known else "_OTHER"
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "http.response.status_code": response.status,
        "http.request.body.size": received,
        "http.response.body.size": len(response.body),
        "url.scheme": tracer.scheme,
    }
    name = method if known else "HTTP"
    if route != OTHER:
        attributes |= {"http.route": route, "url.path": route}
        name = f"{name} {route}"
    if request.rows:
        attributes["sealift.rows"] = request.rows
    if response.status >= 500:
        attributes["error.type"] = str(response.status)
    tracer.end(trace, name, request.began, attributes, failed=response.status >= 500)
