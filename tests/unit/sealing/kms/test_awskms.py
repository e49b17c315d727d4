"""Keys in AWS KMS, through the real boto3, against a stand-in that answers as the API reference of AWS KMS says.

The service itself is out of a test's reach, and moto does not take its place: its GetPublicKey answers a key's id
instead of its ARN, and it does not decrypt RSA-OAEP. So the answers here are ours, with key pairs of our own. The
stand-in reads the region of a request from its signature, but does not check the signature.
"""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from sealift.sealing import KeyUnavailable, SealingError, WrongKey, describe, parse_identity, parse_recipient, seal
from sealift.sealing.kms.parse import open_key
from sealift.sealing.recipients.parse import find_key_pair
from sealift.sealing.recipients.recipient import Stanza
from sealift.sealing.recipients.rsa_oaep import KIND
from tests.keys import key_pair

ID: Final = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN: Final = f"arn:aws:kms:eu-west-1:111122223333:key/{ID}"
SPECIFICATIONS: Final = {
    ID: {"KeySpec": "RSA_4096", "KeyUsage": "ENCRYPT_DECRYPT"},
    "mrk-1234": {"KeySpec": "RSA_4096", "KeyUsage": "ENCRYPT_DECRYPT"},
    "small": {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
    "signs": {"KeySpec": "RSA_4096", "KeyUsage": "SIGN_VERIFY"},
}
REFUSALS: Final = {
    "symmetric": "UnsupportedOperationException",
    "disabled": "DisabledException",
    "pending": "KMSInvalidStateException",
    "foreign": "AccessDeniedException",
    "expired": "ExpiredTokenException",
    "unknown-credentials": "UnrecognizedClientException",
    "throttled": "LimitExceededException",
}


class StandIn(BaseHTTPRequestHandler):
    """Keys in eu-west-1, of which two can open artifacts and one has an alias."""

    alias_of: str = ID

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        region = self.headers["Authorization"].split("/")[2]
        name = asked["KeyId"].removeprefix("arn:aws:kms:eu-west-1:111122223333:").removeprefix("key/")
        name = self.alias_of if name == "alias/models" else name
        if name in REFUSALS:
            return self._refuse(REFUSALS[name])
        if name not in SPECIFICATIONS or region != "eu-west-1":
            return self._refuse("NotFoundException")
        if self.headers["X-Amz-Target"] == "TrentService.GetPublicKey":
            return self._tell_public_key(name)
        assert self.headers["X-Amz-Target"] == "TrentService.Decrypt"
        assert asked["EncryptionAlgorithm"] == "RSAES_OAEP_SHA_256"
        identity = key_pair(int(name == ID))
        try:
            plain = identity.unwrap(Stanza(KIND, identity.key_id, base64.b64decode(asked["CiphertextBlob"])))
        except WrongKey:
            return self._refuse("InvalidCiphertextException")
        return self._say({"Plaintext": base64.b64encode(plain).decode()})

    def _tell_public_key(self, name: str) -> None:
        key = load_pem_public_key(key_pair(int(name == ID)).recipient.pem.encode())
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        told = {"KeyId": ARN.replace(ID, name), "PublicKey": base64.b64encode(der).decode(), **SPECIFICATIONS[name]}
        if told["KeyUsage"] == "ENCRYPT_DECRYPT":
            told["EncryptionAlgorithms"] = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]  # type: ignore[assignment]
        self._say(told)

    def _refuse(self, code: str) -> None:
        self._say({"__type": code, "message": "secret words"}, 400)

    def _say(self, answer: Any, status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Returns the folder of AWS's files, which is empty. The credentials are in the environment."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "secret-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-words")
    return tmp_path


@pytest.fixture
def answers() -> type[StandIn]:
    return type("Answers", (StandIn,), {})


@pytest.fixture
def endpoint(answers: type[StandIn]) -> Iterator[str]:
    for number in (0, 1):
        key_pair(number)  # making one takes longer than an answer may
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"endpoint=http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def refusal_of(address: str) -> SealingError:
    with pytest.raises(SealingError) as refused:
        find_key_pair(address)
    assert "secret" not in str(refused.value) and refused.value.hint
    return refused.value


@pytest.mark.parametrize(
    "address",
    [f"awskms://{ID}?region=eu-west-1&", f"awskms:///{ARN}?", "awskms://alias/models?region=eu-west-1&awssdk=v2&"],
)
def test_a_key_opens_what_was_sealed_to_it_and_is_named_by_its_arn(endpoint: str, address: str) -> None:
    pair = find_key_pair(address + endpoint)

    assert pair.identity == f"awskms:///{ARN}?{endpoint}"
    manifest = seal(b"model", {"a": 1}, [parse_recipient(pair.recipient)]).manifest
    assert describe(manifest, parse_identity(pair.identity)) == {"a": 1}
    assert describe(manifest, parse_identity(address + endpoint)) == {"a": 1}
    with pytest.raises(WrongKey, match="does not belong to a recipient"):
        describe(manifest, parse_identity(f"awskms://mrk-1234?region=eu-west-1&{endpoint}"))


def test_an_alias_of_another_key_leaves_the_first_one_s_address_as_it_is(
    endpoint: str, answers: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = f"awskms://alias/models?region=eu-west-1&{endpoint}"
    before = open_key(alias).public_key()
    monkeypatch.setattr(answers, "alias_of", "mrk-1234")

    assert open_key(alias).public_key().pem == key_pair(0).recipient.pem
    assert open_key(before.address).public_key() == before


def test_region_and_credentials_are_those_of_the_profile(
    endpoint: str, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    (credentials / "credentials").write_text("[team]\naws_access_key_id = i\naws_secret_access_key = s\n")
    (credentials / "config").write_text("[profile team]\nregion = eu-west-1\n")

    assert (
        find_key_pair(f"awskms://{ID}?profile=team&{endpoint}").identity == f"awskms:///{ARN}?profile=team&{endpoint}"
    )


def test_an_altered_stanza_opens_nothing(endpoint: str) -> None:
    identity = parse_identity(f"awskms:///{ARN}?{endpoint}")

    with pytest.raises(WrongKey, match="does not unwrap"):
        identity.unwrap(Stanza(KIND, identity.key_id, bytes(512)))


@pytest.mark.parametrize("name", ["small", "signs", "symmetric"])
def test_a_key_of_another_type_or_usage_is_refused(endpoint: str, name: str) -> None:
    refused = refusal_of(f"awskms://{name}?region=eu-west-1&{endpoint}")

    assert isinstance(refused, WrongKey) and "is not an RSA key of 4096 bits" in refused.message
    assert "aws kms create-key --key-spec RSA_4096 --key-usage ENCRYPT_DECRYPT" in refused.hint


@pytest.mark.parametrize(
    ("name", "said", "way_out"),
    [
        ("none", "has no key awskms://none", "correct its id, alias or region"),
        ("alias/none", "has no key awskms://alias/none", "correct its id, alias or region"),
        ("disabled", "cannot be used now", "aws kms enable-key"),
        ("pending", "cannot be used now", "aws kms cancel-key-deletion"),
        ("foreign", "denies the key", "kms:GetPublicKey and kms:Decrypt"),
        ("expired", "no valid AWS credentials", "aws sso login"),
        ("unknown-credentials", "no valid AWS credentials", "aws sso login"),
        ("throttled", "answers with LimitExceededException", "try again"),
    ],
)
def test_a_service_that_does_not_help_says_why(endpoint: str, name: str, said: str, way_out: str) -> None:
    refused = refusal_of(f"awskms://{name}?region=eu-west-1&{endpoint}")

    assert isinstance(refused, KeyUnavailable) and said in refused.message and way_out in refused.hint


def test_a_wrong_region_and_none_are_messages(endpoint: str) -> None:
    assert "in this region" in refusal_of(f"awskms://{ID}?region=us-east-1&{endpoint}").message
    refused = refusal_of(f"awskms://{ID}?{endpoint}")
    assert "region of the key" in refused.message and "?region=eu-west-1" in refused.hint


def test_no_network_and_no_credentials_are_messages(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = refusal_of(f"awskms:///{ARN}?endpoint=http://127.0.0.1:1")
    assert "cannot be reached" in gone.message and "check the network" in gone.hint
    assert "ProfileNotFound" in refusal_of(f"awskms:///{ARN}?profile=none&{endpoint}").message
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "NoCredentialsError" in refusal_of(f"awskms:///{ARN}?{endpoint}").message


@pytest.mark.parametrize(
    "rest",
    [
        "", "a:b", "alias/", f"/{ID}", f"/{ARN.replace(':kms:', ':s3:')}", f"/{ARN}?region=us-east-1",
        f"{ID}?endpoint=file:///x", f"{ID}?endpoint=http://user:hidden@host", f"{ID}?region=a.b", f"{ID}?context_a=b",
        f"{ID}?region=a&region=b", f"{ID}#1", f"user:hidden@{ID}",
    ],
)  # fmt: skip
def test_a_malformed_address_is_told_the_form_and_not_quoted(rest: str) -> None:
    with pytest.raises(WrongKey, match="the key's address is not awskms://KEY-ID") as refused:
        parse_identity(f"awskms://{rest}")
    assert "hidden" not in str(refused.value)
