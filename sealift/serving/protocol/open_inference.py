"""The operations of the Open Inference Protocol v2 over one model.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, and the extensions
for binary data and for classification. Each operation of a model is also under /versions/1. This module neither keeps
nor logs values.
"""

from collections.abc import Mapping
from typing import Final

from sealift.contents.description import Description
from sealift.serving.categories import Categories
from sealift.serving.model import Model
from sealift.serving.protocol.contract import Fixed, Inferred, Operation, Readiness, Told
from sealift.serving.protocol.open_inference_answer import AnswerWriter, encode
from sealift.serving.protocol.open_inference_request import Asked, RequestReader
from sealift.serving.protocol.open_inference_schema import answer_schema, request_schema
from sealift.serving.protocol.open_inference_statistics import statistics
from sealift.serving.tensor import Tensor
from sealift.serving.version import VERSION

SERVER: Final = {
    "name": "sealift",
    "version": VERSION,
    "extensions": ["binary_tensor_data", "classification", "statistics"],
}
MODEL_VERSION: Final = "1"
PLATFORM: Final = "onnxruntime_onnx"


def operations(name: str, model: Model) -> Mapping[str, Operation]:
    """Operations on the server and on the model, by path. `name` is the model's name in the URLs."""
    found: dict[str, Operation] = {
        "/v2": Fixed(encode(SERVER)),
        "/v2/health/live": Fixed(encode({"live": True}), open=True),
        "/v2/health/ready": _readiness({}),
        "/v2/models/stats": _stats(name, model),  # of all models; a model named "stats" has its metadata there
    }
    # Triton's model repository extension, which its clients use to list models. There is one, and it cannot change.
    found["/v2/repository/index"] = Fixed(encode([make_index_entry(name)]), submitted=True)
    for base in paths(name):
        found[base] = Fixed(encode(_metadata(name, model)))
        found[f"{base}/ready"] = _readiness({"name": name})
        found[f"{base}/infer"] = _infer(name, model)
        found[f"{base}/stats"] = _stats(name, model)
    return found


def paths(name: str) -> tuple[str, str]:
    """Paths of the model `name`: without and with its only version."""
    return f"/v2/models/{name}", f"/v2/models/{name}/versions/{MODEL_VERSION}"


def make_index_entry(name: str) -> dict[str, str]:
    """The model's entry in the repository index."""
    return {"name": name, "version": MODEL_VERSION, "state": "READY", "reason": ""}


def unknown(name: str) -> str:
    """The error for an unknown model or version, in Triton's wording."""
    return f"Request for unknown model: available is {name!r}, version {MODEL_VERSION}"


def error(message: str) -> bytes:
    """The protocol's error object."""
    return encode({"error": message})


def labels_of(model: Model) -> list[str]:
    """The model's classes, in the order of its outputs. Empty if it has none."""
    return list(model.description.classes)


def _readiness(fields: dict[str, object]) -> Readiness:
    return Readiness(ready=encode({**fields, "ready": True}), draining=encode({**fields, "ready": False}))


def _infer(name: str, model: Model) -> Inferred[Asked]:
    writer = AnswerWriter(name, MODEL_VERSION, model.outputs, labels_of(model))
    reader = RequestReader(model.inputs, model.outputs, Categories(model.rows))
    return Inferred(reader.parse, writer.answer, request_schema(model), answer_schema(name, model.outputs.values()))


def _stats(name: str, model: Model) -> Told:
    return Told(lambda: encode(statistics(name, MODEL_VERSION, model.statistics)))


def _metadata(name: str, model: Model) -> dict[str, object]:
    return {
        "name": name,
        "versions": [MODEL_VERSION],
        "platform": PLATFORM,
        "inputs": [_describe_tensor(tensor) for tensor in model.inputs.values()],
        "outputs": [_describe_tensor(tensor) for tensor in model.outputs.values()],
        "parameters": _parameters(model.description),
    }


def _parameters(description: Description) -> dict[str, object]:
    """Returns data that clients need to send requests and read responses. No metrics, because they may be secret."""
    task = {"task": description.task} if description.task is not None else {}
    return {**task, "features": list(description.features), "classes": list(description.classes)}


def _describe_tensor(tensor: Tensor) -> dict[str, object]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
