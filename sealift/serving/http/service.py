"""Request → response: checks access, runs the operation in the right thread, and sets the status. It knows no
connection. It never logs what clients sent, nor errors that quote it.
"""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from sealift.serving.access import UncheckedAccess
from sealift.serving.batches import Arrays, Ran, make_overloaded, rows_of
from sealift.serving.errors import Overloaded, RequestError
from sealift.serving.explain import Queue
from sealift.serving.http import request_span
from sealift.serving.http.browsers import Browsers
from sealift.serving.http.encoding import ACCEPTED, WINDOWS, TooLarge, compress, decompress
from sealift.serving.http.errors import RefusedRequest
from sealift.serving.http.failures import RETRY, failure
from sealift.serving.http.limits import QUICK_BYTES
from sealift.serving.http.messages import BINARY, JSON_BYTES_HEADER, Client, HttpRequest, Response, not_taken, too_large
from sealift.serving.http.response_log import log_response
from sealift.serving.http.routes import POST, nowhere, path_of, routes
from sealift.serving.memory_budget import MAX_BODY_BYTES, SMALL_BYTES, Share
from sealift.serving.metrics.counts import OTHER
from sealift.serving.protocol import refusal
from sealift.serving.protocol.contract import (
    Answer,
    Body,
    Document,
    Explained,
    Fixed,
    Inference,
    Inferred,
    Readiness,
    Told,
)
from sealift.serving.served import Served


class _Whole(NamedTuple):
    """The result of a large request: the number of answered rows, and the run that answered or refused them."""

    response: Response
    rows: int = 0
    ran: Ran | None = None
    unknown_categories: Mapping[str, int] = MappingProxyType({})


class HttpService:
    """Answers one model's requests over HTTP. While draining, it reports that it is not ready."""

    def __init__(self, served: Served, explain: bool = False, browsers: Browsers | None = None) -> None:
        """Without `browsers`, pages of other origins may not send requests."""
        self.served = served
        self._access, self._tracer, self._log = served.access, served.tracer, served.log
        self._batches, self._counts, self._worker = served.batches, served.counts, served.worker
        self._browsers = browsers or Browsers()
        self._routes = routes(served.name, served.model, not isinstance(served.access, UncheckedAccess), explain)
        self._explanations = Queue()
        self._counts.expect(route.path for route in self._routes.values())

    def admit(self, request: HttpRequest) -> None:
        """Called after the head is read. Finds the route, or sets the refusal, whatever the body is."""
        route = self._routes.get(request.target) or self._routes.get(path_of(request.target))
        request.route = route
        elsewhere = self._browsers.refusal(request)
        request.refusal = (
            self._browsers.preflight(request, route) if elsewhere is None else self.answer_failure(request, elsewhere)
        )
        if request.refusal is not None:
            return
        scope = route.scope if route is not None else "metadata"  # the list of paths needs the scope too
        if scope is not None:
            try:
                request.caller = self._access.admit(request.credential, scope, time.time())
            except RequestError as error:
                request.refusal = self.answer_failure(request, error)
                return
            if self._tracer is not None:
                request.trace = self._tracer.start(request.traceparent, request.tracestate)
        if route is None:
            request.refusal = Response(404, refusal(nowhere(request.target, self.served.name, self._routes)))
        elif request.method not in route.methods:
            allowed = b", ".join(route.methods)
            said = route.error(f"this path does not support this method; allowed: {allowed.decode()}")
            request.refusal = Response(405, said, fields=b"allow: %s\r\n" % allowed)
        elif request.encoding is not None and request.encoding not in WINDOWS:
            said = route.error("this content-encoding is not supported; allowed: gzip, deflate, or none")
            request.refusal = Response(415, said, fields=ACCEPTED)
        elif request.announces_body and route.methods != POST:
            request.refusal = self.answer_failure(request, not_taken())
        elif request.length is not None and request.length > MAX_BODY_BYTES:
            request.refusal = self.answer_failure(request, too_large())
        elif scope == "predict" and self._batches.is_full:  # before any work for it
            request.refusal = self.answer_failure(request, make_overloaded())

    def handle(self, request: HttpRequest, client: Client) -> None:
        """Answers a complete or refused request, at once or later."""
        if request.refusal is not None:
            self._finish(request, client, request.refusal)
            return
        if request.route is None:
            raise AssertionError("internal error: a request without a route is not refused")
        operation = request.route.operation
        if type(operation) is Inferred:
            self._infer(operation, request, client)
        elif type(operation) is Explained:
            self._explain(operation, request, client)
        elif type(operation) is Fixed:
            self._finish(request, client, Response(200, operation.answer))
        elif type(operation) is Document:
            self._finish(request, client, _document(operation))
        elif type(operation) is Told:
            self._finish(request, client, Response(200, operation.answer()))
        elif type(operation) is Readiness:
            drains = self.served.draining
            ready = Response(503, operation.draining, fields=RETRY) if drains else Response(200, operation.ready)
            self._finish(request, client, ready)

    def answer_failure(self, request: HttpRequest, error: Exception) -> Response:
        """Makes the response to a request that ended with `error`."""
        return failure(error, request.route.error if request.route else refusal)

    def _infer(self, operation: Inferred[Any], request: HttpRequest, client: Client) -> None:
        trace = request.trace
        if trace is not None:
            trace.mark_queued()
        try:
            body = _body(request, QUICK_BYTES)
        except TooLarge:
            running = asyncio.get_running_loop().run_in_executor(self._worker, self._whole, operation, request)
            running.add_done_callback(lambda ran: self._finish_whole(request, client, ran.result()))
            return
        except RequestError as error:
            self._finish(request, client, self.answer_failure(request, error))
            return
        try:
            inference = operation.parse(body, _json_bytes(request, len(body)))
            request.rows = rows_of(inference.inputs)
            done = partial(self._answer, operation, request, client, inference)
            self._batches.add(inference.inputs, done, None if trace is None else trace.ran)
        except Exception as error:  # noqa: BLE001 - see failure
            self._finish(request, client, self.answer_failure(request, error))

    def _answer(
        self,
        operation: Inferred[Any],
        request: HttpRequest,
        client: Client,
        inference: Inference,
        result: Arrays | Exception,
    ) -> None:
        if isinstance(result, Exception):
            response = self.answer_failure(request, result)
        else:
            self._counts.saw_unknown(inference.unknown_categories)
            try:
                response = _response(operation.answer(inference, result))
            except Exception as error:  # noqa: BLE001 - see failure
                response = self.answer_failure(request, error)
        if _to_be_packed(request, response):
            running = asyncio.get_running_loop().run_in_executor(self._worker, self._compress, request, response)
            running.add_done_callback(lambda ran: self._finish(request, client, ran.result()))
        else:
            self._finish(request, client, response)

    def _compress(self, request: HttpRequest, response: Response) -> Response:
        """Compresses in the thread. It must not raise there, since the client would wait indefinitely."""
        try:
            return compress(response)
        except Exception as error:  # noqa: BLE001 - see failure
            return self.answer_failure(request, error)

    def _whole(self, operation: Inferred[Any], request: HttpRequest) -> _Whole:
        """Handles a large request completely, in the thread. Because there is one thread, only one decompressed body,
        which the memory budget does not count, exists at a time."""
        rows = begun = 0
        ran: Ran | None = None
        try:
            body = _body(request, MAX_BODY_BYTES)
            inference = operation.parse(body, _json_bytes(request, len(body)))
            asked = rows_of(inference.inputs)
            begun = time.perf_counter_ns()
            arrays = self.served.model.run(inference.inputs, inference.outputs)
            ran = Ran(begun, 1, asked, 0, time.perf_counter_ns() - begun, 0)
            rows = asked
            response = _response(operation.answer(inference, arrays))
            response = compress(response) if _to_be_packed(request, response) else response
            return _Whole(response, rows, ran, inference.unknown_categories)
        except TooLarge:
            return _Whole(self.answer_failure(request, too_large()))
        except Exception as error:  # noqa: BLE001 - see failure
            if ran is None and begun:
                ran = Ran(begun, 1, asked, 0, time.perf_counter_ns() - begun, 0)
            return _Whole(self.answer_failure(request, error), rows, ran)

    def _explain(self, operation: Explained, request: HttpRequest, client: Client) -> None:
        try:
            self._explanations.add(
                partial(self._explain_rows, operation, request), partial(self._finish, request, client)
            )
        except Overloaded as error:
            self._finish(request, client, self.answer_failure(request, error))

    def _explain_rows(self, operation: Explained, request: HttpRequest, until: float) -> Response:
        """Explains rows, in the thread of explanations."""
        try:
            body = _body(request, MAX_BODY_BYTES)
            response = _response(operation.answer(body, _json_bytes(request, len(body)), until))
            return compress(response) if _to_be_packed(request, response) else response
        except TooLarge:
            return self.answer_failure(request, too_large())
        except Exception as error:  # noqa: BLE001 - see failure
            return self.answer_failure(request, error)

    def _finish_whole(self, request: HttpRequest, client: Client, whole: _Whole) -> None:
        request.rows = whole.rows
        self._counts.saw_unknown(whole.unknown_categories)
        ran = whole.ran
        if request.trace is not None and ran is not None:
            request.trace.ran(ran)
        self.served.count_run(whole.rows, 0 if ran is None else ran.infer_ns)
        self._finish(request, client, whole.response)

    def _finish(self, request: HttpRequest, client: Client, response: Response) -> None:
        received = len(request.body)
        request.release()
        if len(response.body) > SMALL_BYTES:
            request.share = Share(self.served.memory)
            try:
                request.share.grow_to(len(response.body))
            except Overloaded as error:
                response = self.answer_failure(request, error)
        route = request.route
        path = route.path if route is not None else OTHER
        self._counts.count_answer(path, response.status)
        if response.status < 400 and route is not None and type(route.operation) is Inferred:
            self._counts.request_seconds.observe(time.perf_counter() - request.began)
        if request.trace is not None and self._tracer is not None:
            request_span.end(self._tracer, request.trace, request, path, received, response)
        response = self._browsers.mark(request, response)
        client.reply(log_response(self._log, request, path, received, response))


def _body(request: HttpRequest, most_bytes: int) -> Body:
    """The decompressed body. Raises TooLarge and InvalidInput."""
    body = request.body
    if len(body) > most_bytes:
        raise TooLarge
    return body if request.encoding is None else decompress(body, request.encoding, most_bytes)


def _to_be_packed(request: HttpRequest, response: Response) -> bool:
    return request.accepts_gzip and len(response.body) > SMALL_BYTES


def _json_bytes(request: HttpRequest, body_bytes: int) -> int | None:
    said = request.json_bytes
    if said is None:
        return None
    if not said.isdigit() or len(said) > 10 or int(said) > body_bytes:
        header = JSON_BYTES_HEADER.decode().title()
        raise RefusedRequest(400, f"{header} must be a number of bytes from 0 to the body's {body_bytes}")
    return int(said)


def _response(answer: Answer) -> Response:
    body, json_bytes = answer
    if json_bytes is None:
        return Response(200, body)
    return Response(200, body, BINARY, b"%s: %d\r\n" % (JSON_BYTES_HEADER, json_bytes))


def _document(document: Document) -> Response:
    fields = "".join(f"{name}: {value}\r\n" for name, value in document.headers.items())
    return Response(200, document.content, document.content_type.encode(), fields.encode())
