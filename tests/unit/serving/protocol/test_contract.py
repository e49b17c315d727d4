"""A serving protocol is one module: the transport takes all else from the contract."""

import asyncio
from collections.abc import Mapping

import httpx
import numpy as np
import pytest

from sealift.serving.access import UncheckedAccess
from sealift.serving.errors import InvalidInput
from sealift.serving.http import routes
from sealift.serving.http.asgi import App
from sealift.serving.http.service import Service
from sealift.serving.model import Model
from sealift.serving.protocol import PROTOCOLS
from sealift.serving.protocol.contract import Answer, Body, Inference, Inferred, Operation
from sealift.serving.tensor import Array
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
def client(monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    monkeypatch.setattr(routes, "PROTOCOLS", (*PROTOCOLS, Loud()))
    app = App(Service("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess()))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tiny")


def test_one_more_protocol_is_served_beside_the_others_and_refuses_in_its_own_words(client: httpx.AsyncClient) -> None:
    async def ask() -> list[tuple[int, str]]:
        async with client:
            answers = [
                await client.post("/loud/tiny/input", content=b"abc"),
                await client.post("/loud/tiny/input", content=b"123"),
                await client.get("/loud/tiny/input"),
                await client.get("/v2/health/live"),
            ]
            return [(answer.status_code, answer.text) for answer in answers]

    assert asyncio.run(ask()) == [
        (200, "PREDICTION 333.0"),
        (400, "ONLY LETTERS"),
        (405, "THIS METHOD IS NOT FOR THIS PATH; ALLOWED: POST"),
        (200, '{"live":true}'),
    ]
