"""The page as a file and the headers beside it."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from sealift.serving.access import CheckedAccess, UncheckedAccess
from sealift.serving.http.service import HttpService
from sealift.serving.model import Model
from sealift.serving.opening import Source
from sealift.serving.served import Served
from tests.unit.serving import described
from tests.unit.serving.access.files import KEY, api_key, written
from tests.unit.serving.http.client import Client

SOURCE = Source(Path("payload"), Path("manifest"), Path("key"), "ab" * 16, "cd" * 32)


@pytest.fixture
def model() -> Model:
    return Model(described.houses(), described.HOUSES, SOURCE)


def test_the_page_is_whole_and_loads_nothing_else(model: Model) -> None:
    page = Client(HttpService(Served("houses", model, UncheckedAccess()))).get("/")

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "/* page." not in page.text
    assert re.findall(r"https?://|\son\w+=|<link[^>]+stylesheet|<script[^>]+src|innerHTML|eval\(", page.text) == []


def test_a_browser_may_run_only_what_the_page_has(model: Model) -> None:
    page = Client(HttpService(Served("houses", model, UncheckedAccess()))).get("/")

    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert policy[f"{tag}-src"] == f"'sha256-{digest}'"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-frame-options"] == "DENY"


def test_the_page_is_open_and_says_nothing_of_the_model_which_needs_a_key(model: Model, tmp_path: Path) -> None:
    access = CheckedAccess(written(tmp_path, {"keys": [api_key(scopes=["metadata"])]}))
    asking = Client(HttpService(Served("houses", model, access)))

    page = asking.get("/")

    assert page.status_code == 200
    assert not [word for word in ("houses", "south", SOURCE.artifact_id) if word in page.text]
    assert "pulumi stack output apiKeys --show-secrets" in page.text
    assert asking.get("/about").status_code == 401
    assert asking.send("GET", "/about", headers={"x-api-key": KEY.decode()}).status_code == 200


def test_about_tells_what_a_form_needs_and_no_metric(model: Model) -> None:
    about = Client(HttpService(Served("houses", model, UncheckedAccess()))).get("/about")

    assert about.headers["content-type"] == "application/json"
    told = json.loads(about.text)
    assert (told["name"], told["artifactId"], told["payloadDigest"]) == ("houses", "ab" * 16, "cd" * 32)
    size, side = told["inputs"]
    assert (size["name"], size["datatype"], size["shape"]) == ("size", "FP32", [1, 1])
    assert size["fields"] == [{"name": "size", "usual": 117.2, "lowest": 30, "highest": 200, "choices": []}]
    assert side["fields"][0]["choices"] == ["north", "south"]
    assert "987654" not in about.text and "30.42" not in about.text


def test_head_has_the_same_headers_and_post_is_refused(model: Model) -> None:
    asking = Client(HttpService(Served("houses", model, UncheckedAccess())))

    head, get = ({**answer.headers, "date": ""} for answer in (asking.send("HEAD", "/"), asking.get("/")))
    assert head == get
    assert (asking.send("POST", "/").status_code, asking.send("POST", "/").headers["allow"]) == (405, "GET, HEAD")
