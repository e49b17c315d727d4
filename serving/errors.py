"""What goes wrong with the server, by who has to hear of it.

    ServingError
    ├── StartError          whoever deploys: why it does not start, in one line, and the way out
    └── RequestError        whoever asks: what was expected instead
        ├── InvalidInput    the request is none that the model can take
        └── InvalidAnswer   the request is, but the model's answer is none that the protocol can say

A transport adds its own kinds of RequestError, and says each kind in its own way (http/errors.py). What sealing raises
(sealing/errors.py) is told as a StartError.
"""


class ServingError(Exception): ...


class StartError(ServingError):
    def __init__(self, message: str, hint: str = "") -> None:
        # One line, whatever a library's message has in it: Kubernetes shows it as the container's reason.
        super().__init__(" ".join((f"{message}; {hint}" if hint else message).split()))


class RequestError(ServingError):
    """The message may quote the request, so it goes to the client and never to the log."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(RequestError): ...


class InvalidAnswer(RequestError): ...
