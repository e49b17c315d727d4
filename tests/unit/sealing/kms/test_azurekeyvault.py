"""Keys in Azure Key Vault, against a stand-in that answers as the reference of its REST API says.

The service itself is out of a test's reach. So the answers here are ours: the stand-in decrypts with key pairs of its
own, by RSA-OAEP with SHA-256, and the credential is a fixed token. Its refusals have the codes that users reported.
"""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

import azure.identity
import pytest
from azure.core.credentials import AccessToken
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sealift.sealing import KeyUnavailable, SealingError, WrongKey, describe, parse_identity, parse_recipient, seal
from sealift.sealing.kms import azurekeyvault
from sealift.sealing.kms.parse import open_key
from sealift.sealing.recipients.parse import find_key_pair
from sealift.sealing.recipients.recipient import Stanza
from sealift.sealing.recipients.rsa_oaep import KIND
from tests.keys import key_pair

VAULT: Final = "example.vault.azure.net"
KEY: Final = f"azurekeyvault://{VAULT}/keys/models"
FIRST: Final = "1" * 32
SECOND: Final = "2" * 32
CODES: Final = {400: "BadParameter", 401: "Unauthorized", 403: "Forbidden", 404: "KeyNotFound", 429: "Throttled"}


class StandIn(BaseHTTPRequestHandler):
    """One vault with two versions of one key."""

    refuses: int = 0
    """Status of every answer, if it is not 0."""
    reason: str = ""
    """Inner code of a refusal."""
    differs: dict[str, Any] = {}  # noqa: RUF012 - replaced as a whole
    """What differs in the key from one that is fit."""
    enabled: bool = True

    def do_GET(self) -> None:
        version = self._version("")
        if version is None:
            return self._refuse(404)
        numbers = public_key(version).public_numbers()
        told = {"kty": "RSA", "key_ops": ["encrypt", "decrypt"], "n": text(numbers.n), "e": text(numbers.e)}
        told["kid"] = f"https://{VAULT}/keys/models/{version}"
        return self._say({"key": told | self.differs, "attributes": {"enabled": self.enabled}})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        version = self._version("/decrypt")
        if version is None:
            return self._refuse(404)
        assert asked["alg"] == "RSA-OAEP-256" and "=" not in asked["value"]
        identity = key_pair(int(version == FIRST))
        try:
            plain = identity.unwrap(Stanza(KIND, identity.key_id, base64.urlsafe_b64decode(asked["value"] + "==")))
        except WrongKey:
            return self._refuse(400)
        return self._say({"value": base64.urlsafe_b64encode(plain).decode().rstrip("=")})

    def _version(self, end: str) -> str | None:
        path, _, query = self.path.partition("?")
        assert query == "api-version=7.4" and self.headers["Authorization"] == "Bearer secret-words"
        versions = {f"/{VAULT}/keys/models/{version}{end}": version for version in (FIRST, SECOND)}
        return versions.get(path, SECOND if path == f"/{VAULT}/keys/models" else None)

    def _refuse(self, status: int) -> None:
        inner = {"innererror": {"code": self.reason}} if self.reason else {}
        self._say({"error": {"code": CODES[status], "message": "secret words", **inner}}, status)

    def _say(self, answer: Any, status: int = 200) -> None:
        if status == 200 and self.refuses:
            return self._refuse(self.refuses)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *_: object) -> None: ...


def public_key(version: str) -> RSAPublicKey:
    key = load_pem_public_key(key_pair(int(version == FIRST)).recipient.pem.encode())
    assert isinstance(key, RSAPublicKey)
    return key


def text(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Credential:
    """A credential that has a token for Key Vault."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def get_token(self, scope: str) -> AccessToken:
        assert scope == "https://vault.azure.net/.default"
        return AccessToken("secret-words", 2**40)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[StandIn]]:
    for number in (0, 1):
        key_pair(number)  # making one takes longer than an answer may
    answers = type("Answers", (StandIn,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(azurekeyvault, "SERVICE", f"http://127.0.0.1:{server.server_port}/{{vault}}")
        monkeypatch.setattr(azure.identity, "DefaultAzureCredential", Credential)
        yield answers
        server.shutdown()
        thread.join()


def refusal_of(address: str) -> SealingError:
    with pytest.raises(SealingError) as refused:
        find_key_pair(address)
    assert "secret" not in str(refused.value) and refused.value.hint
    return refused.value


def test_the_newest_version_s_key_opens_what_was_sealed_to_it(service: type[StandIn]) -> None:
    pair = find_key_pair(KEY)

    assert pair.identity == f"{KEY}/{SECOND}"
    manifest = seal(b"model", {"a": 1}, [parse_recipient(pair.recipient)]).manifest
    for address in (pair.identity, KEY):
        assert describe(manifest, parse_identity(address)) == {"a": 1}
    with pytest.raises(WrongKey, match="does not belong to a recipient"):
        describe(manifest, parse_identity(f"{KEY}/{FIRST}"))


def test_a_version_is_used_as_named(service: type[StandIn]) -> None:
    assert open_key(f"{KEY}/{FIRST}").public_key().address == f"{KEY}/{FIRST}"
    assert find_key_pair(f"{KEY}/{FIRST}").recipient == key_pair(1).recipient.pem


def test_an_altered_stanza_opens_nothing(service: type[StandIn]) -> None:
    identity = parse_identity(f"{KEY}/{FIRST}")

    with pytest.raises(WrongKey, match="does not unwrap"):
        identity.unwrap(Stanza(KIND, identity.key_id, bytes(512)))


@pytest.mark.parametrize(
    "differs",
    [
        {"n": text(2**2047 + 1)},
        {"key_ops": ["sign", "verify"]},
        {"kty": "EC", "n": "", "e": ""},
    ],
)
def test_a_key_of_another_type_or_usage_is_refused(
    service: type[StandIn], monkeypatch: pytest.MonkeyPatch, differs: dict[str, Any]
) -> None:
    monkeypatch.setattr(service, "differs", differs)

    refused = refusal_of(KEY)

    assert isinstance(refused, WrongKey) and "is not an RSA key of 4096 bits" in refused.message
    assert "az keyvault key create" in refused.hint


def test_a_key_whose_operations_forbid_it_is_refused(service: type[StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "refuses", 403)
    monkeypatch.setattr(service, "reason", "KeyOperationForbidden")

    assert "is not an RSA key of 4096 bits" in refusal_of(KEY).message


@pytest.mark.parametrize(
    ("status", "reason", "said", "way_out"),
    [
        (401, "", "no valid Azure credentials", "az login"),
        (403, "ForbiddenByRbac", "denies the key", "Key Vault Crypto User"),
        (403, "KeyDisabled", "it is disabled", "--enabled true"),
        (403, "ForbiddenByFirewall", f"network rules of {VAULT} refuse", "firewall"),
        (429, "", "answers with status 429", "try again"),
    ],
)
def test_a_service_that_does_not_help_says_why(
    service: type[StandIn], monkeypatch: pytest.MonkeyPatch, status: int, reason: str, said: str, way_out: str
) -> None:
    monkeypatch.setattr(service, "refuses", status)
    monkeypatch.setattr(service, "reason", reason)

    refused = refusal_of(KEY)

    assert isinstance(refused, KeyUnavailable) and said in refused.message and way_out in refused.hint


def test_a_missing_and_a_disabled_key_are_told_to_be_that(
    service: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = refusal_of(f"azurekeyvault://{VAULT}/keys/none")
    assert "has no key" in missing.message and "az keyvault key recover" in missing.hint
    monkeypatch.setattr(service, "enabled", False)
    assert "it is disabled" in refusal_of(KEY).message


def test_no_network_and_no_credentials_are_messages(
    service: type[StandIn], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(azurekeyvault, "SERVICE", "http://127.0.0.1:1/{vault}")
    assert "check the network" in refusal_of(KEY).hint

    monkeypatch.undo()
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"):
        monkeypatch.delenv(name, raising=False)
    assert "az login" in refusal_of(KEY).hint
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "address",
    [
        f"azurekeyvault://{VAULT}", f"azurekeyvault://{VAULT}/secrets/models", f"{KEY}/", f"{KEY}/1/2", f"{KEY}?a=b",
        f"{KEY}#1", "azurekeyvault://hidden.example.com/keys/models", f"azurekeyvault://a.{VAULT}/keys/models",
        f"azurekeyvault://{VAULT}:444/keys/models", f"azurekeyvault://user:hidden@{VAULT}/keys/models",
    ],
)  # fmt: skip
def test_a_malformed_address_is_told_the_form_and_not_quoted(address: str) -> None:
    with pytest.raises(WrongKey, match="the key's address is not azurekeyvault://VAULT") as refused:
        parse_identity(address)
    assert "hidden" not in str(refused.value)
