"""The access file's format."""

import json
from pathlib import Path

import pytest

from sealift.serving.access.access_file import parse
from sealift.serving.errors import AccessInvalid
from tests.unit.serving.access.files import KEY, api_key, digest, issuer

PATH = Path("/etc/sealift/access/access.json")


def test_all_that_can_be_said() -> None:
    full = api_key(expires="2027-01-01T00:00:00Z", rateLimit={"perSecond": 100, "burst": 200})
    access = parse(json.dumps({"keys": [full], **issuer("ES256", scopeClaim="roles", leewaySeconds=5)}).encode(), PATH)

    assert access.keys[0].expires is not None and access.keys[0].expires.year == 2027
    assert access.keys[0].rate_limit is not None and access.keys[0].rate_limit.burst == 200
    assert access.jwt is not None and access.jwt.scope_claim == "roles"


def test_the_example_in_the_documentation_is_one() -> None:
    from sealift.serving.access import access_file

    text = (access_file.__doc__ or "").split("\n\n")[1]
    text = text.replace("<64 hex digits>", "0" * 64).replace(
        "<of the previous key, until its rotation is over>", "1" * 64
    )

    assert parse(text.encode(), PATH).keys[0].name == "dashboard"


@pytest.mark.parametrize(
    ("access", "said"),
    [
        ({}, "neither `keys` nor `jwt`"),
        ({"keys": []}, "neither `keys` nor `jwt`"),
        ({"keys": [api_key()], "kyes": []}, "unknown field `kyes`"),
        ({"keys": [api_key(scope="predict")]}, "unknown field `scope` - at `$.keys[0]`"),
        ({"keys": [{**api_key(), "scopes": ["all"]}]}, "'all' - at `$.keys[0].scopes"),
        ({"keys": [{**api_key(), "scopes": []}]}, "$.keys[0].scopes"),
        ({"keys": [{**api_key(), "sha256": []}]}, "$.keys[0].sha256"),
        ({"keys": [api_key(name="Dash board")]}, "$.keys[0].name"),
        ({"keys": [api_key(name="jwt:alice")]}, "$.keys[0].name"),
        ({"keys": [api_key(expires="2027-01-01T00:00:00")]}, "$.keys[0].expires"),
        ({"keys": [api_key(rateLimit={"perSecond": 0, "burst": 1})]}, "$.keys[0].rateLimit.perSecond"),
        ({"keys": [api_key(), api_key(b"other")]}, "'dashboard' more than once"),
        ({"keys": [api_key(), api_key(name="other")]}, "the same `sha256` more than once"),
        (issuer("HS256"), "'HS256' - at `$.jwt.algorithms"),
        (issuer("none"), "'none' - at `$.jwt.algorithms"),
        (issuer(), "$.jwt.algorithms"),
        (issuer("ES256", audience=[]), "$.jwt.audience"),
        (issuer("ES256", jwksUrl="https://login.example.com/keys"), "exactly one of `jwksFile` and `jwksUrl`"),
        (issuer("ES256", jwksFile=None), "exactly one of `jwksFile` and `jwksUrl`"),
        (issuer("ES256", jwksFile=None, jwksUrl="http://login.example.com/keys"), "$.jwt.jwksUrl"),
        (issuer("ES256", jwksFile="../../key/private.pem"), "$.jwt.jwksFile"),
        (issuer("ES256", leewaySeconds=3600), "$.jwt.leewaySeconds"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_place(access: object, said: str) -> None:
    with pytest.raises(AccessInvalid) as refused:
        parse(json.dumps(access).encode(), PATH)

    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{PATH} is not an access file: ")
    assert "\n" not in str(refused.value)


def test_a_key_where_its_digest_belongs_is_not_shown() -> None:
    with pytest.raises(AccessInvalid) as refused:
        parse(json.dumps({"keys": [{**api_key(), "sha256": [KEY.decode()]}]}).encode(), PATH)

    assert "$.keys[0].sha256[0]" in str(refused.value)
    assert KEY.decode() not in str(refused.value) and digest(KEY) not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"\xff", b'{"keys": [' * 10_000])
def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(AccessInvalid, match="is not an access file"):
        parse(content, PATH)
