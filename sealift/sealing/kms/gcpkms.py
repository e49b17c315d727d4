"""Keys of Google Cloud KMS, with the algorithm RSA_DECRYPT_OAEP_4096_SHA256.

The credentials are Google's application default credentials: of the environment, of `gcloud`, or of the workload.
Google's client library for KMS cannot be loaded beside Pulumi, because both define the message google.rpc.Status. So
the three requests are made here, with Google's library for credentials.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import SplitResult, quote

from sealift.sealing.errors import KeyUnavailable, WrongKey
from sealift.sealing.kms.kms_key import (
    SECONDS,
    KmsPublicKey,
    KmsService,
    malformed,
    not_rsa_4096,
    parameters_of,
    sdk_missing,
)
from sealift.sealing.recipients.recipient import DOES_NOT_UNWRAP

SERVICE: Final = "https://cloudkms.googleapis.com"
ALGORITHM: Final = "RSA_DECRYPT_OAEP_4096_SHA256"
FORM: Final = "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K, with /cryptoKeyVersions/NUMBER if needed"
PART: Final = r"[\w.:-]+"
NAME: Final = re.compile(
    rf"(projects/{PART}/locations/{PART}/keyRings/{PART}/cryptoKeys/{PART})(/cryptoKeyVersions/[1-9][0-9]{{0,8}})?\Z",
    re.ASCII,
)
HINT: Final = f"make one with purpose asymmetric-encryption and algorithm {ALGORITHM.lower().replace('_', '-')}"


@dataclass(frozen=True)
class GcpKey:
    """One key. Without `version` it is the newest that is enabled."""

    name: str
    """Resource name of the key, without its version."""
    version: str = ""
    """The resource name's end, such as "/cryptoKeyVersions/1"."""

    @property
    def address(self) -> str:
        """The key's address."""
        return f"gcpkms://{self.name}{self.version}"

    def public_key(self) -> KmsPublicKey:
        """Reads the public key of the key's version."""
        unfit = not_rsa_4096(self.address, HINT)
        with self._session() as session:
            name = self._version_in(session, unfit)
            told = self._ask(session, "GET", f"{name}/publicKey", unfit)
        if told.get("algorithm") != ALGORITHM:
            raise unfit
        return KmsPublicKey(told["pem"], f"gcpkms://{name}")

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Decrypts with the key's version."""
        body = {"ciphertext": base64.b64encode(ciphertext).decode()}
        with self._session() as session:
            name = self._version_in(session, not_rsa_4096(self.address, HINT))
            refusal = WrongKey(*DOES_NOT_UNWRAP)
            return base64.b64decode(self._ask(session, "POST", f"{name}:asymmetricDecrypt", refusal, body)["plaintext"])

    def _version_in(self, session: Any, unfit: WrongKey) -> str:
        if self.version:
            return self.name + self.version
        wanted = quote(f"state=ENABLED AND algorithm={ALGORITHM}")
        told = self._ask(session, "GET", f"{self.name}/cryptoKeyVersions?pageSize=1000&filter={wanted}", unfit)
        names = [str(one["name"]) for one in told.get("cryptoKeyVersions", ())]
        if not names:
            raise unfit
        return max(names, key=lambda name: int(name.rpartition("/")[2]))

    def _ask(
        self, session: Any, method: str, path: str, refusal: WrongKey, body: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Returns the service's answer. Raises `refusal` if it refuses to do this with this key."""
        answer = session.request(method, f"{SERVICE}/v1/{path}", json=body, timeout=SECONDS)
        if answer.status_code == HTTPStatus.OK:
            told: dict[str, Any] = answer.json()
            return told
        if answer.status_code == HTTPStatus.BAD_REQUEST and "FAILED_PRECONDITION" not in answer.text:
            raise refusal
        raise self._unavailable(answer.status_code)

    def _unavailable(self, status: int) -> KeyUnavailable:
        if status == HTTPStatus.BAD_REQUEST:
            return KeyUnavailable(
                f"the key {self.address} cannot be used now: its version is disabled or destroyed",
                "enable or restore the version",
            )
        if status == HTTPStatus.NOT_FOUND:
            return KeyUnavailable(f"Google Cloud KMS has no key {self.address}", f"correct its name; or {HINT}")
        if status in (HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED):
            return KeyUnavailable(
                f"Google Cloud KMS denies the key {self.address}",
                "give this account the roles cloudkms.cryptoKeyDecrypter and cloudkms.publicKeyViewer, and "
                "cloudkms.viewer if the address names no version",
            )
        return KeyUnavailable(
            f"Google Cloud KMS cannot be used for the key {self.address}: it answers with status {status}",
            "try again",
        )

    @contextmanager
    def _session(self) -> Iterator[Any]:
        """Yields a session with the credentials, and turns failures below HTTP into errors of ours."""
        try:
            import google.auth
            from google.auth.exceptions import GoogleAuthError
            from google.auth.transport.requests import AuthorizedSession
            from requests import RequestException
        except ImportError:
            raise sdk_missing(self.address, "google-auth", "gcpkms") from None
        try:
            credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloudkms"])
            with AuthorizedSession(credentials) as session:
                yield session
        except GoogleAuthError:
            raise KeyUnavailable(
                f"there are no valid Google credentials for the key {self.address}",
                "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS",
            ) from None
        except RequestException as error:
            raise KeyUnavailable(
                f"Google Cloud KMS cannot be reached for the key {self.address}: {type(error).__name__}",
                "check the network, then try again",
            ) from None


def _open_key(address: SplitResult) -> GcpKey:
    parameters_of(address, FORM)
    found = NAME.match(address.netloc + address.path)
    if found is None:
        raise malformed(FORM)
    return GcpKey(found[1], found[2] or "")


GCPKMS: Final = KmsService("gcpkms", FORM, _open_key)
