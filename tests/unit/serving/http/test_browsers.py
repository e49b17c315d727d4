"""What pages of other origins may do: what CORS allows them, and nothing by way of another name of this machine."""

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from sealift.serving.access import Access, CheckedAccess, UncheckedAccess
from sealift.serving.http.browsers import Browsers
from sealift.serving.http.service import HttpService
from sealift.serving.model import Model
from sealift.serving.served import Served
from tests.unit.serving.access.files import KEY, api_key, written
from tests.unit.serving.http.client import INFER, Client
from tests.unit.serving.tiny import DESCRIPTION, onnx_model, request

BODY = json.dumps(request([[1, 2, 3]])).encode()
ORIGIN = "https://app.example.com"


def client(origins: Collection[str] = (), access: Access | None = None, *, local: bool = False) -> Client:
    browsers = Browsers(origins, local=local)
    model = Model(onnx_model(), DESCRIPTION)
    return Client(HttpService(Served("tiny", model, access or UncheckedAccess()), browsers=browsers))


def preflight(asking: Client, origin: str = ORIGIN) -> dict[str, str]:
    headers = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    answer = asking.send("OPTIONS", INFER, headers=headers)
    return {"status": str(answer.status_code)} | dict(answer.headers)


@pytest.mark.parametrize("origins", [[ORIGIN, "http://localhost:3000"], ["*"]], ids=str)
def test_a_page_of_an_allowed_origin_may_ask_with_a_key_and_read_the_answer(tmp_path: Path, origins: list[str]) -> None:
    asking = client(origins, CheckedAccess(written(tmp_path, {"keys": [api_key()]})))

    allowed = preflight(asking)
    assert (allowed["status"], allowed["access-control-allow-origin"]) == ("200", ORIGIN)
    assert allowed["access-control-allow-methods"] == "POST"
    assert {"x-api-key", "authorization", "content-type"} <= set(allowed["access-control-allow-headers"].split(", "))
    answer = asking.send("POST", INFER, content=BODY, headers={"origin": ORIGIN, "x-api-key": KEY.decode()})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert answer.headers["vary"] == "origin"
    refused = asking.send("POST", INFER, content=BODY, headers={"origin": ORIGIN})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN), "a page may read why"


@pytest.mark.parametrize(
    ("origins", "origin"),
    [([], ORIGIN), ([ORIGIN], "https://evil.example.com"), ([ORIGIN], f"{ORIGIN}.evil.com"), ([ORIGIN], "null")],
)
def test_others_may_not(origins: list[str], origin: str) -> None:
    asking = client(origins)

    refused = preflight(asking, origin)
    assert refused["status"] == "405"
    assert not [name for name in refused if name.startswith("access-control")]
    answer = asking.send("POST", INFER, content=BODY, headers={"origin": origin})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.8.9.1", "[::1]:80", "a.localhost"]
)
def test_this_machine_is_named_in_many_ways(host: str) -> None:
    assert client(local=True).send("POST", INFER, content=BODY, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example.com", "evil.example.com:8080", "localhost.evil.com", "10.0.0.1", "[::2]", ""]
)
@pytest.mark.parametrize("path", [INFER, "/"])
def test_a_page_that_gives_its_own_name_this_machine_s_address_learns_nothing(host: str, path: str) -> None:
    """DNS rebinding: to the browser it is the page's own origin, so that no CORS stops it."""
    asking = client(local=True)

    refused = asking.send("POST" if path == INFER else "GET", path, content=BODY, headers={"host": host})
    assert refused.status_code == 421
    assert "tiny" not in refused.text
    assert client(local=False).send("POST", INFER, content=BODY, headers={"host": host}).status_code == 200
