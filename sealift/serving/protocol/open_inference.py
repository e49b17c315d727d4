"""The Open Inference Protocol v2 over one model: its operations.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, and the extensions
for binary data and for classification. Each operation of a model is also under /versions/1. Nothing here keeps or logs
a value.
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
    """Of the server and of the model, which clients call `name`."""
    found: dict[str, Operation] = {
        "/v2": Fixed(encode(SERVER)),
        "/v2/health/live": Fixed(encode({"live": True}), open=True),
        "/v2/health/ready": _readiness({}),
        "/v2/models/stats": _stats(name, model),  # of all models; one that is called so has its own metadata there
    }
    # Triton's model repository extension, which its clients list with. One sealed model is served, and stays.
    found["/v2/repository/index"] = Fixed(encode([make_index_entry(name)]), submitted=True)
    for base in paths(name):
        found[base] = Fixed(encode(_metadata(name, model)))
        found[f"{base}/ready"] = _readiness({"name": name})
        found[f"{base}/infer"] = _infer(name, model)
        found[f"{base}/stats"] = _stats(name, model)
    return found


def paths(name: str) -> tuple[str, str]:
    """Of a model that clients call `name`: with its only version, and without."""
    return f"/v2/models/{name}", f"/v2/models/{name}/versions/{MODEL_VERSION}"


def make_index_entry(name: str) -> dict[str, str]:
    """The model in its repository's list."""
    return {"name": name, "version": MODEL_VERSION, "state": "READY", "reason": ""}


def unknown(name: str) -> str:
    """What who asks for another model or version than this one is told, in words by which Triton's clients know it."""
    return f"Request for unknown model: available is {name!r}, version {MODEL_VERSION}"


def error(message: str) -> bytes:
    """The protocol's error object."""
    return encode({"error": message})


def labels_of(model: Model) -> list[str]:
    """Its classes, in the order of its numbers; or none."""
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
    """What clients need in order to ask and to read the answer. The metrics may be secret."""
    task = {"task": description.task} if description.task is not None else {}
    return {**task, "features": list(description.features), "classes": list(description.classes)}


def _describe_tensor(tensor: Tensor) -> dict[str, object]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
