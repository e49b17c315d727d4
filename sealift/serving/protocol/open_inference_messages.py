"""The JSON of an inference request, for decoding. Unknown fields are ignored."""

from typing import Annotated, Final, Generic, TypeVar

import msgspec

Inputs = TypeVar("Inputs")
Number = TypeVar("Number")
NO_DATA: Final = msgspec.Raw()
NOTHING: Final = msgspec.Raw(b"null")
BESIDE_BYTES: Final = 64 << 10
"""Size limit of a request's parameters, and of its requested outputs."""
Parameters = dict[str, bool | int | float | str | None]
Dimension = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Input(msgspec.Struct, gc=False):
    """An input. `data` is decoded later by the tensor's datatype, and `parameters` after a check of their size."""

    name: str
    shape: list[Dimension]
    datatype: str
    data: msgspec.Raw = NO_DATA
    parameters: msgspec.Raw = NOTHING


class Output(msgspec.Struct, gc=False):
    """A requested output."""

    name: str
    parameters: Parameters | None = None


class FlatInput(msgspec.Struct, Generic[Number], gc=False):
    """An input whose numbers are one flat array."""

    name: str
    shape: list[Dimension]
    datatype: str
    data: list[Number]
    parameters: msgspec.Raw = NOTHING


class InferRequest(msgspec.Struct, Generic[Inputs], gc=False):
    """The whole request. Everything but the inputs is decoded after a check of its size, because objects take many
    times the memory of their JSON."""

    inputs: Inputs
    id: str | None = None
    parameters: msgspec.Raw = NOTHING
    outputs: msgspec.Raw = NOTHING


AnyRequest = InferRequest[list[Input]]
FlatRequest = InferRequest[tuple[FlatInput[Number]]]
