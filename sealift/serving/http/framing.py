"""The end of a request: ambiguous heads are refused, and offers to upgrade to another protocol are ignored.

Proxies share one connection among their clients. If server and proxy disagree about the end of a request, one client
gets the answer of another. So each ambiguity is refused and closes the connection (RFC 9112, 3.2, 6.1, 6.3 and 11.2).
"""

from typing import Final

from sealift.serving.http.errors import RefusedRequest
from sealift.serving.http.messages import HttpRequest

VERSIONS: Final = ("1.1", "1.0")
HOST: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:[]"
"""The characters of a host with its port (RFC 3986, 3.2.2)."""


def doubt(request: HttpRequest, version: str) -> RefusedRequest | None:
    """The refusal of a complete head that is ambiguous, beyond what the parser refuses. None if it is fine."""
    if version not in VERSIONS:
        return RefusedRequest(505, f"HTTP/{version} is not supported; use HTTP/1.1")
    if request.method == b"CONNECT":  # the data after it is not HTTP
        return RefusedRequest(501, "CONNECT is not supported: this server is not a proxy")
    if request.host is None and version == "1.1":
        return RefusedRequest(400, "the Host header is missing; an HTTP/1.1 request needs exactly one")
    if request.host is not None and request.host.translate(None, HOST):
        return RefusedRequest(400, "the Host header is not one host with an optional port; a request needs exactly one")
    if request.transfer is not None:
        if version == "1.0":
            return RefusedRequest(400, "Transfer-Encoding is not part of HTTP/1.0; use HTTP/1.1 or Content-Length")
        if request.transfer.lower() != b"chunked":
            return RefusedRequest(501, "this transfer-encoding is not supported; allowed: chunked, or none")
    return None


def without_offer(request: HttpRequest) -> bytes:
    """A head with only the framing of the request's head. It announces the body to a new parser, after the first one
    ended the message at an offer to upgrade."""
    if request.transfer is not None:
        body = b"transfer-encoding: chunked\r\n"
    else:
        body = b"" if request.length is None else b"content-length: %d\r\n" % request.length
    last = b"" if request.keep_alive else b"connection: close\r\n"
    return b"POST / HTTP/1.1\r\n%s%s\r\n" % (body, last)
