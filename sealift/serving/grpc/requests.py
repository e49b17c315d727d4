"""Conversion of a ModelInferRequest to an inference, and of the model's outputs to a ModelInferResponse.

Inputs come as raw_input_contents, as Triton's clients send them, or as typed contents. Outputs have the form of the
inputs. FP16 has no typed form: if an FP16 output is requested, all outputs are sent as raw_output_contents, because the
protocol does not allow both forms in one message.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from sealift.names import counted
from sealift.serving.errors import InvalidInput
from sealift.serving.grpc.messages import CLASSES
from sealift.serving.protocol import binary_tensors
from sealift.serving.protocol.classification import largest
from sealift.serving.protocol.input_reader import InputReader
from sealift.serving.protocol.open_inference_request import (
    CLASSIFICATION,
    UNKNOWN_CATEGORIES,
    Asked,
    AskedOutput,
    RequestReader,
    whole_number,
)
from sealift.serving.tensor import Array, Tensor

CONTENTS: Final[Mapping[str, str]] = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def inference(message: Any, reader: RequestReader) -> Asked:
    """Returns the inference that a ModelInferRequest asks for. Raises InvalidInput if it does not fit the model."""
    raw = message.raw_input_contents
    if raw and len(raw) != len(message.inputs):
        raise InvalidInput(
            f"raw_input_contents has {counted(len(raw), 'item')} for {counted(len(message.inputs), 'input')}; "
            "expected one for each"
        )
    read = [
        (item.name, partial(_from_raw, item, raw[number]) if raw else partial(_from_contents, item))
        for number, item in enumerate(message.inputs)
    ]
    binary = bool(raw)
    wanted = [AskedOutput(item.name, binary, _classes(item)) for item in message.outputs]
    return reader.assemble(read, wanted, message.id, binary=binary)


def response(asked: Asked, arrays: Mapping[str, Array], tensors: Mapping[str, Tensor], labels: list[str]) -> Any:
    """Returns a ModelInferResponse without the model's name and version."""
    message = CLASSES["ModelInferResponse"](id=asked.request_id or "")
    for name, count in asked.unknown_categories.items():
        message.parameters[UNKNOWN_CATEGORIES.format(name)].int64_param = count
    typed = all(not one.binary and (one.classes or tensors[one.name].datatype in CONTENTS) for one in asked.wanted)
    for wanted in asked.wanted:
        tensor, array = tensors[wanted.name], arrays[wanted.name]
        datatype = tensor.datatype
        if wanted.classes:
            array, datatype = largest(array, tensor, wanted.classes, labels), "BYTES"
        output = message.outputs.add(name=wanted.name, datatype=datatype, shape=array.shape)
        if typed:
            getattr(output.contents, CONTENTS[datatype]).extend(_values(array, datatype))
        else:
            message.raw_output_contents.append(bytes(binary_tensors.write(array, datatype)))
    return message


def _from_raw(item: Any, data: bytes, reader: InputReader) -> Array:
    return reader.from_binary(item.datatype, list(item.shape), memoryview(data))


def _from_contents(item: Any, reader: InputReader) -> Array:
    datatype = reader.tensor.datatype
    if datatype not in CONTENTS:
        raise reader.refusal(f"no raw_input_contents; expected it, because {datatype} has no typed contents")
    return reader.from_values(item.datatype, list(item.shape), getattr(item.contents, CONTENTS[datatype]))


def _values(array: Array, datatype: str) -> list[Any]:
    values: list[Any] = array.ravel().tolist()
    return [text.encode() for text in values] if datatype == "BYTES" else values


def _classes(output: Any) -> int:
    parameters = {name: _parameter(one) for name, one in output.parameters.items()}
    return whole_number(parameters, CLASSIFICATION, f"output {output.name!r}") or 0


def _parameter(parameter: Any) -> Any:
    choice = parameter.WhichOneof("choice")
    return None if choice is None else getattr(parameter, choice)
