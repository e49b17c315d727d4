"""What goes wrong with the server, by who has to hear of it.

    ServingError
    ├── StartError              whoever deploys: why it does not start, in one line, and the way out
    │   └── AccessInvalid       who may ask cannot be read; once it has started, what was read before stays in force
    └── RequestError            whoever asks: what was expected instead
        ├── InvalidInput        the request is none that the model can take
        ├── InvalidAnswer       the request is, but the model's answer is none that the protocol can say
        ├── Overloaded          the request is, but others are before it; it may be sent again
        ├── Unauthenticated     no credential, or none that is known here
        ├── Forbidden           a good credential, for something else
        └── TooManyRequests     a good credential, more often than it may be used

A transport adds its own kinds of RequestError, and says each kind in its own way (http/errors.py). What sealing raises
(sealift/sealing/errors.py) is told as a StartError.
"""


class ServingError(Exception): ...


class StartError(ServingError):
    def __init__(self, message: str, hint: str = "") -> None:
        # One line, whatever a library's message has in it: Kubernetes shows it as the container's reason.
        super().__init__(" ".join((f"{message}; {hint}" if hint else message).split()))


class AccessInvalid(StartError): ...


class RequestError(ServingError):
    """The message may quote the request, so it goes to the client and never to the log."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(RequestError): ...


class InvalidAnswer(RequestError): ...


class Overloaded(RequestError): ...


class Unauthenticated(RequestError): ...


class Forbidden(RequestError):
    def __init__(self, caller: str, scope: str) -> None:
        super().__init__(f"{caller!r} lacks the scope {scope!r} that this asks for")
        self.scope = scope


class TooManyRequests(RequestError):
    def __init__(self, caller: str, retry_after: int) -> None:
        super().__init__(f"{caller!r} asks more often than it may; ask again in {retry_after} s")
        self.retry_after = retry_after
        """Whole seconds, at least 1."""
