"""The calls of GRPCInferenceService: who may make each, what it answers, and with which status it ends.

INVALID_ARGUMENT     the request is none that the model can take
NOT_FOUND            another model, or another version
UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED    as access has it
UNAVAILABLE          the server is busy, or ends; ask again
INTERNAL             ours; what clients sent is never logged, nor are errors that quote it
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import grpc

from serving.access import Access, Scope
from serving.errors import (
    Forbidden,
    InvalidAnswer,
    InvalidInput,
    Overloaded,
    RequestError,
    TooManyRequests,
    Unauthenticated,
)
from serving.grpc.messages import CLASSES, PACKAGE
from serving.grpc.requests import inference, response
from serving.log import log
from serving.metrics.counts import Counts
from serving.model import Model
from serving.protocol.open_inference import MODEL_VERSION, PLATFORM, SERVER, labels_of
from serving.protocol.open_inference_request import RequestReader
from serving.tensor import Array, Tensor

Run = Callable[[Mapping[str, Array]], Awaitable[Mapping[str, Array]]]
"""A model's inputs → all its outputs."""


class UnknownModel(RequestError): ...


STATUS: Final[Mapping[type[RequestError], grpc.StatusCode]] = {
    UnknownModel: grpc.StatusCode.NOT_FOUND,
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    Overloaded: grpc.StatusCode.UNAVAILABLE,
    InvalidAnswer: grpc.StatusCode.OUT_OF_RANGE,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    TooManyRequests: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
CODES: Final[Mapping[grpc.StatusCode, int]] = {
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
}
"""HTTP's, by which calls are counted: as google/rpc/code.proto pairs them."""


@dataclass(frozen=True)
class Served:
    """What is served, to whom and how it is run."""

    name: str
    model: Model
    run: Run
    access: Access
    ready: Callable[[], bool]
    counts: Counts


class Service:
    """Over one model. In one event loop."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._reader = RequestReader(served.model.inputs, served.model.outputs)
        self._labels = labels_of(served.model)
        self.leaving = False
        """Whether it takes no more inferences."""

    def handlers(self) -> grpc.GenericRpcHandler:
        """What a server is given."""
        return _Guarded(
            self._served.access,
            self._served.counts,
            {
                "ServerLive": _Call(self._live, None),
                "ServerReady": _Call(self._ready, None),
                "ModelReady": _Call(self._model_ready, None),
                "ServerMetadata": _Call(self._server, "metadata"),
                "ModelMetadata": _Call(self._metadata, "metadata"),
                "ModelInfer": _Call(self._infer, "predict"),
            },
        )

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
        if self.leaving:
            raise Overloaded("this server ends; ask again, another one answers")
        asked = inference(request, self._reader)
        arrays = await self._served.run(asked.inputs)
        answer = response(asked, arrays, self._served.model.outputs, self._labels)
        answer.model_name, answer.model_version = self._served.name, MODEL_VERSION
        return answer

    def _check_model(self, name: str, version: str) -> None:
        if name != self._served.name or version not in ("", MODEL_VERSION):
            raise UnknownModel(f"no such model or version; there is {self._served.name!r}, version {MODEL_VERSION}")


class _Call(NamedTuple):
    """A message that asks → the one that answers, and what a client must be allowed to ask for, or None."""

    answer: Callable[[Any], Awaitable[Any]]
    scope: Scope | None


class _Guarded(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    """Asks who may make each call, as soon as its head is read."""

    def __init__(self, access: Access, counts: Counts, calls: Mapping[str, _Call]) -> None:
        self._access = access
        self._counts = counts
        counts.expect(map(_path, calls))
        self._scopes = {_path(name): call.scope for name, call in calls.items()}
        self._handlers = {
            _path(name): grpc.unary_unary_rpc_method_handler(
                _told(name, call.answer, counts),
                request_deserializer=CLASSES[f"{name}Request"].FromString,
                response_serializer=CLASSES[f"{name}Response"].SerializeToString,
            )
            for name, call in calls.items()
        }

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """None is UNIMPLEMENTED."""
        scope = self._scopes.get(details.method)
        if scope is not None:
            try:
                self._access.admit(_credential(details.invocation_metadata), scope, time.time())
            except RequestError as error:
                return _refusing(details.method, error, self._counts)
        return self._handlers.get(details.method)


def _path(name: str) -> str:
    return f"/{PACKAGE}.GRPCInferenceService/{name}"


def _told(name: str, answer: Callable[[Any], Awaitable[Any]], counts: Counts) -> Callable[..., Awaitable[Any]]:
    """With what goes wrong as a status."""
    path, infers = _path(name), name == "ModelInfer"

    async def told(request: Any, context: Any) -> Any:
        began = time.perf_counter()
        try:
            answered = await answer(request)
        except Exception as error:  # noqa: BLE001 - the last resort; a trace could quote the input
            return await _abort(context, path, error, counts)
        counts.answered(path, 200)
        if infers:
            counts.request_seconds.observe(time.perf_counter() - began)
        return answered

    return told


def _refusing(path: str, error: RequestError, counts: Counts) -> grpc.RpcMethodHandler:
    """To the client it is the call that it made. Here it is one that takes a stream, so no message is waited for."""

    async def refuse(_requests: Any, context: Any) -> Any:
        return await _abort(context, path, error, counts)

    return grpc.stream_unary_rpc_method_handler(refuse)


async def _abort(context: Any, path: str, error: Exception, counts: Counts) -> Any:
    name = path.rpartition("/")[2]
    if isinstance(error, RequestError):
        status, said = STATUS[type(error)], error.message
        log("warning", "refused", call=name, status=status.name)
    else:
        status, said = grpc.StatusCode.INTERNAL, "internal error; the server's log has its kind"
        log("error", "request failed", call=name, error=type(error).__name__)
    counts.answered(path, CODES[status])
    await context.abort(status, said)


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
