"""Responses to failed requests: status, message, and the header lines that belong to the status."""

from collections.abc import Callable
from typing import Final

from sealift.serving.errors import Forbidden, RequestError, TooManyRequests, Unauthenticated
from sealift.serving.http.errors import status_of
from sealift.serving.http.messages import Response
from sealift.serving.log import log

RETRY: Final = b"retry-after: 1\r\n"
CHALLENGE: Final = b"www-authenticate: Bearer\r\n"
CHALLENGE_SCOPE: Final = b'www-authenticate: Bearer error="insufficient_scope", scope="%s"\r\n'


def failure(error: Exception, say: Callable[[str], bytes]) -> Response:
    """Makes the response to a request that ended with `error`."""
    if isinstance(error, RequestError):
        return Response(status_of(error), say(error.message), fields=_fields(error))
    # The last resort. A trace could quote the input, so only the error's type is logged.
    log("error", "request failed", error=type(error).__name__)
    return Response(500, say("internal error; see the server's log"))


def _fields(error: RequestError) -> bytes:
    """The header lines that belong to its status."""
    status = status_of(error)
    if isinstance(error, TooManyRequests):
        return b"retry-after: %d\r\n" % error.retry_after
    if isinstance(error, Unauthenticated):
        return CHALLENGE
    if isinstance(error, Forbidden):
        return CHALLENGE_SCOPE % error.scope.encode()
    return RETRY if status == 503 else b""
