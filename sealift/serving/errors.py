"""Errors of the server, by the person who can act on them.

    ServingError
    ├── StartError              for the person who deploys: why the server does not start, in one line, and the fix
    │   └── AccessInvalid       the access file cannot be read; a running server keeps the previous one
    └── RequestError            for the client: what was expected instead
        ├── InvalidInput        the request does not fit the model
        ├── InvalidAnswer       the request fits, but the protocol cannot express the model's answer
        ├── Overloaded          the server is busy; the request may be sent again
        ├── Unauthenticated     the credential is missing or not valid
        ├── Forbidden           the credential is valid, but lacks the scope
        └── TooManyRequests     the credential is valid, but exceeds its rate limit

Transports add their own kinds of RequestError and map each kind to a status (http/errors.py). Errors of sealing
(sealift/sealing/errors.py) become StartErrors.
"""


class ServingError(Exception): ...


class StartError(ServingError):
    def __init__(self, message: str, hint: str = "") -> None:
        # One line, even if a library's message has several: Kubernetes shows it as the container's reason.
        super().__init__(" ".join((f"{message}; {hint}" if hint else message).split()))


class AccessInvalid(StartError): ...


class RequestError(ServingError):
    """An error for the client. The message may quote the request, so it is never logged."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(RequestError): ...


class InvalidAnswer(RequestError): ...


class Overloaded(RequestError): ...


class Unauthenticated(RequestError): ...


class Forbidden(RequestError):
    def __init__(self, caller: str, scope: str) -> None:
        super().__init__(f"{caller!r} lacks the scope {scope!r}, which this request needs")
        self.scope = scope


class TooManyRequests(RequestError):
    def __init__(self, caller: str, retry_after: int) -> None:
        super().__init__(f"{caller!r} exceeds its rate limit; try again in {retry_after} s")
        self.retry_after = retry_after
        """Whole seconds, at least 1."""
