"""Keys in Google Cloud KMS, against a stand-in that answers as the reference of its REST API says.

The service itself is out of a test's reach. The stand-in decrypts with a key pair of its own, by RSA-OAEP with SHA-256.
"""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import google.auth
import pytest
from google.oauth2.credentials import Credentials

from sealift.sealing import KeyUnavailable, SealingError, WrongKey, describe, parse_identity, parse_recipient, seal
from sealift.sealing.kms import gcpkms
from sealift.sealing.kms.parse import open_key
from sealift.sealing.recipients.recipient import Stanza
from sealift.sealing.recipients.rsa_oaep import KIND
from tests.keys import key_pair

KEY: Final = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
REASONS: Final = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 503: "UNAVAILABLE"}


class StandIn(BaseHTTPRequestHandler):
    """Versions 1 and 2 of a key; version 3 is for signatures."""

    refuses: int = 0
    """Status of every answer, if it is not 0."""
    reason: str = ""
    """Reason of a refusal, if the status does not say it."""

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "Bearer secret-words"
        path = self.path.partition("?")[0]
        if path == f"/v1/{KEY}/cryptoKeyVersions":
            return self._say({"cryptoKeyVersions": [{"name": f"{KEY}/cryptoKeyVersions/{n}"} for n in (1, 2)]})
        name, _, verb = path.removeprefix("/v1/").rpartition("/")
        version = name.rpartition("/")[2]
        if verb != "publicKey" or version not in ("1", "2", "3"):
            return self._say(status=404)
        algorithm = "RSA_SIGN_PSS_4096_SHA256" if version == "3" else "RSA_DECRYPT_OAEP_4096_SHA256"
        pem = key_pair(int(version) % 2).recipient.pem
        return self._say({"pem": pem, "algorithm": algorithm, "name": name})

    def do_POST(self) -> None:
        name, _, verb = self.path.partition("?")[0].removeprefix("/v1/").partition(":")
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        identity = key_pair(int(name.rpartition("/")[2]) % 2)
        ciphertext = base64.b64decode(asked["ciphertext"])
        try:
            assert verb == "asymmetricDecrypt"
            plain = identity.unwrap(Stanza(KIND, identity.key_id, ciphertext))
        except WrongKey:
            return self._say(status=400)
        return self._say({"plaintext": base64.b64encode(plain).decode()})

    def _say(self, answer: Any = None, status: int = 200) -> None:
        status = self.refuses or status
        if status != 200:
            answer = {"error": {"code": status, "message": "secret words", "status": self.reason or REASONS[status]}}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[StandIn]]:
    for number in (0, 1):
        key_pair(number)  # making one takes longer than an answer may
    answers = type("Answers", (StandIn,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(gcpkms, "SERVICE", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(google.auth, "default", lambda scopes: (Credentials("secret-words"), "project"))
        yield answers
        server.shutdown()
        thread.join()


def refusal_of(address: str) -> SealingError:
    with pytest.raises(SealingError) as refused:
        describe(seal(b"model", {}, [key_pair(0).recipient]).manifest, parse_identity(address))
    assert "secret" not in str(refused.value) and refused.value.hint
    return refused.value


def test_the_newest_version_s_key_opens_what_was_sealed_to_it(service: type[StandIn]) -> None:
    public_key = open_key(f"gcpkms://{KEY}").public_key()

    assert public_key.address == f"gcpkms://{KEY}/cryptoKeyVersions/2"
    manifest = seal(b"model", {"a": 1}, [parse_recipient(public_key.pem)]).manifest
    for address in (public_key.address, f"gcpkms://{KEY}"):
        assert describe(manifest, parse_identity(address)) == {"a": 1}
    with pytest.raises(WrongKey, match="does not belong to a recipient"):
        describe(manifest, parse_identity(f"gcpkms://{KEY}/cryptoKeyVersions/1"))


def test_an_altered_stanza_opens_nothing(service: type[StandIn]) -> None:
    identity = parse_identity(f"gcpkms://{KEY}/cryptoKeyVersions/1")

    with pytest.raises(WrongKey, match="does not unwrap"):
        identity.unwrap(Stanza(KIND, identity.key_id, bytes(512)))


def test_a_key_for_another_purpose_or_none_is_refused(service: type[StandIn]) -> None:
    assert "is not an RSA key of 4096 bits" in refusal_of(f"gcpkms://{KEY}/cryptoKeyVersions/3").message
    assert "has no key" in refusal_of(f"gcpkms://{KEY}/cryptoKeyVersions/9").message


@pytest.mark.parametrize(("status", "said"), [(403, "denies the key"), (503, "cannot be used for the key")])
def test_a_service_that_does_not_help_says_why(
    service: type[StandIn], monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    monkeypatch.setattr(service, "refuses", status)

    refused = refusal_of(f"gcpkms://{KEY}/cryptoKeyVersions/1")

    assert isinstance(refused, KeyUnavailable) and said in refused.message


def test_a_disabled_version_is_told_to_be_that(service: type[StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "refuses", 400)
    monkeypatch.setattr(service, "reason", "FAILED_PRECONDITION")

    assert "disabled or destroyed" in refusal_of(f"gcpkms://{KEY}/cryptoKeyVersions/1").message


def test_no_network_and_no_credentials_are_messages(
    service: type[StandIn], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gcpkms, "SERVICE", "http://127.0.0.1:1")
    assert "check the network" in refusal_of(f"gcpkms://{KEY}/cryptoKeyVersions/1").hint

    monkeypatch.undo()
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none"))
    assert "gcloud auth application-default login" in refusal_of(f"gcpkms://{KEY}/cryptoKeyVersions/1").hint


def test_it_can_be_loaded_beside_pulumi() -> None:
    """Google's client library for KMS cannot: both define google.rpc.Status."""
    script = "import pulumi.runtime.proto.status_pb2, google.auth.transport.requests"

    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("end", ["", "/x", "/cryptoKeyVersions/0", "?a=b", "/cryptoKeyVersions/1/2", "#1"])
def test_a_malformed_address_is_told_the_form(end: str) -> None:
    address = f"gcpkms://{KEY}{end}" if end else "gcpkms://projects/p/keyRings/r"
    with pytest.raises(WrongKey, match="the key's address is not gcpkms://projects/P"):
        parse_identity(address)
