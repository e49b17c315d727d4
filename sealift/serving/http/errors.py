"""What went wrong, as an HTTP status: each kind of RequestError has one."""

from typing import Final

from sealift.serving.errors import (
    Forbidden,
    InvalidAnswer,
    InvalidInput,
    Overloaded,
    RequestError,
    TooManyRequests,
    Unauthenticated,
)

STATUSES: Final[dict[type[RequestError], int]] = {
    InvalidInput: 400,
    InvalidAnswer: 422,
    Overloaded: 503,
    Unauthenticated: 401,
    Forbidden: 403,
    TooManyRequests: 429,
}


class RefusedRequest(RequestError):
    """What HTTP itself refuses: 400, 408, 413, 415, 431, 501, 503 or 505."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: RequestError) -> int:
    """4xx or 503."""
    return error.status if isinstance(error, RefusedRequest) else STATUSES[type(error)]
