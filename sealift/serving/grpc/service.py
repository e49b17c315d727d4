"""The calls of GRPCInferenceService and their responses."""

from functools import partial
from typing import Any

import grpc

from sealift.serving.batches import rows_of
from sealift.serving.categories import Categories
from sealift.serving.errors import Overloaded
from sealift.serving.grpc.guard import Call, Guard, Method, UnknownModel
from sealift.serving.grpc.message_memory import FIELDS_PER_TENSOR, MORE_TIMES, MOST_FIELDS, check_fields
from sealift.serving.grpc.messages import CLASSES
from sealift.serving.grpc.requests import inference, response
from sealift.serving.protocol.open_inference import (
    MODEL_VERSION,
    PLATFORM,
    SERVER,
    labels_of,
    make_index_entry,
    unknown,
)
from sealift.serving.protocol.open_inference_request import RequestReader
from sealift.serving.protocol.open_inference_statistics import statistics
from sealift.serving.served import Served
from sealift.serving.tensor import Tensor


class GrpcService:
    """The gRPC calls over one model. Must be used in one event loop only."""

    def __init__(self, served: Served, most_bytes: int) -> None:
        """Accepts messages of up to `most_bytes` bytes."""
        self._served = served
        self._reader = RequestReader(served.model.inputs, served.model.outputs, Categories(served.model.rows))
        self._labels = labels_of(served.model)
        self._most_bytes = most_bytes
        tensors = len(served.model.inputs) + len(served.model.outputs)
        self._check_fields = partial(
            check_fields,
            most=MOST_FIELDS + tensors * FIELDS_PER_TENSOR,
            most_bytes=MORE_TIMES * most_bytes,
            texts=any(tensor.datatype == "BYTES" for tensor in served.model.inputs.values()),
        )
        self.leaving = False
        """Whether new inferences are refused, because the server stops."""

    def handlers(self) -> grpc.GenericRpcHandler:
        """Returns the handler to add to a gRPC server."""
        methods = {
            "ServerLive": Method(self._live, None, most_bytes=0),
            "ServerReady": Method(self._ready, None, most_bytes=0),
            "ModelReady": Method(self._model_ready, None),
            "ServerMetadata": Method(self._server, "metadata"),
            "ModelMetadata": Method(self._metadata, "metadata"),
            "ModelInfer": Method(self._infer, "predict", self._most_bytes, self._check_fields),
            "RepositoryIndex": Method(self._index, "metadata"),
            "ModelStatistics": Method(self._statistics, "metadata"),
        }
        return Guard(self._served, methods)

    async def _live(self, _call: Call) -> Any:
        return CLASSES["ServerLiveResponse"](live=True)

    async def _ready(self, _call: Call) -> Any:
        return CLASSES["ServerReadyResponse"](ready=not self._served.draining)

    async def _model_ready(self, call: Call) -> Any:
        if not self._is_model(call.message.name, call.message.version):
            raise UnknownModel("Request for unknown model")  # this call needs no key, so the model's name is not shown
        return CLASSES["ModelReadyResponse"](ready=not self._served.draining)

    async def _server(self, _call: Call) -> Any:
        return CLASSES["ServerMetadataResponse"](**SERVER)

    async def _metadata(self, call: Call) -> Any:
        self._check_model(call.message.name, call.message.version)
        model = self._served.model
        return CLASSES["ModelMetadataResponse"](
            name=self._served.name,
            versions=[MODEL_VERSION],
            platform=PLATFORM,
            inputs=map(_describe_tensor, model.inputs.values()),
            outputs=map(_describe_tensor, model.outputs.values()),
        )

    async def _infer(self, call: Call) -> Any:
        self._check_model(call.message.model_name, call.message.model_version)
        if self.leaving:
            raise Overloaded("this server is shutting down; try again, and another server will answer")
        asked = inference(call.message, self._reader)
        call.rows = rows_of(asked.inputs)
        trace = call.trace
        if trace is not None:
            trace.mark_queued()
        arrays = await self._served.batches.run(asked.inputs, None if trace is None else trace.ran)
        self._served.counts.saw_unknown(asked.unknown_categories)
        answer = response(asked, arrays, self._served.model.outputs, self._labels)
        answer.model_name, answer.model_version = self._served.name, MODEL_VERSION
        return answer

    async def _index(self, _call: Call) -> Any:
        return CLASSES["RepositoryIndexResponse"](models=[make_index_entry(self._served.name)])

    async def _statistics(self, call: Call) -> Any:
        name = self._served.name
        self._check_model(call.message.name or name, call.message.version)  # no name means all models
        return CLASSES["ModelStatisticsResponse"](**statistics(name, MODEL_VERSION, self._served.model.statistics))

    def _is_model(self, name: str, version: str) -> bool:
        return name == self._served.name and version in ("", MODEL_VERSION)

    def _check_model(self, name: str, version: str) -> None:
        if not self._is_model(name, version):
            raise UnknownModel(unknown(self._served.name))


def _describe_tensor(tensor: Tensor) -> Any:
    return CLASSES["TensorMetadata"](name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
