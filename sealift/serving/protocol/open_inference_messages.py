"""The JSON of an inference request, as it is decoded. What a request has besides is skipped."""

from typing import Annotated, Final, Generic, TypeVar

import msgspec

Inputs = TypeVar("Inputs")
Number = TypeVar("Number")
NO_DATA: Final = msgspec.Raw()
NOTHING: Final = msgspec.Raw(b"null")
BESIDE_BYTES: Final = 64 << 10
"""Of a request's parameters, and of the outputs that it asks for."""
Parameters = dict[str, bool | int | float | str | None]
Dimension = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Input(msgspec.Struct, gc=False):
    """`data` is read once it is known what it has to be, and `parameters` once it is known how long they are."""

    name: str
    shape: list[Dimension]
    datatype: str
    data: msgspec.Raw = NO_DATA
    parameters: msgspec.Raw = NOTHING


class Output(msgspec.Struct, gc=False):
    """One that is asked for."""

    name: str
    parameters: Parameters | None = None


class FlatInput(msgspec.Struct, Generic[Number], gc=False):
    """One whose numbers stand in one array."""

    name: str
    shape: list[Dimension]
    datatype: str
    data: list[Number]
    parameters: msgspec.Raw = NOTHING


class InferRequest(msgspec.Struct, Generic[Inputs], gc=False):
    """The whole JSON. What is beside the inputs is decoded once it is known how long it is: as objects it would take
    many times its bytes."""

    inputs: Inputs
    id: str | None = None
    parameters: msgspec.Raw = NOTHING
    outputs: msgspec.Raw = NOTHING


AnyRequest = InferRequest[list[Input]]
FlatRequest = InferRequest[tuple[FlatInput[Number]]]
