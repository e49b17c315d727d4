"""A serving protocol is one module: the transport takes all else from the contract."""

from collections.abc import Mapping

import numpy as np
import pytest

from sealift.serving.access import UncheckedAccess
from sealift.serving.errors import InvalidInput
from sealift.serving.http import routes
from sealift.serving.http.service import HttpService
from sealift.serving.model import Model
from sealift.serving.protocol import PROTOCOLS
from sealift.serving.protocol.contract import Answer, Body, Inference, Inferred, Operation
from sealift.serving.served import Served
from sealift.serving.tensor import Array
from tests.unit.serving.http.client import Client
from tests.unit.serving.tiny import DESCRIPTION, onnx_model


class Loud:
    """Of a word, the model's answer to the number of its letters, in capitals."""

    def operations(self, name: str, model: Model) -> Mapping[str, Operation]:
        return {f"/loud/{name}/{tensor}": Inferred(self._parse, self._answer) for tensor in model.inputs}

    def error(self, message: str) -> bytes:
        return message.upper().encode()

    def _parse(self, body: Body, json_bytes: int | None) -> Inference:
        if not body.isalpha():
            raise InvalidInput("only letters")
        return Inference({"input": np.full((1, 3), len(body), np.float32)}, ["prediction"])

    def _answer(self, inference: Inference, arrays: Mapping[str, Array]) -> Answer:
        return Answer(f"prediction {arrays['prediction'].item()}".upper().encode())


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(routes, "PROTOCOLS", (*PROTOCOLS, Loud()))
    return Client(HttpService(Served("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess())))


def test_one_more_protocol_is_served_beside_the_others_and_refuses_in_its_own_words(client: Client) -> None:
    answers = [
        client.send("POST", "/loud/tiny/input", content=b"abc"),
        client.send("POST", "/loud/tiny/input", content=b"123"),
        client.get("/loud/tiny/input"),
        client.get("/v2/health/live"),
    ]

    assert [(answer.status_code, answer.text) for answer in answers] == [
        (200, "PREDICTION 333.0"),
        (400, "ONLY LETTERS"),
        (405, "THIS PATH DOES NOT SUPPORT THIS METHOD; ALLOWED: POST"),
        (200, '{"live":true}'),
    ]
