"""An inference request of the Open Inference Protocol v2: its JSON and the binary data after it → a model's inputs.

Parameters of no extension are ignored. Requests that do not fit the model raise InvalidInput, whose message says what
was expected.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from sealift.names import counted
from sealift.serving.categories import Categories
from sealift.serving.errors import InvalidInput
from sealift.serving.protocol.contract import Body, Inference
from sealift.serving.protocol.input_reader import InputReader, short
from sealift.serving.protocol.json_complaint import complaint
from sealift.serving.protocol.open_inference_flat import FlatReader
from sealift.serving.protocol.open_inference_messages import (
    BESIDE_BYTES,
    NO_DATA,
    NOTHING,
    AnyRequest,
    Input,
    Output,
    Parameters,
)
from sealift.serving.tensor import ANY, Array, Tensor

Beside = TypeVar("Beside", Parameters, list[Output])
ALL_BINARY: Final = "binary_data_output"
"""Parameter of a request: all outputs as binary data."""
SIZE: Final = "binary_data_size"
"""Parameter of an input: size of its binary data after the JSON, in bytes."""
BINARY: Final = "binary_data"
"""Parameter of an output: whether as binary data."""
CLASSIFICATION: Final = "classification"
"""Parameter of an output: number of its largest classes."""
UNKNOWN_CATEGORIES: Final = "unknown_categories.{}"
"""Parameter of a response: number of a column's values that training did not see."""
NO_CATEGORIES: Final = Categories([])


class AskedOutput(NamedTuple):
    """A requested output."""

    name: str
    binary: bool = False
    """Whether the output is returned as binary data instead of JSON."""
    classes: int = 0
    """Number of the largest values of each row, returned as texts. 0 returns all numbers."""


class Asked(Inference):
    """An inference, and the options of its response."""

    __slots__ = ("parameters", "request_id", "wanted")

    def __init__(
        self,
        inputs: dict[str, Array],
        outputs: Sequence[str],
        wanted: Sequence[AskedOutput],
        request_id: str | None,
        parameters: Parameters | None,
        unknown_categories: Mapping[str, int],
    ) -> None:
        super().__init__(inputs, outputs, unknown_categories)
        self.wanted = wanted
        self.request_id = request_id
        """Repeated in the response."""
        self.parameters = parameters
        """Repeated in the response: parameters of no extension."""


_decode: Final = msgspec.json.Decoder(AnyRequest).decode
_decode_parameters: Final = msgspec.json.Decoder(Parameters | None).decode
_decode_outputs: Final = msgspec.json.Decoder(list[Output] | None).decode


class RequestReader:
    """Reads requests for a model with these tensors. Any thread may call it."""

    def __init__(
        self, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], categories: Categories = NO_CATEGORIES
    ) -> None:
        self._unknown = categories.unknown
        self._readers = {name: InputReader(tensor) for name, tensor in inputs.items()}
        self._rows = [name for name, tensor in inputs.items() if tensor.shape[:1] == (ANY,)]
        self._tensors = outputs
        self._names = list(outputs)
        self._flat = FlatReader.of(list(self._readers.values()))
        self._all = {binary: [AskedOutput(name, binary) for name in outputs] for binary in (False, True)}

    def parse(self, body: Body, json_bytes: int | None) -> Asked:
        """Parses a body. Raises InvalidInput."""
        if json_bytes == 0:
            return self._raw(body)
        found = self._flat.read(body) if self._flat is not None and json_bytes is None else None
        request, inputs = self._read(body, json_bytes) if found is None else found
        parameters = self._beside("parameters", request.parameters, _decode_parameters)
        binary = False
        if parameters and ALL_BINARY in parameters:
            binary = self._all_binary(parameters)
        outputs = self._beside("outputs", request.outputs, _decode_outputs)
        unknown = self._unknown(inputs)
        if not outputs:
            return Asked(inputs, self._names, self._all[binary], request.id, parameters, unknown)
        wanted = [_as_wanted(output, binary) for output in outputs]
        return Asked(inputs, self._check_outputs(wanted), wanted, request.id, parameters, unknown)

    def assemble(
        self,
        read: Sequence[tuple[str, Callable[[InputReader], Array]]],
        wanted: Sequence[AskedOutput],
        request_id: str | None,
        *,
        binary: bool,
    ) -> Asked:
        """Assembles a request from another form: the inputs' names with functions that read them, and the requested
        outputs (none means all, as binary data or as values). Raises InvalidInput."""
        inputs: dict[str, Array] = {}
        for name, read_one in read:
            reader = self._readers.get(name)
            if reader is None or name in inputs:
                raise self._other_inputs([name for name, _ in read])
            inputs[name] = read_one(reader)
        if len(inputs) != len(self._readers):
            raise self._other_inputs([name for name, _ in read])
        if len(self._rows) > 1:
            self._check_rows(inputs)
        wanted = wanted or self._all[binary]
        return Asked(inputs, self._check_outputs(wanted), wanted, request_id, None, self._unknown(inputs))

    def _raw(self, body: Body) -> Asked:
        """Reads a body without JSON, as in Triton: one row of the only input, with all outputs as binary data."""
        if len(self._readers) != 1:
            raise InvalidInput(
                f"no JSON says which bytes belong to which input; expected {self._example()} before them"
            )
        [(name, reader)] = self._readers.items()
        inputs = {name: reader.from_bare(memoryview(body))}
        return Asked(inputs, self._names, self._all[True], None, None, self._unknown(inputs))

    def _read(self, body: Body, json_bytes: int | None) -> tuple[AnyRequest, dict[str, Array]]:
        request = self._decode_request(body, json_bytes)
        return request, self._inputs(request.inputs, body, len(body) if json_bytes is None else json_bytes)

    def _decode_request(self, body: Body, json_bytes: int | None) -> AnyRequest:
        if json_bytes is not None and not 0 <= json_bytes <= len(body):
            raise InvalidInput(f"the body has {counted(len(body), 'byte')}; expected at least {json_bytes:,} of JSON")
        said = body if json_bytes is None else memoryview(body)[:json_bytes]
        try:
            return _decode(said)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"not an inference request: {error}; expected {self._example()}") from None
        except (msgspec.DecodeError, ValueError, RecursionError) as error:  # ValueError: an integer of 4301 digits
            raise InvalidInput(f"not JSON: {complaint(said, error)}; expected {self._example()}") from None

    def _beside(self, name: str, raw: msgspec.Raw, decode: Callable[[msgspec.Raw], Beside | None]) -> Beside | None:
        """Decodes a part of the request beside its inputs, after a check of its size."""
        if raw is NOTHING:
            return None
        size = len(memoryview(raw))
        if size > BESIDE_BYTES:
            raise InvalidInput(f"{name} have {size:,} bytes; expected at most {BESIDE_BYTES:,}")
        try:
            return decode(raw)
        except msgspec.ValidationError as error:
            what, _, where = str(error).partition(" - at `$")
            where = f"`$.{name}{where or '`'}"
            raise InvalidInput(f"not an inference request: {what} - at {where}; expected {self._example()}") from None
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise InvalidInput(f"not JSON: {error}; expected {self._example()}") from None

    def _inputs(self, items: Sequence[Input], body: Body, start: int) -> dict[str, Array]:
        """Reads the arrays. Binary ones are in `body` from `start` on, in the order of the JSON."""
        inputs: dict[str, Array] = {}
        for at, item in enumerate(items):
            reader = self._readers.get(item.name)
            if reader is None or item.name in inputs:
                raise self._other_inputs([item.name for item in items])
            parameters = self._beside(f"inputs[{at}].parameters", item.parameters, _decode_parameters)
            size = whole_number(parameters or {}, SIZE, f"input {item.name!r}")
            if size is None:
                if item.data is NO_DATA:
                    raise reader.refusal("no data; expected a JSON array, or the parameter binary_data_size")
                inputs[item.name] = reader.from_json(item.datatype, item.shape, item.data)
                continue
            if item.data is not NO_DATA:
                raise reader.refusal("both data and the parameter binary_data_size; expected one of them")
            if size > len(body) - start:
                raise reader.refusal(
                    f"binary_data_size {short(size)}, but the body has {counted(len(body) - start, 'byte')} after its "
                    "JSON and the previous inputs; expected as many, and the JSON's length in the request's header"
                )
            inputs[item.name] = reader.from_binary(item.datatype, item.shape, memoryview(body)[start : start + size])
            start += size
        if len(inputs) != len(self._readers):
            raise self._other_inputs([item.name for item in items])
        if len(self._rows) > 1:
            self._check_rows(inputs)
        if start != len(body):
            raise InvalidInput(f"the body has {counted(len(body) - start, 'byte')} after all inputs; expected none")
        return inputs

    def _check_rows(self, inputs: Mapping[str, Array]) -> None:
        rows = {name: inputs[name].shape[0] for name in self._rows}
        if len(set(rows.values())) > 1:
            raise InvalidInput(
                f"inputs have different first dimensions: {rows}; expected the same number of rows in each"
            )

    def _check_outputs(self, wanted: Sequence[AskedOutput]) -> list[str]:
        """Checks the requested outputs. Returns their names."""
        names = [output.name for output in wanted]
        if len(set(names)) != len(names) or not set(names) <= set(self._names):
            raise InvalidInput(
                f"outputs are {_quote_names(names)}; expected some of {_quote_names(self._names)}, each at most once"
            )
        for output in wanted:
            if output.classes and self._tensors[output.name].datatype in ("BOOL", "BYTES"):
                raise InvalidInput(f"output {output.name!r} is not numeric; expected no parameter classification")
        return names

    @staticmethod
    def _all_binary(parameters: Parameters) -> bool:
        """Removes the parameter from `parameters` and returns it."""
        value = parameters.pop(ALL_BINARY)
        if not isinstance(value, bool):
            raise InvalidInput(f"the parameter {ALL_BINARY} is {short(repr(value))}; expected true or false")
        return value

    def _other_inputs(self, names: Sequence[str]) -> InvalidInput:
        return InvalidInput(
            f"inputs are {_quote_names(names)}; expected {_quote_names(list(self._readers))}, each once"
        )

    def _example(self) -> str:
        """A complete request for one row, as text with … in place of the numbers."""
        parts = []
        for reader in self._readers.values():
            tensor = reader.tensor
            parts.append(
                f'{{"name": "{tensor.name}", "shape": {reader.one_row}, "datatype": "{tensor.datatype}", "data": […]}}'
            )
        return f'{{"inputs": [{", ".join(parts)}]}}'


def _as_wanted(output: Output, all_binary: bool) -> AskedOutput:
    parameters = output.parameters
    if not parameters:
        return AskedOutput(output.name, all_binary)
    of = f"output {output.name!r}"
    binary = parameters.get(BINARY)
    if not isinstance(binary, bool | None):
        raise InvalidInput(f"{of} has {BINARY} {short(repr(binary))}; expected true or false")
    classes = whole_number(parameters, CLASSIFICATION, of)
    return AskedOutput(output.name, all_binary if binary is None else binary, classes or 0)


def whole_number(parameters: Parameters, name: str, of: str) -> int | None:
    """Reads a parameter that is a whole number, at least 0. Raises InvalidInput."""
    value = parameters.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput(f"{of} has {name} {short(repr(value))}; expected a whole number, at least 0")
    return value


def _quote_names(names: Sequence[str]) -> str:
    return short(", ".join(repr(name) for name in names) or "none")
