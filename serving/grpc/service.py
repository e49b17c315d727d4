"""The calls of GRPCInferenceService: who may make each, what it answers, and with which status it ends.

INVALID_ARGUMENT     the request is none that the model can take
NOT_FOUND            another model, or another version
UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED    as access has it
UNAVAILABLE          the server is busy; ask again
INTERNAL             ours; what clients sent is never logged, nor are errors that quote it
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc

from serving.access import Access, Scope
from serving.errors import Forbidden, InvalidAnswer, InvalidInput, RequestError, TooManyRequests, Unauthenticated
from serving.grpc.messages import CLASSES, PACKAGE
from serving.grpc.requests import inference, response
from serving.log import log
from serving.model import Model
from serving.protocol.open_inference import MODEL_VERSION, PLATFORM, SERVER, labels_of
from serving.protocol.open_inference_request import RequestReader
from serving.tensor import Array, Tensor

Run = Callable[[Mapping[str, Array]], Awaitable[Mapping[str, Array]]]
"""A model's inputs → all its outputs."""

STATUS: Final[Mapping[type[RequestError], grpc.StatusCode]] = {
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidAnswer: grpc.StatusCode.OUT_OF_RANGE,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    TooManyRequests: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


class UnknownModel(RequestError): ...


@dataclass(frozen=True)
class Served:
    """What is served, to whom and how it is run."""

    name: str
    model: Model
    run: Run
    access: Access
    ready: Callable[[], bool]


class Service:
    """Over one model. In one event loop."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._reader = RequestReader(served.model.inputs, served.model.outputs)
        self._labels = labels_of(served.model)

    def handlers(self) -> grpc.GenericRpcHandler:
        """What a server is given."""
        calls: dict[str, tuple[Callable[[Any], Awaitable[Any]], Scope | None]] = {
            "ServerLive": (self._live, None),
            "ServerReady": (self._ready, None),
            "ModelReady": (self._model_ready, None),
            "ServerMetadata": (self._server, "metadata"),
            "ModelMetadata": (self._metadata, "metadata"),
            "ModelInfer": (self._infer, "predict"),
        }
        return grpc.method_handlers_generic_handler(
            f"{PACKAGE}.GRPCInferenceService",
            {
                name: grpc.unary_unary_rpc_method_handler(
                    self._guarded(call, scope),
                    request_deserializer=CLASSES[f"{name}Request"].FromString,
                    response_serializer=CLASSES[f"{name}Response"].SerializeToString,
                )
                for name, (call, scope) in calls.items()
            },
        )

    def _guarded(self, call: Callable[[Any], Awaitable[Any]], scope: Scope | None) -> Callable[..., Awaitable[Any]]:
        async def guarded(request: Any, context: Any) -> Any:
            try:
                if scope is not None:
                    self._served.access.admit(_credential(context.invocation_metadata()), scope, time.time())
                return await call(request)
            except UnknownModel as error:
                await context.abort(grpc.StatusCode.NOT_FOUND, error.message)
            except RequestError as error:
                await context.abort(STATUS.get(type(error), grpc.StatusCode.UNAVAILABLE), error.message)
            except Exception as error:  # noqa: BLE001 - the last resort; a trace could quote the input
                log("error", "request failed", error=type(error).__name__)
                await context.abort(grpc.StatusCode.INTERNAL, "internal error; the server's log has its kind")

        return guarded

    async def _live(self, _request: Any) -> Any:
        return CLASSES["ServerLiveResponse"](live=True)

    async def _ready(self, _request: Any) -> Any:
        return CLASSES["ServerReadyResponse"](ready=self._served.ready())

    async def _model_ready(self, request: Any) -> Any:
        self._check_model(request.name, request.version)
        return CLASSES["ModelReadyResponse"](ready=self._served.ready())

    async def _server(self, _request: Any) -> Any:
        return CLASSES["ServerMetadataResponse"](**SERVER)

    async def _metadata(self, request: Any) -> Any:
        self._check_model(request.name, request.version)
        model = self._served.model
        return CLASSES["ModelMetadataResponse"](
            name=self._served.name,
            versions=[MODEL_VERSION],
            platform=PLATFORM,
            inputs=map(_described, model.inputs.values()),
            outputs=map(_described, model.outputs.values()),
        )

    async def _infer(self, request: Any) -> Any:
        self._check_model(request.model_name, request.model_version)
        asked = inference(request, self._reader)
        arrays = await self._served.run(asked.inputs)
        answer = response(asked, arrays, self._served.model.outputs, self._labels)
        answer.model_name, answer.model_version = self._served.name, MODEL_VERSION
        return answer

    def _check_model(self, name: str, version: str) -> None:
        if name != self._served.name or version not in ("", MODEL_VERSION):
            raise UnknownModel(f"no such model or version; there is {self._served.name!r}, version {MODEL_VERSION}")


def _described(tensor: Tensor) -> Any:
    return CLASSES["TensorMetadata"](name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)


def _credential(metadata: Any) -> bytes | None:
    """The text after `Bearer ` in `authorization`, or `x-api-key`."""
    found = dict(metadata or ())
    kind, _, value = str(found.get("authorization", "")).partition(" ")
    if kind.lower() == "bearer" and value:
        return value.strip().encode()
    key = found.get("x-api-key")
    return str(key).encode() if key else None
