"""A model's outputs → a response of the Open Inference Protocol v2: JSON, followed by the binary outputs."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from sealift.serving.errors import InvalidAnswer
from sealift.serving.protocol import binary_tensors
from sealift.serving.protocol.classification import largest
from sealift.serving.protocol.contract import Answer
from sealift.serving.protocol.open_inference_request import UNKNOWN_CATEGORIES, Asked
from sealift.serving.tensor import KINDS, Array, Tensor

encode: Final = msgspec.json.Encoder().encode
"""A value as JSON."""


class AnswerWriter:
    """Writes the responses of one model. Constant parts are made once. Any thread may call it."""

    def __init__(self, name: str, version: str, outputs: Mapping[str, Tensor], labels: Sequence[str]) -> None:
        self._tensors = outputs
        self._labels = labels
        self._start = encode({"model_name": name, "model_version": version})[:-1]
        self._heads = {name: _head(tensor, tensor.datatype) for name, tensor in outputs.items()}

    def answer(self, inference: Asked, arrays: Mapping[str, Array]) -> Answer:
        """Writes the response. Raises InvalidAnswer for numbers that JSON cannot express."""
        outputs = []
        binary: list[bytes | memoryview] = []
        for wanted in inference.wanted:
            array, tensor = arrays[wanted.name], self._tensors[wanted.name]
            head, datatype = self._heads[wanted.name], tensor.datatype
            if wanted.classes:
                array, datatype = largest(array, tensor, wanted.classes, self._labels), "BYTES"
                head = _head(tensor, datatype)
            if wanted.binary:
                data = binary_tensors.write(array, datatype)
                binary.append(data)
                outputs.append(b'%b%b,"parameters":{"binary_data_size":%d}}' % (head, encode(array.shape), len(data)))
            else:
                outputs.append(b'%b%b,"data":%b}' % (head, encode(array.shape), _data(array, tensor.name, datatype)))
        fields = self._start
        if inference.request_id is not None:
            fields += b',"id":' + encode(inference.request_id)
        parameters = inference.parameters
        if inference.unknown_categories:
            unknown = {UNKNOWN_CATEGORIES.format(name): n for name, n in inference.unknown_categories.items()}
            parameters = {**(parameters or {}), **unknown}
        if parameters:
            fields += b',"parameters":' + encode(parameters)
        body = b'%b,"outputs":[%b]}' % (fields, b",".join(outputs))
        return Answer(b"".join((body, *binary)), len(body)) if binary else Answer(body)


def _head(tensor: Tensor, datatype: str) -> bytes:
    """The beginning of an output's object, up to its shape."""
    return encode({"name": tensor.name, "datatype": datatype})[:-1] + b',"shape":'


def _data(array: Array, name: str, datatype: str) -> bytes:
    data = encode(array.ravel().tolist())
    if b"n" in data and KINDS[datatype].kind == "f":  # null: the encoder writes it for NaN and infinity
        row = int(np.argmax(~np.isfinite(array.reshape(array.shape[0] if array.ndim else 1, -1)).all(axis=1)))
        raise InvalidAnswer(f"output {name!r} is not a finite number in row {row}: its inputs are too large")
    return data
