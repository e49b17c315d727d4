"""Who may ask for what, as statuses and headers; what a key may be is tested with serving.access."""

import json
from pathlib import Path

import pytest

from sealift.serving.access import CheckedAccess
from sealift.serving.http.service import HttpService
from sealift.serving.model import Model
from sealift.serving.served import Served
from tests.unit.serving.access.files import KEY, api_key, written
from tests.unit.serving.http.client import INFER, Client
from tests.unit.serving.tiny import DESCRIPTION, onnx_model, request

BODY = json.dumps(request([[1, 2, 3]])).encode()
BEARER = {"authorization": f"Bearer {KEY.decode()}"}
OPEN = ["/", "/v2/health/live", "/v2/health/ready", "/v2/models/tiny/ready", "/v2/models/tiny/versions/1/ready"]
CLOSED = ["/v2", "/v2/models/tiny", "/v2/models/tiny/versions/1", "/v2/models/other", "/other", "/about"]


def client(folder: Path, **members: object) -> Client:
    """Of a server that knows one key."""
    path = written(folder, {"keys": [api_key(**members)]})  # type: ignore[arg-type]
    return Client(HttpService(Served("tiny", Model(onnx_model(), DESCRIPTION), CheckedAccess(path))))


@pytest.mark.parametrize("path", OPEN)
def test_health_is_open(tmp_path: Path, path: str) -> None:
    assert client(tmp_path).get(path).status_code == 200


@pytest.mark.parametrize("path", [*CLOSED, INFER])
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer other"}, {"authorization": f"Basic {KEY.decode()}"}])
def test_all_else_wants_a_key_and_says_nothing_of_the_model(tmp_path: Path, path: str, headers: dict[str, str]) -> None:
    refused = client(tmp_path).send("POST" if path == INFER else "GET", path, headers=headers)

    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert "tiny" not in refused.text and "error" in refused.json()


@pytest.mark.parametrize("headers", [BEARER, {"Authorization": f"bearer  {KEY.decode()}"}, {"x-api-key": KEY.decode()}])
def test_a_key_opens_what_its_scopes_say(tmp_path: Path, headers: dict[str, str]) -> None:
    asking = client(tmp_path, scopes=["predict"])

    assert asking.send("POST", INFER, content=BODY, headers=headers).status_code == 200
    refused = asking.send("GET", "/v2/models/tiny", headers=headers)
    assert (refused.status_code, "metadata" in refused.json()["error"]) == (403, True)
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="metadata"'


def test_a_key_that_asks_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    asking = client(tmp_path, rateLimit={"perSecond": 0.5, "burst": 2})

    statuses = [asking.send("POST", INFER, content=BODY, headers=BEARER) for _ in range(3)]

    assert [answer.status_code for answer in statuses] == [200, 200, 429]
    assert 1 <= int(statuses[-1].headers["retry-after"]) <= 2


def test_a_refusal_names_no_key(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    refused = client(tmp_path).send("POST", INFER, headers={"authorization": "Bearer a-key-of-another-server"})

    assert "a-key-of-another-server" not in refused.text + capfd.readouterr().out
