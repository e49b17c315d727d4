"""What is counted, over real sockets; and who may read it."""

import http.client
import json
import math
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sealift.serving.access import Access, CheckedAccess, UncheckedAccess
from sealift.serving.http.limits import QUICK_BYTES
from sealift.serving.http.metrics_service import metrics_of
from sealift.serving.http.service import HttpService
from sealift.serving.http.sockets import listen
from sealift.serving.http.transport import HttpTransport
from sealift.serving.model import Model
from sealift.serving.served import Served
from sealift.serving.server import Server
from tests.unit.serving import described
from tests.unit.serving.access.files import KEY, api_key, written
from tests.unit.serving.sockets import INFER, SECONDS
from tests.unit.serving.tiny import DESCRIPTION, onnx_model, request

INFO = {"model": "tiny", "artifact_id": "ab", "payload_digest": "cd", "version": "0"}
BEARER = {"authorization": f"Bearer {KEY.decode()}"}

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Watched:
    """A server with both ports."""

    def __init__(self, access: Access, onnx: bytes | None = None, **description: object) -> None:
        self.port, self.metrics_port = (listen("127.0.0.1", 0) for _ in range(2))
        served = Served("tiny", Model(onnx or onnx_model(), DESCRIPTION | description), access)
        http = HttpTransport(HttpService(served), self.port)
        metrics = HttpTransport(metrics_of(served, lambda: http.clients, INFO), self.metrics_port)
        self.server = Server(served, [http], [metrics])
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def ask(self, metrics: bool, method: str, path: str, *rest: object) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        port = (self.metrics_port if metrics else self.port).getsockname()[1]
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            asking.request(method, path, *rest)  # type: ignore[arg-type]
            response = asking.getresponse()
            return response.status, response.getheader("content-type", ""), response.read()
        finally:
            asking.close()

    def infer(self, body: object, status: int) -> None:
        assert self.ask(False, "POST", INFER, json.dumps(body))[0] == status

    def figures(self) -> Figures:
        status, kind, body = self.ask(True, "GET", "/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        families = list(text_string_to_metric_families(body.decode()))
        return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


@pytest.fixture
def watched() -> Iterator[Watched]:
    yield from run(UncheckedAccess())


def run(access: Access, onnx: bytes | None = None, **description: object) -> Iterator[Watched]:
    served = Watched(access, onnx, **description)
    try:
        yield served
    finally:
        if served.thread.is_alive():
            served.server.stop()
        served.thread.join(SECONDS)


def figure(figures: Figures, name: str, **labels: str) -> float:
    return figures[f"sealift_{name}", frozenset(labels.items())]


def test_requests_are_counted_by_route_and_status(watched: Watched) -> None:
    begun = time.monotonic()
    watched.infer(request([[1, 2, 3], [4, 5, 6]]), 200)
    watched.infer(request([[1, 2, 3]]), 200)
    watched.infer("nonsense", 400)
    for path in ("/made-up", "/made-up-as-well"):
        assert watched.ask(False, "GET", path)[0] == 404
    figures = watched.figures()

    assert figure(figures, "requests_total", route=INFER, code="200") == 2
    assert figure(figures, "requests_total", route=INFER, code="400") == 1
    assert figure(figures, "requests_total", route=INFER, code="503") == 0
    assert figure(figures, "requests_total", route="other", code="404") == 2
    assert not [labels for _, labels in figures if "made-up" in str(labels)]
    assert figure(figures, "rows_total") == 3
    assert figure(figures, "request_duration_seconds_count") == 2
    assert figure(figures, "request_duration_seconds_bucket", le="+Inf") == 2
    assert 0 < figure(figures, "request_duration_seconds_sum") < time.monotonic() - begun
    assert figure(figures, "queue_seconds_count") == 2
    assert figure(figures, "batch_rows_bucket", le="1") == 1
    assert figure(figures, "batch_rows_bucket", le="2") == 2
    assert (figure(figures, "queue_rows"), figure(figures, "held_bytes"), figure(figures, "ready")) == (0, 0, 1)
    assert figure(figures, "model_info", **INFO) == 1


def model_statistics(watched: Watched, path: str = "/v2/models/tiny/stats") -> Any:
    status, _, body = watched.ask(False, "GET", path)
    assert status == 200
    (model,) = json.loads(body)["model_stats"]
    return model


def test_a_models_statistics_are_of_what_it_was_asked(watched: Watched) -> None:
    """A large request is run in another way, and refusals before a run are none of the model's."""
    begun = time.time()
    assert model_statistics(watched)["last_inference"] == 0
    watched.infer(request([[1, 2, 3], [4, 5, 6]]), 200)
    watched.infer(request([[1, 2, 3]]), 200)
    watched.infer("nonsense", 400)
    large = [[1, 2, 3]] * QUICK_BYTES
    watched.infer(request(large), 200)
    found = model_statistics(watched)

    assert (found["name"], found["version"]) == ("tiny", "1")
    assert (found["inference_count"], found["execution_count"]) == (3 + len(large), 3)
    assert [one["batch_size"] for one in found["batch_stats"]] == [1, 2, len(large)]
    assert int(begun * 1000) <= found["last_inference"] <= time.time() * 1000
    parts = found["inference_stats"]
    assert {name: parts[name]["count"] for name in ("success", "fail", "queue", "compute_infer")} == {
        "success": 3, "fail": 0, "queue": 3, "compute_infer": 3,
    }  # fmt: skip
    assert 0 < parts["compute_infer"]["ns"] < parts["success"]["ns"] < (time.time() - begun) * 1e9
    assert model_statistics(watched, "/v2/models/tiny/versions/1/stats") == found
    assert model_statistics(watched, "/v2/models/stats") == found
    assert "statistics" in json.loads(watched.ask(False, "GET", "/v2")[2])["extensions"]


def test_statistics_are_for_who_may_know_the_model(tmp_path: Path) -> None:
    for scopes, status in (["predict"], 403), (["metadata"], 200):
        access = CheckedAccess(written(tmp_path, {"keys": [api_key() | {"scopes": scopes}]}))
        for watched in run(access):
            assert watched.ask(False, "GET", "/v2/models/tiny/stats", None, BEARER)[0] == status


def test_what_is_asked_is_held_against_the_training_rows() -> None:
    """Of three features one has a reference; half of what is asked lies where a tenth of the training rows did."""
    bins = {"bmi": {"bounds": [20.0], "shares": [0.1, 0.9]}}
    for watched in run(UncheckedAccess(), inputBins=bins):
        assert not [name for name, _ in watched.figures() if "input_psi" in name]
        watched.infer(request([[1, 15, 3], [4, 35, 6]] * 100), 200)
        deadline = time.monotonic() + SECONDS
        while figure(figures := watched.figures(), "input_rows") < 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)

        assert figure(figures, "input_mean", feature="bmi") == 25
        expected = 0.4 * math.log(0.5 / 0.1) + -0.4 * math.log(0.5 / 0.9)
        assert figure(figures, "input_psi", feature="bmi") == pytest.approx(expected)
        assert {labels for name, labels in figures if "input_psi" in name} == {frozenset({("feature", "bmi")})}


@pytest.mark.parametrize("rows", [1, 20_000], ids=["in the loop", "in the thread"])
def test_categories_that_training_never_saw_are_counted_and_said_with_the_answer(rows: int) -> None:
    def houses(*sides: str) -> dict[str, Any]:
        size = {"name": "size", "shape": [len(sides), 1], "datatype": "FP32", "data": [1] * len(sides)}
        side = {"name": "side", "shape": [len(sides), 1], "datatype": "BYTES", "data": sides}
        return {"inputs": [size, side], "parameters": {"mine": True}}

    for watched in run(UncheckedAccess(), described.houses(), **described.HOUSES):
        assert figure(watched.figures(), "unknown_categories_total", feature="side") == 0
        *_, known = watched.ask(False, "POST", INFER, json.dumps(houses("north", "")))
        assert json.loads(known)["parameters"] == {"mine": True}
        *_, unknown = watched.ask(False, "POST", INFER, json.dumps(houses("south", *["west"] * rows)))
        assert json.loads(unknown)["parameters"] == {"mine": True, "unknown_categories.side": rows}
        watched.infer(houses("west") | {"outputs": [{"name": "other"}]}, 400)
        assert figure(watched.figures(), "unknown_categories_total", feature="side") == rows


def test_prometheus_own_linter_finds_nothing(watched: Watched) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here (Debian's package `prometheus`); prometheus_client's parser alone has read it")
    watched.infer(request([[1, 2, 3]]), 200)
    page = watched.ask(True, "GET", "/metrics")[2]

    checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_large_request_counts_as_one_run(watched: Watched) -> None:
    rows = [[1.0, 2.0, 3.0]] * (QUICK_BYTES // 8)
    watched.infer(request(rows), 200)
    watched.infer(request([*rows, [1.0]]), 400)
    figures = watched.figures()

    assert figure(figures, "rows_total") == len(rows)
    assert figure(figures, "batch_rows_count") == 1
    assert figure(figures, "request_duration_seconds_count") == 1


def test_clients_are_counted_while_they_are_there(watched: Watched) -> None:
    idle = http.client.HTTPConnection("127.0.0.1", watched.port.getsockname()[1], timeout=SECONDS)
    idle.request("GET", "/v2/health/live")
    idle.getresponse().read()

    assert figure(watched.figures(), "connections") == 1
    idle.close()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 405), ("HEAD", "/metrics/", 200)]
)
def test_there_is_one_page(watched: Watched, method: str, path: str, status: int) -> None:
    assert watched.ask(True, method, path)[0] == status
    assert watched.ask(False, "GET", "/metrics")[0] == 404


@pytest.mark.parametrize(
    ("scopes", "headers", "status"),
    [(["metrics"], BEARER, 200), (["predict", "metadata"], BEARER, 403), (["metrics"], {}, 401)],
)
def test_the_page_wants_a_key_with_its_scope(
    tmp_path: Path, scopes: list[str], headers: dict[str, str], status: int
) -> None:
    access = CheckedAccess(written(tmp_path, {"keys": [api_key(scopes=scopes)]}))
    for served in run(access):
        found, _, body = served.ask(True, "GET", "/metrics", None, headers)
        assert (found, b"sealift_model_info" in body) == (status, status == 200)


def test_it_is_served_while_the_models_clients_leave(watched: Watched) -> None:
    """The last scrape is what tells a pod's last minute."""
    busy = http.client.HTTPConnection("127.0.0.1", watched.port.getsockname()[1], timeout=SECONDS)
    busy.request("GET", "/v2/health/live")
    busy.getresponse().read()
    watched.server.stop()
    while figure(watched.figures(), "ready") != 0:
        pass
    busy.close()
    watched.thread.join(SECONDS)
    assert not watched.thread.is_alive()
