"""/openapi.json says what the server does: each path and method in it is asked, as it describes them."""

import json
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from sealift.serving.access import CheckedAccess, UncheckedAccess
from sealift.serving.http.service import HttpService
from sealift.serving.model import Model
from sealift.serving.protocol.open_inference_schema import MOST_SHOWN
from sealift.serving.served import Served
from tests.unit.serving.access.files import KEY, api_key, written
from tests.unit.serving.described import digits, houses
from tests.unit.serving.http.client import Client
from tests.unit.serving.tiny import DESCRIPTION, id_model, onnx_model

MODELS = {"numbers": onnx_model(), "ids": id_model(), "texts": houses(), "images": digits()}


def document(onnx: bytes) -> tuple[Client, dict[str, Any]]:
    client = Client(HttpService(Served("tiny", Model(onnx, DESCRIPTION), UncheckedAccess())))
    return client, client.get("/openapi.json").json()


def media(operation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation["requestBody"]["content"]["application/json"]
    return found


@pytest.mark.parametrize("model", MODELS)
def test_each_example_is_answered_and_each_path_read(model: str) -> None:
    client, described = document(MODELS[model])

    answered = []
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            body = {}
            if method == "post":
                body["content"] = json.dumps(media(operation)["schema"].get("examples", [{}])[0])
            answer = client.send(method.upper(), path, **body)
            said = operation["responses"]["200"]
            assert answer.status_code == 200, (method, path, answer.text)
            if method != "head":
                assert answer.headers["content-type"].partition(";")[0] in said["content"]
                required = next(iter(said["content"].values()))["schema"].get("required", [])
                assert set(required) <= set(answer.json() if required else [])
            answered.append((method, path))
    assert ("post", "/v2/models/tiny/infer") in answered and ("get", "/v2/models/tiny") in answered


def test_a_request_is_described_from_the_models_own_tensors() -> None:
    _, described = document(houses())
    schema = media(described["paths"]["/v2/models/tiny/infer"]["post"])["schema"]

    size, side = schema["properties"]["inputs"]["items"]["oneOf"]
    assert (size["properties"]["name"], size["properties"]["datatype"]) == ({"const": "size"}, {"const": "FP32"})
    assert size["properties"]["shape"]["prefixItems"] == [{"type": "integer", "minimum": 1}, {"const": 1}]
    assert side["properties"]["data"]["anyOf"][0] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["outputs"]["items"]["properties"]["name"] == {"enum": ["prediction"]}


def test_a_long_example_is_left_out() -> None:
    shape: list[str | int | None] = ["batch", MOST_SHOWN + 1]
    given, same = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("input", "same"))
    graph = helper.make_graph([helper.make_node("Identity", ["input"], ["same"])], "wide", [given], [same])
    wide = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    _, described = document(wide.SerializeToString())

    assert media(described["paths"]["/v2/models/tiny/infer"]["post"])["schema"]["examples"] == []


def test_where_a_key_is_asked_for_it_says_so_and_is_for_who_may_know_the_model(tmp_path: Path) -> None:
    access = CheckedAccess(written(tmp_path, {"keys": [api_key(scopes=["metadata"])]}))
    client = Client(HttpService(Served("tiny", Model(onnx_model(), DESCRIPTION), access)))

    assert client.get("/openapi.json").status_code == 401
    described = client.send("GET", "/openapi.json", headers={"x-api-key": KEY.decode()}).json()
    assert set(described["components"]["securitySchemes"]) == {"bearer", "apiKey"}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            refused = client.send(method.upper(), path).status_code == 401
            assert ("security" in operation) is refused, (method, path)
    assert described["paths"]["/v2/models/tiny/infer"]["post"]["security"][0] == {"bearer": ["predict"]}


def test_where_no_key_is_asked_for_none_is_described() -> None:
    _, described = document(onnx_model())

    assert "securitySchemes" not in described["components"]
