"""Keys in Vault's transit engine, against a real server of OpenBao."""

import json
import secrets
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sealift.sealing import (
    KeyUnavailable,
    SealingError,
    WrongKey,
    describe,
    open_artifact,
    parse_identity,
    parse_recipient,
    recipient_ids,
    rewrap,
    seal,
    unwrap,
)
from sealift.sealing.kms.hashivault import FORM
from sealift.sealing.kms.parse import open_key
from sealift.sealing.recipients.recipient import Stanza
from tests.keys import key_pair
from tests.openbao import TRANSIT_USER, OpenBao


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home without a token."""
    monkeypatch.setenv("HOME", str(tmp_path))


def refusal_of(address: str) -> SealingError:
    """What is said of a key that cannot be used: one sentence and a way out, and never the token."""
    with pytest.raises(SealingError) as refused:
        unwrap(seal(b"model", {}, [key_pair().recipient]).manifest, [parse_identity(address)])
    assert refused.value.message.count("\n") == 0 and refused.value.hint
    return refused.value


def test_it_opens_what_was_sealed_to_its_public_key(bao: OpenBao) -> None:
    address = f"hashivault://{bao.make_key()}"
    recipient = parse_recipient(open_key(address).public_key().pem)

    artifact = seal(b"model", {"a": 1}, [recipient, key_pair().recipient])

    identity = parse_identity(address)
    assert identity.key_id == recipient.key_id
    opened = open_artifact(
        artifact.manifest, artifact.payload, identity,
        artifact_id=artifact.artifact_id, payload_digest=artifact.payload_digest,
    )  # fmt: skip
    assert bytes(opened.model) == b"model"
    assert describe(artifact.manifest, key_pair()) == {"a": 1}, "the other recipient opens it without the service"
    alone = rewrap(artifact.manifest, unwrap(artifact.manifest, [identity]), [key_pair().recipient])
    assert recipient_ids(alone) == {key_pair().key_id}


def test_a_newer_version_of_the_key_takes_nothing_from_the_version_that_an_address_names(bao: OpenBao) -> None:
    name = bao.make_key()
    first = open_key(f"hashivault://{name}").public_key()
    artifact = seal(b"model", {"a": 1}, [parse_recipient(first.pem)])

    bao.client.secrets.transit.rotate_key(name)

    newest = open_key(f"hashivault://{name}").public_key()
    assert (first.address, newest.address) == (f"hashivault://{name}?version=1", f"hashivault://{name}?version=2")
    assert newest.pem != first.pem
    assert describe(artifact.manifest, parse_identity(first.address)) == {"a": 1}
    with pytest.raises(WrongKey, match="does not belong to a recipient"):
        describe(artifact.manifest, parse_identity(newest.address))


def test_an_altered_stanza_opens_nothing(bao: OpenBao) -> None:
    identity = parse_identity(f"hashivault://{bao.make_key()}")
    for wrapped in (bytes(512), bytes(511), b"\xff" * 512, key_pair().recipient.wrap(bytes(32)).wrapped_key):
        with pytest.raises(WrongKey, match="does not unwrap"):
            identity.unwrap(Stanza(identity.kinds[0], identity.key_id, wrapped))


def test_a_token_that_may_use_one_key_is_enough(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    name, other = bao.make_key(), bao.make_key()
    token = bao.make_token(TRANSIT_USER.format(name=name))
    monkeypatch.delenv("VAULT_TOKEN")
    (Path.home() / ".vault-token").write_text(f"{token}\n")

    recipient = parse_recipient(open_key(f"hashivault://{name}").public_key().pem)

    manifest = seal(b"model", {"a": 1}, [recipient]).manifest
    assert describe(manifest, parse_identity(f"hashivault://{name}")) == {"a": 1}
    refused = refusal_of(f"hashivault://{other}")
    assert f"denies the key hashivault://{other}" in refused.message and f"transit/decrypt/{other}" in refused.hint
    assert token not in str(refused)


def test_a_token_that_only_reads_the_key_opens_nothing(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    name = bao.make_key()
    manifest = seal(b"model", {}, [parse_recipient(open_key(f"hashivault://{name}").public_key().pem)]).manifest
    policy = 'path "transit/keys/*" {capabilities=["read"]}'
    monkeypatch.setenv("VAULT_TOKEN", bao.make_token(policy))

    with pytest.raises(KeyUnavailable, match=f"denies the key hashivault://{name}"):
        describe(manifest, parse_identity(f"hashivault://{name}"))


def test_without_a_token_it_says_where_one_is_looked_for(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_TOKEN")

    refused = refusal_of("hashivault://any")

    assert "there is no token" in refused.message and "VAULT_TOKEN" in refused.hint


def test_a_wrong_token_is_not_quoted(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "s.secretwords")

    refused = refusal_of("hashivault://any")

    assert "denies" in refused.message and "secretwords" not in str(refused)


def test_a_missing_key_comes_with_the_command_that_makes_it(bao: OpenBao) -> None:
    refused = refusal_of("hashivault://missing")

    assert "has no key hashivault://missing" in refused.message
    assert "vault write -f transit/keys/missing type=rsa-4096" in refused.hint


@pytest.mark.parametrize("kind", ["aes256-gcm96", "rsa-2048", "ed25519"])
def test_a_key_of_another_type_is_refused(bao: OpenBao, kind: str) -> None:
    refused = refusal_of(f"hashivault://{bao.make_key(kind)}")

    assert isinstance(refused, WrongKey) and "is not an RSA key of 4096 bits" in refused.message


def test_a_version_that_does_not_exist_or_is_retired_is_named(bao: OpenBao) -> None:
    name = bao.make_key()
    first = open_key(f"hashivault://{name}").public_key()
    manifest = seal(b"model", {}, [parse_recipient(first.pem)]).manifest
    for _ in range(2):
        bao.client.secrets.transit.rotate_key(name)
    bao.client.secrets.transit.update_key_configuration(name, min_decryption_version=2)

    for version in (1, 7):
        with pytest.raises(KeyUnavailable, match=f"version {version} of the key") as refused:
            unwrap(manifest, [parse_identity(f"hashivault://{name}?version={version}")])
        assert "min_decryption_version" in refused.value.hint


def test_a_server_that_is_not_there_is_named_without_a_password(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://user:secretwords@127.0.0.1:1")

    refused = refusal_of("hashivault://any")

    assert "Vault at 127.0.0.1:1 cannot be reached" in refused.message and "VAULT_ADDR" in refused.hint
    assert "secretwords" not in str(refused) and bao.root_token not in str(refused)


@pytest.mark.parametrize("address", ["", "not a URL", "http://[", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_a_message(bao: OpenBao, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("VAULT_ADDR", address or "127.0.0.1:8200")

    assert "VAULT_ADDR" in refusal_of("hashivault://any").hint


def test_a_pod_logs_in_with_its_service_account_token(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """At auth/kubernetes is OpenBao's method for JSON Web Tokens, which takes the same request without a cluster."""
    name, issuer = bao.make_key(), ec.generate_private_key(ec.SECP256R1())
    public = issuer.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    bao.client.sys.enable_auth_method("jwt", path="kubernetes")
    bao.client.sys.create_or_update_policy("one-key", TRANSIT_USER.format(name=name))
    bao.client.write_data("auth/kubernetes/config", data={"jwt_validation_pubkeys": [public.decode()]})
    role = {"role_type": "jwt", "bound_subject": "pod", "bound_audiences": ["vault"], "user_claim": "sub"}
    bao.client.write_data("auth/kubernetes/role/model", data=role | {"token_policies": ["one-key"]})
    token = tmp_path / "token"
    claims = {"sub": "pod", "aud": "vault", "iat": int(time.time()), "exp": int(time.time()) + 600}
    token.write_text(jwt.encode(claims, issuer, "ES256"))
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("VAULT_KUBERNETES_TOKEN_FILE", str(token))

    address = f"hashivault://{name}?role=model"
    public_key = open_key(address).public_key()

    assert public_key.address == f"hashivault://{name}?role=model&version=1"
    manifest = seal(b"model", {"a": 1}, [parse_recipient(public_key.pem)]).manifest
    assert describe(manifest, parse_identity(public_key.address)) == {"a": 1}
    assert "service account" in refusal_of(f"hashivault://{bao.make_key()}?role=model").hint
    assert "bind the role other" in refusal_of(f"hashivault://{name}?role=other").hint
    token.unlink()
    refused = refusal_of(address)
    assert str(token) in refused.message and "VAULT_KUBERNETES_TOKEN_FILE" in refused.hint


def test_a_transit_engine_at_another_path(bao: OpenBao) -> None:
    engine = f"team/{secrets.token_hex(4)}"
    bao.client.sys.enable_secrets_engine("transit", path=engine)
    bao.client.secrets.transit.create_key("model", key_type="rsa-4096", mount_point=engine)
    address = f"hashivault://model?engine={engine}"

    public_key = open_key(address).public_key()

    assert public_key.address == f"{address}&version=1"
    manifest = seal(b"model", {"a": 1}, [parse_recipient(public_key.pem)]).manifest
    assert describe(manifest, parse_identity(public_key.address)) == {"a": 1}


@pytest.mark.parametrize(
    "address",
    [
        "hashivault://", "hashivault://a/b", "hashivault://a b", "hashivault://user:secretwords@a", "hashivault://a#b",
        "hashivault://a?version=0", "hashivault://a?version=x", "hashivault://a?secretwords=1", "hashivault://a?role=",
        "hashivault://a?version=1&version=2", "hashivault://a?engine=../sys", "hashivault://[", "hashivault://a?role",
        "hashivault://a?token=secretwords",
    ],
)  # fmt: skip
def test_a_malformed_address_is_told_the_form_and_not_quoted(address: str) -> None:
    with pytest.raises(WrongKey, match="the key's address is not") as refused:
        parse_identity(address)
    assert FORM in str(refused.value) and "secretwords" not in str(refused.value)


def test_an_address_is_no_recipient() -> None:
    with pytest.raises(WrongKey, match="the key is not a public key in PEM"):
        parse_recipient("hashivault://a")


def test_an_address_is_parsed_without_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")

    assert parse_identity(" hashivault://a?version=2\n").kinds == ("RSA-OAEP-4096-SHA256",)
    assert json.dumps(repr(parse_identity("hashivault://a"))).count("hashivault") == 0
