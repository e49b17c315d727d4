"""The Open Inference Protocol v2 over one model: its operations, and its answers.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, without the binary
extension. Each operation of a model is also under /versions/1. Nothing here keeps or logs a value.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from sealing.version import VERSION
from serving.errors import InvalidAnswer, InvalidInput
from serving.model import Model
from serving.protocol.contract import Answer, Body, Fixed, Inferred, Operation, Readiness
from serving.protocol.open_inference_request import Asked, parse
from serving.tensor import Array, Tensor

SERVER: Final = {"name": "sealift", "version": VERSION, "extensions": []}
MODEL_VERSION: Final = "1"

_encoder: Final = msgspec.json.Encoder()


def operations(name: str, model: Model) -> Mapping[str, Operation]:
    """Of the server and of the model, which clients call `name`."""
    found: dict[str, Operation] = {
        "/v2": Fixed(encode(SERVER)),
        "/v2/health/live": Fixed(encode({"live": True})),
        "/v2/health/ready": _readiness({}),
    }
    for base in (f"/v2/models/{name}", f"/v2/models/{name}/versions/{MODEL_VERSION}"):
        found[base] = Fixed(encode(_metadata(name, model)))
        found[f"{base}/ready"] = _readiness({"name": name})
        found[f"{base}/infer"] = _infer(name, model)
    return found


def error(message: str) -> bytes:
    """The protocol's error object."""
    return encode({"error": message})


def answer(name: str, inference: Asked, arrays: Mapping[str, Array]) -> Answer:
    """The response to an inference. Raises InvalidAnswer where it is a number that JSON does not have."""
    outputs = []
    for output in inference.outputs:
        array = arrays[output]
        if not np.isfinite(array).all():
            row = int(np.argmax(~np.isfinite(array.reshape(array.shape[0] if array.ndim else 1, -1)).all(axis=1)))
            raise InvalidAnswer(f"output {output!r} is not a finite number in row {row}: its inputs are too large")
        shape, data = list(array.shape), array.ravel().tolist()
        outputs.append({"name": output, "shape": shape, "datatype": "FP32", "data": data})
    response: dict[str, object] = {"model_name": name, "model_version": MODEL_VERSION, "outputs": outputs}
    if inference.request_id is not None:
        response["id"] = inference.request_id
    if inference.parameters is not None:
        response["parameters"] = inference.parameters
    return Answer(encode(response))


def encode(value: object) -> bytes:
    """JSON."""
    return _encoder.encode(value)


def _readiness(fields: dict[str, object]) -> Readiness:
    return Readiness(ready=encode({**fields, "ready": True}), draining=encode({**fields, "ready": False}))


def _infer(name: str, model: Model) -> Inferred[Asked]:
    outputs = list(model.outputs)

    def read(body: Body, json_bytes: int | None) -> Asked:
        if json_bytes is not None:
            raise InvalidInput("the binary extension is not served; expected JSON alone")
        return parse(body, model.inputs, outputs)

    return Inferred(read, lambda inference, arrays: answer(name, inference, arrays))


def _metadata(name: str, model: Model) -> dict[str, object]:
    return {
        "name": name,
        "versions": [MODEL_VERSION],
        "platform": "onnxruntime_onnx",
        "inputs": [_described(tensor) for tensor in model.inputs.values()],
        "outputs": [_described(tensor) for tensor in model.outputs.values()],
        "parameters": model.description,
    }


def _described(tensor: Tensor) -> dict[str, object]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
