"""What a serving protocol gives a transport: operations by path, bytes in and bytes out.

A transport decides how an operation is asked for, how a client hears that one failed, whether the server is ready, and
what is run together: an inference is parsed and answered here, and run there, with others' if they come at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from sealift.serving.model import Model
from sealift.serving.tensor import Array

Body = bytes | bytearray


class Inference:
    """A request that the model can run. A protocol adds what it needs in order to answer."""

    __slots__ = ("inputs", "outputs", "unknown_categories")

    def __init__(
        self,
        inputs: dict[str, Array],
        outputs: Sequence[str],
        unknown_categories: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.inputs = inputs
        """By name, in the model's shapes."""
        self.outputs = outputs
        """The names of those that are asked for."""
        self.unknown_categories = unknown_categories
        """By input, how many of its values training has never seen; to be said with the answer."""


Parsed = TypeVar("Parsed", bound=Inference)


class Answer(NamedTuple):
    """Of `body` the first `json_bytes` are JSON, and the rest is binary; or all is JSON, for None."""

    body: bytes
    json_bytes: int | None = None


@dataclass(frozen=True)
class Fixed:
    """Says the same for as long as the server runs: to all, or to those who may know what the model is."""

    answer: bytes
    open: bool = False
    submitted: bool = False
    """Whether clients send something along, which changes nothing."""


@dataclass(frozen=True)
class Document:
    """For people, and open to all: the same for as long as the server runs."""

    content: bytes
    content_type: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """Says how it is now, to those who may know what the model is."""

    answer: Callable[[], bytes]


@dataclass(frozen=True)
class Readiness:
    """Whether requests should come here. Open to all."""

    ready: bytes
    draining: bytes


@dataclass(frozen=True)
class Inferred(Generic[Parsed]):
    """Runs the model. Any thread may call both, and both raise RequestError."""

    parse: Callable[[Body, int | None], Parsed]
    """Of the body the first so many bytes are JSON, and the rest is binary; or all is JSON, for None. What is parsed
    may be a view of the body, which nobody changes from then on."""
    answer: Callable[[Parsed, Mapping[str, Array]], Answer]
    """To what was parsed, for the model's outputs by name."""
    asked_as: Mapping[str, object] = field(default_factory=dict)
    """What a request looks like as JSON, as JSON Schema; by default it may be anything."""
    answered_as: Mapping[str, object] = field(default_factory=dict)
    """The same of an answer."""


@dataclass(frozen=True)
class Explained:
    """Runs the model many times, to say why it answers as it does: work for a thread of its own."""

    answer: Callable[[Body, int | None, float], Answer]
    """To a body as `Inferred.parse` has it, until then by time.monotonic. Any thread may call it, and it raises
    RequestError: Overloaded where there is no time left."""
    asked_as: Mapping[str, object]
    """What a request looks like as JSON, as JSON Schema."""
    answered_as: Mapping[str, object]
    """The same of an answer."""


Operation = Fixed | Document | Readiness | Inferred[Any] | Explained | Told


class ServingProtocol(Protocol):
    """A module of this folder."""

    def operations(self, name: str, model: Model) -> Mapping[str, Operation]:
        """By path; a path does not end in a slash. Clients call the model `name`."""

    def error(self, message: str) -> bytes:
        """An answer that says what went wrong."""
