"""Who may ask, as a config says it, and as the server then reads it."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import pytest

from components.access_data import access_data
from components.settings.access import ALGORITHMS, SCOPES
from components.settings.deployment import DeploymentSettings
from sealift.serving import access
from sealift.serving.access import CheckedAccess
from sealift.serving.access.access_file import Algorithm
from sealift.serving.errors import Forbidden
from sealift.settings import Problem, read
from tests.unit.serving.access.files import ec, key_set, token

JWT: dict[str, object] = {"issuer": "https://login.example.com/", "audience": ["models"], "algorithms": ["ES256"]}
URL = {"jwksUrl": "https://login.example.com/keys"}


def read_settings(**given: object) -> tuple[DeploymentSettings, list[Problem]]:
    return read(DeploymentSettings, {"modelName": "diabetes", **given}, "a deployment")


def problems_of(**given: object) -> list[str]:
    return [str(problem) for problem in read_settings(**given)[1]]


def mounted(folder: Path, digests: dict[str, list[str]], **given: Any) -> CheckedAccess:
    """The server's access with what a Secret of these settings has in it."""
    settings, problems = read_settings(**given)
    assert problems == []
    for name, content in access_data(settings, digests).items():
        (folder / name).write_text(str(content))
    return CheckedAccess(folder / "access.json")


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def test_by_default_there_is_one_key_for_all_that_can_be_asked(tmp_path: Path) -> None:
    server = mounted(tmp_path, {"default": [digest("new"), digest("old")]})

    assert {server.admit(key, scope, 0.0) for key in (b"new", b"old") for scope in get_args(access.Scope)} == {
        "default"
    }


def test_the_default_key_stays_beside_named_ones_until_it_is_revoked() -> None:
    named, _ = read_settings(apiKeys={"dashboard": {}})
    revoked, _ = read_settings(apiKeys={"dashboard": {}, "default": {"revoked": True}})

    assert [*named.valid_api_keys] == ["default", "dashboard"]
    assert [*revoked.valid_api_keys] == ["dashboard"]
    assert problems_of(apiKeys={"default": {"revoked": True}}) == [
        "apiKeys revokes every key, but auth is 'apiKey', so no client could send requests"
    ]


def test_with_tokens_there_is_no_key_but_those_that_are_named() -> None:
    tokens, _ = read_settings(auth="jwt", jwt=JWT | URL)

    assert not tokens.valid_api_keys


def test_what_a_key_may_is_what_the_server_lets_it(tmp_path: Path) -> None:
    key = {"scopes": ["metrics"], "expires": "2027-01-01T01:00:00+01:00", "requestsPerSecond": 2.5}
    server = mounted(tmp_path, {"dashboard": [digest("key")]}, apiKeys={"dashboard": key, "default": {"revoked": True}})

    (entry,) = json.loads((tmp_path / "access.json").read_text())["keys"]
    assert entry["expires"] == "2027-01-01T01:00:00+01:00"
    assert entry["rateLimit"] == {"perSecond": 2.5, "burst": 3}
    assert server.admit(b"key", "metrics", 0.0) == "dashboard"
    with pytest.raises(Forbidden):
        server.admit(b"key", "predict", 0.0)


def test_tokens_of_the_issuer_are_taken_beside_keys(tmp_path: Path) -> None:
    own = ec()
    server = mounted(
        tmp_path, {"app": [digest("key")]}, auth="jwt", jwt={**JWT, "jwks": key_set(own)}, apiKeys={"app": {}}
    )

    assert server.admit(token(own, "ES256"), "predict", 0.0) == "jwt:alice"
    assert server.admit(b"key", "predict", 0.0) == "app"


def test_an_issuer_by_url_alone_has_no_keys_of_ours(tmp_path: Path) -> None:
    mounted(tmp_path, {}, auth="jwt", jwt={**JWT, **URL})

    assert json.loads((tmp_path / "access.json").read_text())["keys"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["access.json"]


def test_scopes_and_algorithms_are_the_server_s() -> None:
    assert get_args(access.Scope) == SCOPES
    assert get_args(Algorithm) == ALGORITHMS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"auth": "basic"}, "auth is 'basic'; allowed: 'apiKey', 'jwt', 'none'"),
        ({"auth": "none", "apiKeys": {"app": {}}}, "apiKeys is set, but auth is 'none'"),
        ({"auth": "jwt"}, "jwt is missing, but auth is 'jwt'"),
        ({"jwt": {**JWT, **URL}}, "jwt is set, but auth is 'apiKey'"),
        ({"apiKeys": {"My app": {}}}, "apiKeys.My app is not a valid key name; allowed: at most 32 of a-z"),
        ({"apiKeys": {"app": {"scopes": []}}}, "apiKeys.app.scopes is []; allowed: a list of at least one of"),
        ({"apiKeys": {"app": {"scopes": ["all"]}}}, "apiKeys.app.scopes is ['all']"),
        (
            {"apiKeys": {"app": {"expires": "2027-01-01"}}},
            "apiKeys.app.expires is '2027-01-01'; allowed: a time with",
        ),
        ({"apiKeys": {"app": {"expires": "soon"}}}, "apiKeys.app.expires is 'soon'"),
        ({"apiKeys": {"app": {"burst": 5}}}, "apiKeys.app.burst is 5, but requestsPerSecond is not set"),
        ({"apiKeys": {"app": {"requestsPerSecond": 0}}}, "apiKeys.app.requestsPerSecond is 0"),
        ({"auth": "jwt", "jwt": JWT}, "jwt.jwksUrl is missing, and so is jwks"),
        ({"auth": "jwt", "jwt": {**JWT, **URL, "jwks": '{"keys": []}'}}, "jwt.jwksUrl is set, and so is jwks"),
        ({"auth": "jwt", "jwt": {**JWT, "jwksUrl": "http://x/keys"}}, "allowed: a URL that begins with https://"),
        ({"auth": "jwt", "jwt": {**JWT, "jwks": "{"}}, "jwt.jwks is '{'; allowed: a JSON Web Key Set"),
        ({"auth": "jwt", "jwt": {**JWT, **URL, "algorithms": ["HS256"]}}, "jwt.algorithms is ['HS256']"),
        ({"auth": "jwt", "jwt": {**JWT, **URL, "audience": []}}, "jwt.audience is []"),
        ({"auth": "jwt", "jwt": URL}, "jwt.issuer is missing"),
    ],
)
def test_what_cannot_be_is_told_by_its_path(given: dict[str, object], said: str) -> None:
    assert [problem for problem in problems_of(**given) if said in problem], problems_of(**given)
