"""Access by key, and by what is mounted anew."""

import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from sealift.serving.access import CheckedAccess, Scope, UncheckedAccess
from sealift.serving.errors import AccessInvalid, Forbidden, TooManyRequests, Unauthenticated
from tests.unit.serving.access.files import KEY, NOW, api_key, digest, ec, issuer, key_set, mount, token, written

OTHER = b"sealift_" + b"o" * 43


def admitted(access: CheckedAccess, key: bytes) -> bool:
    try:
        access.admit(key, "predict", NOW)
    except Unauthenticated:
        return False
    return True


def test_a_key_opens_what_its_scopes_say_and_its_name_is_told(tmp_path: Path) -> None:
    access = CheckedAccess(written(tmp_path, {"keys": [api_key(scopes=["predict", "metadata"])]}))

    assert access.admit(KEY, "predict", NOW) == "dashboard"
    assert access.admit(KEY, "metadata", NOW) == "dashboard"
    with pytest.raises(Forbidden, match="'dashboard' lacks the scope 'metrics'") as refused:
        access.admit(KEY, "metrics", NOW)
    assert refused.value.scope == "metrics"


@pytest.mark.parametrize(
    "credential",
    [
        None,
        b"",
        KEY[:-1],
        KEY + b"k",
        KEY.upper(),
        b" " + KEY,
        KEY + b"\n",
        digest(KEY).encode(),
        b"a.b.c",
        b"k" * 20_000,
    ],
)
def test_nothing_but_the_key_itself_is_one(tmp_path: Path, credential: bytes | None) -> None:
    access = CheckedAccess(written(tmp_path, {"keys": [api_key()]}))

    with pytest.raises(Unauthenticated) as refused:
        access.admit(credential, "predict", NOW)
    assert not credential or credential.decode() not in refused.value.message


def test_a_credential_has_16_kib_at_most(tmp_path: Path) -> None:
    longest = b"k" * 16_384
    access = CheckedAccess(written(tmp_path, {"keys": [api_key(longest)]}))

    assert access.admit(longest, "predict", NOW) == "dashboard"
    with pytest.raises(Unauthenticated, match="the credential exceeds the limit of 16384 bytes"):
        access.admit(longest + b"k", "predict", NOW)


def test_a_key_ends_when_it_expires(tmp_path: Path) -> None:
    access = CheckedAccess(written(tmp_path, {"keys": [api_key(expires="2026-06-01T02:00:00+02:00")]}))

    assert access.admit(KEY, "predict", NOW - 0.001) == "dashboard"
    with pytest.raises(Unauthenticated, match="'dashboard' has expired"):
        access.admit(KEY, "predict", NOW)


def test_each_name_has_a_limit_of_its_own_that_its_keys_share(tmp_path: Path) -> None:
    limited = api_key(rateLimit={"perSecond": 1, "burst": 2})
    limited["sha256"] = [digest(KEY), digest(OTHER)]
    access = CheckedAccess(written(tmp_path, {"keys": [limited, api_key(b"free", "free")]}))

    access.admit(KEY, "predict", NOW)
    access.admit(OTHER, "predict", NOW)
    with pytest.raises(TooManyRequests) as refused:
        access.admit(KEY, "predict", NOW)
    assert refused.value.retry_after == 1
    for _ in range(10):
        access.admit(b"free", "predict", NOW)


def test_a_request_that_is_not_allowed_takes_nothing_of_the_limit(tmp_path: Path) -> None:
    access = CheckedAccess(written(tmp_path, {"keys": [api_key(rateLimit={"perSecond": 1, "burst": 1})]}))

    with pytest.raises(Forbidden):
        access.admit(KEY, "metrics", NOW)

    assert access.admit(KEY, "predict", NOW) == "dashboard"


def test_kubernetes_swings_a_secret_to_other_keys(tmp_path: Path) -> None:
    """The old key works until the next refresh, and no longer; the rate limit of a name goes on."""
    rate = {"perSecond": 0.001, "burst": 1}
    mount(tmp_path, access=json.dumps({"keys": [api_key(), api_key(b"slow", "slow", rateLimit=rate)]}))
    access = CheckedAccess(tmp_path / "access.json")
    access.admit(b"slow", "predict", NOW)
    mount(tmp_path, access=json.dumps({"keys": [api_key(OTHER), api_key(b"slower", "slow", rateLimit=rate)]}))

    before = admitted(access, KEY), admitted(access, OTHER)
    access.refresh(NOW)
    after = admitted(access, KEY), admitted(access, OTHER)

    assert (before, after) == ((True, False), (False, True))
    with pytest.raises(TooManyRequests):
        access.admit(b"slower", "predict", NOW)


@pytest.mark.parametrize("content", ["", "{", '{"keys": []}', '{"keys": "' + KEY.decode() + '"}'])
def test_a_broken_file_keeps_the_old_keys_and_is_told_once(
    tmp_path: Path, content: str, capfd: pytest.CaptureFixture[str]
) -> None:
    mount(tmp_path, access=json.dumps({"keys": [api_key()]}))
    access = CheckedAccess(tmp_path / "access.json")

    mount(tmp_path, access=content)
    for _ in range(3):
        access.refresh(NOW)
    line = json.loads(capfd.readouterr().out)  # one line, or it would not parse
    mount(tmp_path, access=json.dumps({"keys": [api_key(OTHER)]}))
    access.refresh(NOW)

    assert line["level"] == "error" and "access.json is not an access file" in line["reason"]
    assert KEY.decode() not in json.dumps(line)
    assert not admitted(access, KEY) and admitted(access, OTHER)


def test_a_file_that_is_gone_keeps_the_old_keys_and_one_that_comes_back_is_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"keys": [api_key()]})
    access = CheckedAccess(path)

    path.unlink()
    access.refresh(NOW)
    access.refresh(NOW)
    assert admitted(access, KEY)
    assert capfd.readouterr().out.count("No such file") == 1

    written(tmp_path, {"keys": [api_key(OTHER)]})
    access.refresh(NOW)
    assert admitted(access, OTHER)


def test_a_file_that_has_not_changed_is_not_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = CheckedAccess(written(tmp_path, {"keys": [api_key()]}))

    def refuse(*_arguments: object, **_more: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(Path, "open", refuse)
    access.refresh(NOW)

    assert admitted(access, KEY)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: path.write_bytes(b" " * 1_048_577), "exceeds the limit of 1048576 bytes"),
    ],
)
def test_a_server_starts_with_no_file_that_cannot_be_read(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    path = tmp_path / "access.json"
    make(path)

    with pytest.raises(AccessInvalid, match=said):
        CheckedAccess(path)


def test_keys_and_tokens_are_taken_beside_each_other_and_a_key_set_is_swung_too(tmp_path: Path) -> None:
    old, new = ec("old"), ec("new")
    access_text = json.dumps({"keys": [api_key()], **issuer("ES256")})
    mount(tmp_path, access=access_text, jwks=key_set(old))
    access = CheckedAccess(tmp_path / "access.json")

    assert access.admit(KEY, "predict", NOW) == "dashboard"
    assert access.admit(token(old, "ES256"), "predict", NOW) == "jwt:alice"

    mount(tmp_path, access=access_text, jwks=key_set(new))
    access.refresh(NOW)

    assert access.admit(token(new, "ES256"), "predict", NOW) == "jwt:alice"
    assert not admitted(access, token(old, "ES256"))


def test_three_hundred_rotations_under_way_lock_nobody_out(tmp_path: Path) -> None:
    """Each key stays good while the file that has it is mounted, its successor beside it."""
    keys = [os.urandom(32).hex().encode() for _ in range(301)]
    mount(tmp_path, access=json.dumps({"keys": [api_key(keys[0])]}))
    access = CheckedAccess(tmp_path / "access.json")

    for old, new in pairwise(keys):
        path = tmp_path / "next"
        path.write_text(json.dumps({"keys": [{**api_key(new), "sha256": [digest(new), digest(old)]}]}))
        path.rename(tmp_path / "access.json")
        access.refresh(NOW)
        assert admitted(access, old) and admitted(access, new)
    assert not admitted(access, keys[0])


@pytest.mark.parametrize("scope", ["predict", "metadata", "metrics"])
def test_without_access_control_all_may_ask_for_all(scope: Scope) -> None:
    access = UncheckedAccess()
    access.refresh(NOW)

    assert access.admit(None, scope, NOW) == access.admit(b"anything", scope, NOW) == "anyone"
