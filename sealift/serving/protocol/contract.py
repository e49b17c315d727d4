"""The contract between a serving protocol and a transport: operations by path, bytes in and bytes out.

The transport decides how operations are requested, how failures are reported, whether the server is ready, and which
requests run together. The protocol parses and answers an inference; the transport runs it, together with others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from sealift.serving.model import Model
from sealift.serving.tensor import Array

Body = bytes | bytearray


class Inference:
    """A request that the model can run. A protocol adds what its response needs."""

    __slots__ = ("inputs", "outputs", "unknown_categories")

    def __init__(
        self,
        inputs: dict[str, Array],
        outputs: Sequence[str],
        unknown_categories: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.inputs = inputs
        """Arrays by name, in the model's shapes."""
        self.outputs = outputs
        """Names of the requested outputs."""
        self.unknown_categories = unknown_categories
        """Number of values by input that training did not see, reported with the answer."""


Parsed = TypeVar("Parsed", bound=Inference)


class Answer(NamedTuple):
    """A response body. Its first `json_bytes` are JSON and the rest is binary. For None, all is JSON."""

    body: bytes
    json_bytes: int | None = None


@dataclass(frozen=True)
class Fixed:
    """A response that never changes. Open to all, or needs the scope `metadata`."""

    answer: bytes
    open: bool = False
    submitted: bool = False
    """Whether requests have a body, which is ignored."""


@dataclass(frozen=True)
class Document:
    """A document for browsers that never changes. Open to all."""

    content: bytes
    content_type: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """A response with the current state. Needs the scope `metadata`."""

    answer: Callable[[], bytes]


@dataclass(frozen=True)
class Readiness:
    """Whether the server is ready for requests. Open to all."""

    ready: bytes
    draining: bytes


@dataclass(frozen=True)
class Inferred(Generic[Parsed]):
    """Runs the model. Any thread may call both, and both raise RequestError."""

    parse: Callable[[Body, int | None], Parsed]
    """Parses a body, whose first bytes, by the given number, are JSON and the rest binary. For None, all is JSON. The
    result may be a view of the body, which must not change afterwards."""
    answer: Callable[[Parsed, Mapping[str, Array]], Answer]
    """Makes the response from the parsed request and the model's outputs by name."""
    asked_as: Mapping[str, object] = field(default_factory=dict)
    """JSON Schema of a request. By default, anything is allowed."""
    answered_as: Mapping[str, object] = field(default_factory=dict)
    """The same of an answer."""


@dataclass(frozen=True)
class Explained:
    """Explains predictions by running the model many times, which needs its own thread."""

    answer: Callable[[Body, int | None, float], Answer]
    """Answers a body like that of `Inferred.parse`, before the given time by time.monotonic. Any thread may call it.
    Raises RequestError, such as Overloaded after that time."""
    asked_as: Mapping[str, object]
    """JSON Schema of a request."""
    answered_as: Mapping[str, object]
    """The same of an answer."""


Operation = Fixed | Document | Readiness | Inferred[Any] | Explained | Told


class ServingProtocol(Protocol):
    """A module of this folder."""

    def operations(self, name: str, model: Model) -> Mapping[str, Operation]:
        """Operations by path, which does not end in a slash. `name` is the model's name in the URLs."""

    def error(self, message: str) -> bytes:
        """Makes the body of an error response."""
