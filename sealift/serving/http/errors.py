"""HTTP statuses of errors: each kind of RequestError has one."""

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
    """A request that HTTP itself refuses: 400, 408, 413, 415, 421, 431, 501, 503 or 505."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: RequestError) -> int:
    """The HTTP status of an error: 4xx or 5xx."""
    return error.status if isinstance(error, RefusedRequest) else STATUSES[type(error)]
