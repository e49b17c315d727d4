"""What goes wrong with the server, by who has to hear of it.

    ServingError
    ├── StartError      whoever deploys: why it does not start, in one line, and the way out
    └── RequestError    whoever asks: an HTTP status and what was expected instead

What sealing raises (sealing/errors.py) is told as a StartError.
"""


class ServingError(Exception): ...


class StartError(ServingError):
    def __init__(self, message: str, hint: str = "") -> None:
        # One line, whatever a library's message has in it: Kubernetes shows it as the container's reason.
        super().__init__(" ".join((f"{message}; {hint}" if hint else message).split()))


class RequestError(ServingError):
    """`status` is 4xx. The message may quote the request, so it goes to the client and never to the log."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
