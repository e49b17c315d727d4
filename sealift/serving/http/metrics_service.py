"""GET /metrics on its own port, because clients of the model need not have access to the metrics."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from sealift.serving import image_layout
from sealift.serving.errors import RequestError
from sealift.serving.http.failures import failure
from sealift.serving.http.messages import Client, HttpRequest, Response, not_taken
from sealift.serving.http.response_log import log_response
from sealift.serving.http.routes import READ, path_of
from sealift.serving.memory_budget import Share
from sealift.serving.metrics.exposition import CONTENT_TYPE, text
from sealift.serving.metrics.families import families
from sealift.serving.protocol import refusal
from sealift.serving.served import Served

PATH: Final = image_layout.METRICS_PATH.encode()


class MetricsService:
    """Serves the text that `page` makes. Clients need the scope `metrics`, unless access control is off."""

    def __init__(self, served: Served, page: Callable[[], bytes]) -> None:
        self.served = served
        self._page = page

    def admit(self, request: HttpRequest) -> None:
        """Called after the head is read. Sets the refusal, if any."""
        try:
            request.caller = self.served.access.admit(request.credential, "metrics", time.time())
        except RequestError as error:
            request.refusal = self.answer_failure(request, error)
            return
        if path_of(request.target) != PATH:
            request.refusal = Response(404, refusal(f"no such path; available: {PATH.decode()}"))
        elif request.method not in READ:
            request.refusal = Response(
                405,
                refusal("this path does not support this method; allowed: GET, HEAD"),
                fields=b"allow: GET, HEAD\r\n",
            )
        elif request.announces_body:
            request.refusal = self.answer_failure(request, not_taken())

    def handle(self, request: HttpRequest, client: Client) -> None:
        """Answers a request at once."""
        received = len(request.body)
        request.release()
        if request.refusal is not None:
            client.reply(log_response(self.served.log, request, image_layout.METRICS_PATH, received, request.refusal))
            return
        try:
            response = Response(200, self._page(), CONTENT_TYPE)
            request.share = Share(self.served.memory)
            request.share.grow_to(len(response.body))
        except Exception as error:  # noqa: BLE001 - see failure
            response = self.answer_failure(request, error)
        client.reply(log_response(self.served.log, request, image_layout.METRICS_PATH, received, response))

    def answer_failure(self, _request: HttpRequest, error: Exception) -> Response:
        """Makes the response to a request that ended with `error`."""
        return failure(error, refusal)


def metrics_of(
    served: Served, clients: Callable[[], int], info: Mapping[str, str], spans: Callable[[], Mapping[str, int]] = dict
) -> MetricsService:
    """Makes the metrics service of a served model. `clients` returns the number of connections, `info` identifies the
    model, and `spans` returns counts by outcome."""

    drift = served.batches.drift

    def page() -> bytes:
        return text(
            families(
                served.counts,
                info,
                ready=not served.draining,
                queued_rows=served.batches.rows,
                connections=clients(),
                held_bytes=served.memory.bytes,
                input_rows=drift.rows,
                inputs=[(one.name, one.mean, one.psi) for one in drift.features()],
                spans=spans(),
            )
        )

    return MetricsService(served, page)
