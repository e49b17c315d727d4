"""Access for web pages of other origins: CORS (fetch.spec.whatwg.org, 3.2), and protection against DNS rebinding for
servers without keys.
"""

import ipaddress
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from sealift.serving.http.errors import RefusedRequest
from sealift.serving.http.messages import JSON_BYTES_HEADER, HttpRequest, Response

if TYPE_CHECKING:
    from sealift.serving.http.routes import Route

ANY: Final = "*"
PREFLIGHT_SECONDS: Final = 600
REQUEST_HEADERS: Final = b", ".join((
    b"authorization", b"x-api-key", b"content-type", b"content-encoding", JSON_BYTES_HEADER, b"x-request-id",
    b"traceparent", b"tracestate",
))  # fmt: skip
ANSWER_HEADERS: Final = b", ".join((JSON_BYTES_HEADER, b"x-request-id", b"retry-after"))


class Browsers:
    """The rules of one server. Cookies are not used: clients send a key or a token, which a page must know."""

    def __init__(self, origins: Collection[str] = (), *, local: bool = False) -> None:
        """`origins` are those whose pages may send requests, such as `https://app.example.com`, or ANY. `local` answers
        only requests whose Host is this machine, for a server without keys that only this machine should use. Otherwise
        a page could point its own host name to this machine's address and send requests as a page of the same origin.
        """
        self._origins = frozenset(origin.encode() for origin in origins)
        self._local = local

    def refusal(self, request: HttpRequest) -> RefusedRequest | None:
        """The refusal of a request whose Host is not this machine, or None."""
        if not self._local or request.host is None or _is_local(request.host):
            return None
        return RefusedRequest(421, "this server needs no key, so it answers only requests whose Host is localhost")

    def preflight(self, request: HttpRequest, route: "Route | None") -> Response | None:
        """The response to a browser's preflight request. None for any other request."""
        if request.method != b"OPTIONS" or request.asked_method is None or not self._allows(request.origin):
            return None
        methods = b", ".join(route.methods) if route is not None else b"GET, HEAD, POST"
        fields = (
            b"access-control-allow-methods: %s\r\naccess-control-allow-headers: %s\r\naccess-control-max-age: %d\r\n"
        )
        return Response(200, b"", fields=fields % (methods, REQUEST_HEADERS, PREFLIGHT_SECONDS))

    def mark(self, request: HttpRequest, response: Response) -> Response:
        """Adds the headers that let the page read the response."""
        if request.origin is None or not self._allows(request.origin):
            return response
        fields = b"access-control-allow-origin: %s\r\naccess-control-expose-headers: %s\r\nvary: origin\r\n"
        return response._replace(fields=response.fields + fields % (request.origin, ANSWER_HEADERS))

    def _allows(self, origin: bytes | None) -> bool:
        return origin is not None and (origin in self._origins or ANY.encode() in self._origins)


def _is_local(host: bytes) -> bool:
    """Whether a Host is this machine itself, with any port."""
    name = host.decode("latin-1").lower()
    name = name[1 : name.find("]")] if name.startswith("[") else name.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
