"""The operation `explain` over HTTP, in this process."""

import asyncio
import json
import threading
from functools import partial
from typing import Any

import httpx
import numpy as np
import pytest

from sealift.serving.access import Access, CheckedAccess, UncheckedAccess
from sealift.serving.errors import Overloaded
from sealift.serving.explain.queue import MOST, Queue
from sealift.serving.http.service import HttpService
from sealift.serving.model import Model
from sealift.serving.served import Served
from tests.unit.serving import described
from tests.unit.serving.access.files import KEY, api_key, written
from tests.unit.serving.explain.test_explainer import means, network, rows_of
from tests.unit.serving.http.client import Client
from tests.unit.serving.sockets import SECONDS

PATHS = ["/v2/models/m/explain", "/v2/models/m/versions/1/explain"]


def client(onnx: bytes, description: dict[str, Any], access: Access | None = None) -> Client:
    return Client(HttpService(Served("m", Model(onnx, description), access or UncheckedAccess()), explain=True))


def flowers(rows: list[list[float]], **fields: object) -> bytes:
    tensor = {"name": "input", "shape": [len(rows), 2], "datatype": "FP32", "data": rows}
    return json.dumps({"inputs": [tensor], **fields}).encode()


def tensors(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {one["name"]: np.array(one["data"]).reshape(one["shape"]) for one in answer.json()["outputs"]}


def test_a_category_that_training_never_saw_is_said_with_the_explanation() -> None:
    row = {"size": ("FP32", 1.0), "side": ("BYTES", "west")}
    inputs = [{"name": name, "shape": [1, 1], "datatype": kind, "data": [one]} for name, (kind, one) in row.items()]
    answer = client(described.houses(), described.HOUSES).send("POST", PATHS[0], content=json.dumps({"inputs": inputs}))

    assert answer.json()["parameters"]["unknown_categories.side"] == 1


@pytest.mark.parametrize("path", PATHS)
def test_rows_are_answered_with_contributions_their_base_and_what_they_are_of(path: str) -> None:
    asked = client(described.flowers(), described.FLOWERS)
    body = flowers([[5, 3], [7, 2]], id="a", parameters={"b": 1})

    answer = asked.send("POST", path, content=body)
    predicted = tensors(asked.send("POST", path.replace("explain", "infer"), content=body))["probabilities"]

    said = answer.json()
    assert (said["model_name"], said["model_version"], said["id"]) == ("m", "1", "a")
    assert said["parameters"] == {"b": 1, "method": "exact", "evaluations": 8}
    found = tensors(answer)
    assert {name: array.shape for name, array in found.items()} == {
        "probabilities.shap_values": (2, 2, 3), "probabilities.base_values": (2, 3), "features": (2,),
        "input.reference": (1, 2),
    }  # fmt: skip
    sums = found["probabilities.base_values"] + found["probabilities.shap_values"].sum(axis=1)
    np.testing.assert_allclose(sums, predicted, rtol=0, atol=1e-6)
    assert found["features"].tolist() == ["length", "width"]
    np.testing.assert_allclose(found["input.reference"], [[5.843, 3.054]], rtol=1e-6)
    assert asked.send("POST", path, content=body).content == answer.content


def test_what_is_sampled_says_so_and_how_far_it_may_be_off() -> None:
    row = rows_of(12, 1)
    tensor = {"name": "input", "shape": [1, 12], "datatype": "FP32", "data": row.ravel().tolist()}

    answer = client(network(12)[0], means(12)).send("POST", PATHS[0], content=json.dumps({"inputs": [tensor]}))

    assert answer.json()["parameters"] == {"method": "sampled", "evaluations": 4094}
    found = tensors(answer)
    assert found["probabilities.standard_errors"].shape == found["probabilities.shap_values"].shape == (1, 12, 3)


def test_columns_with_texts_are_taken_and_their_reference_told() -> None:
    size = {"name": "size", "shape": [1, 1], "datatype": "FP32", "data": [100]}
    side = {"name": "side", "shape": [1, 1], "datatype": "BYTES", "data": ["north"]}

    answer = client(described.houses(), described.HOUSES).send(
        "POST", PATHS[0], content=json.dumps({"inputs": [size, side]})
    )

    found = tensors(answer)
    np.testing.assert_allclose(found["prediction.shap_values"].ravel(), [-17200, -5000], rtol=1e-6)
    assert found["side.reference"].tolist() == [["south"]]


def test_binary_data_is_given_as_for_infer() -> None:
    answer = client(described.flowers(), described.FLOWERS).send(
        "POST", PATHS[0], content=flowers([[5, 3]], parameters={"binary_data_output": True})
    )

    json_bytes = int(answer.headers["inference-header-content-length"])
    first = json.loads(answer.content[:json_bytes])["outputs"][0]
    assert (first["name"], first["parameters"]) == ("probabilities.shap_values", {"binary_data_size": 2 * 3 * 8})


@pytest.mark.parametrize(
    ("rows", "fields", "message"),
    [
        (9, {}, "9 rows to explain; expected at most 8 in a request"),
        (1, {"outputs": [{"name": "other"}]}, "expected some of 'probabilities'"),
        (1, {"outputs": [{"name": "probabilities", "parameters": {"classification": 1}}]}, "do not support"),
    ],
)
def test_what_cannot_be_explained_is_refused(rows: int, fields: dict[str, Any], message: str) -> None:
    answer = client(described.flowers(), described.FLOWERS).send(
        "POST", PATHS[0], content=flowers([[5, 3]] * rows, **fields)
    )

    assert (answer.status_code, message in answer.json()["error"]) == (400, True)


def test_it_is_off_unless_asked_for() -> None:
    asked = Client(HttpService(Served("m", Model(described.flowers(), described.FLOWERS), UncheckedAccess())))

    assert asked.send("POST", PATHS[0], content=flowers([[5, 3]])).status_code == 404
    assert PATHS[0] not in asked.get("/openapi.json").json()["paths"]


def test_it_is_for_who_may_predict(tmp_path: Any) -> None:
    for scopes, status in ((["metadata"], 403), (["predict"], 200)):
        access = CheckedAccess(written(tmp_path, {"keys": [api_key(scopes=scopes)]}))
        asked = client(described.flowers(), described.FLOWERS, access)

        assert asked.send("POST", PATHS[0], content=flowers([[5, 3]])).status_code == 401
        keyed = {"x-api-key": KEY.decode()}
        assert asked.send("POST", PATHS[0], content=flowers([[5, 3]]), headers=keyed).status_code == status


def test_it_is_described_with_an_example_that_is_answered_and_counted() -> None:
    service = HttpService(Served("m", Model(described.flowers(), described.FLOWERS), UncheckedAccess()), explain=True)
    asked = Client(service)

    operation = asked.get("/openapi.json").json()["paths"][PATHS[0]]["post"]
    example = operation["requestBody"]["content"]["application/json"]["schema"]["examples"][0]

    assert asked.send("POST", PATHS[0], content=json.dumps(example)).status_code == 200
    assert service.served.counts.requests[PATHS[0], 200] == 1
    assert service.served.counts.rows == 0, "no prediction was asked for"


def test_few_may_wait_and_who_comes_later_is_told_to_try_again() -> None:
    async def fill() -> list[int]:
        queue, go, told = Queue(), threading.Event(), asyncio.Queue[int]()

        def number(which: int, _until: float) -> int:
            go.wait(SECONDS)
            return which

        for which in range(MOST):
            queue.add(partial(number, which), told.put_nowait)
        with pytest.raises(Overloaded, match="try again"):
            queue.add(partial(number, MOST), told.put_nowait)
        go.set()
        found = [await told.get() for _ in range(MOST)]
        queue.add(partial(number, MOST), told.put_nowait)
        return [*found, await told.get()]

    assert asyncio.run(fill()) == list(range(MOST + 1))
