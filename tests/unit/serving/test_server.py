"""All transports start, drain and stop together, whatever they are."""

import threading

from sealift.serving.access import UncheckedAccess
from sealift.serving.grpc.arrivals import MESSAGE_SECONDS
from sealift.serving.http.limits import BODY_SECONDS
from sealift.serving.model import Model
from sealift.serving.served import Served
from sealift.serving.server import GRACE_SECONDS, Server
from tests.unit.serving.sockets import SECONDS
from tests.unit.serving.tiny import DESCRIPTION, onnx_model


class Noted:
    """A transport without clients, and what it was told, with whether the server was draining then."""

    clients = 0

    def __init__(self, name: str, served: Served, told: list[tuple[str, str, bool]]) -> None:
        self._name, self._served, self._told = name, served, told

    async def start(self) -> None:
        self._note("start")

    def tick(self) -> None: ...

    async def stop(self, seconds: float) -> None:
        self._note(f"stop within {seconds:g}")

    def _note(self, what: str) -> None:
        self._told.append((self._name, what, self._served.draining))


def test_all_start_before_it_is_ready_and_those_beside_stop_last() -> None:
    served = Served("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess())
    told: list[tuple[str, str, bool]] = []
    one, other, metrics = (Noted(name, served, told) for name in ("one", "other", "metrics"))
    server = Server(served, [one, other], [metrics])

    def ready() -> None:
        told.append(("server", "ready", served.draining))
        server.stop()

    thread = threading.Thread(target=server.run, args=(ready,))
    thread.start()
    thread.join(SECONDS)

    starts = [(name, "start", False) for name in ("one", "other", "metrics")]
    stops = [("one", "stop within 18", True), ("other", "stop within 18", True)]
    ends = [(name, "stop within 0", True) for name in ("metrics", "one", "other")]
    assert told == [*starts, ("server", "ready", False), *stops, *ends]


def test_a_request_that_is_under_way_has_time_to_arrive() -> None:
    assert max(BODY_SECONDS, MESSAGE_SECONDS) < GRACE_SECONDS
