"""RSA keys of 4096 bits in Azure Key Vault, used with RSA-OAEP-256.

The credentials are those of azure-identity's DefaultAzureCredential: of the environment, of the workload, or of
`az login`. The two requests are made here. Source: the REST reference of Key Vault, version 7.4 (Get Key, Decrypt).
"""

import base64
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import SplitResult

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from sealift.sealing.errors import KeyUnavailable, SealingError, WrongKey
from sealift.sealing.kms.kms_key import (
    SECONDS,
    KmsPublicKey,
    KmsService,
    malformed,
    not_rsa_4096,
    parameters_of,
    sdk_missing,
)
from sealift.sealing.recipients import pem
from sealift.sealing.recipients.recipient import DOES_NOT_UNWRAP

SERVICE: Final = "https://{vault}"
API_VERSION: Final = "7.4"
FORM: Final = "azurekeyvault://VAULT.vault.azure.net/keys/NAME, with /VERSION if needed"
ADDRESS: Final = re.compile(
    r"([a-z0-9-]+\.(vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)))/keys/([a-z0-9-]+)(?:/([a-z0-9]+))?\Z",
    re.ASCII | re.IGNORECASE,
)
"""Only Microsoft's hosts, because they get the credentials' token."""
KEY_BITS: Final = 4096
HINT: Final = "make one: `az keyvault key create --vault-name VAULT --name NAME --kty RSA --size 4096`"
NO_WARNINGS: Final = logging.NullHandler()
"""Keeps a failed credential's warnings off standard error. The error says what to do, and a log still gets them."""


@dataclass(frozen=True)
class AzureKey:
    """One key. Without `version` it is the newest."""

    vault: str
    """Host name of the vault."""
    domain: str
    """Domain of all vaults of this cloud, for which the credentials' token is."""
    name: str
    version: str = ""

    @property
    def address(self) -> str:
        """The key's address."""
        return f"azurekeyvault://{self.vault}/{self.path}"

    @property
    def path(self) -> str:
        """The key's path in its vault."""
        return f"keys/{self.name}{'/' if self.version else ''}{self.version}"

    def public_key(self) -> KmsPublicKey:
        """Reads the public key of the key's version."""
        with self._requests() as ask:
            told = ask("GET", self.path, None)
        key = told["key"]
        modulus, exponent = (int.from_bytes(_decoded(key.get(part, ""))) for part in ("n", "e"))
        if modulus.bit_length() != KEY_BITS or "decrypt" not in key.get("key_ops", ()):
            raise not_rsa_4096(self.address, HINT)
        if not told["attributes"]["enabled"]:
            raise self._disabled()
        text = pem.public_text(RSAPublicNumbers(exponent, modulus).public_key())
        return KmsPublicKey(text, replace(self, version=_version_of(key)).address)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Decrypts with the key's version."""
        value = base64.urlsafe_b64encode(ciphertext).decode().rstrip("=")
        with self._requests() as ask:
            version = self.version or _version_of(ask("GET", self.path, None)["key"])
            path = replace(self, version=version).path
            return _decoded(ask("POST", f"{path}/decrypt", {"alg": "RSA-OAEP-256", "value": value})["value"])

    @contextmanager
    def _requests(self) -> Iterator[Callable[[str, str, Mapping[str, str] | None], dict[str, Any]]]:
        """Yields a function that sends a request. Turns every failure into an error of ours."""
        try:
            import requests
            from azure.core.exceptions import AzureError
            from azure.identity import DefaultAzureCredential
        except ImportError:
            raise sdk_missing(self.address, "azure-identity", "azurekeyvault") from None
        logging.getLogger("azure.identity").addHandler(NO_WARNINGS)
        try:
            with DefaultAzureCredential() as credential, requests.Session() as session:
                token = credential.get_token(f"https://{self.domain}/.default").token
                session.auth = lambda request: _with_token(request, token)  # netrc does not replace it
                yield lambda method, path, body: self._ask(session, method, path, body)
        except AzureError:
            raise self._without_credentials() from None
        except requests.RequestException as error:
            raise KeyUnavailable(
                f"{self.vault} cannot be reached for the key {self.address}: {type(error).__name__}",
                "check the network, and the vault's name",
            ) from None

    def _ask(self, session: Any, method: str, path: str, body: Mapping[str, str] | None) -> dict[str, Any]:
        answer = session.request(
            method,
            f"{SERVICE.format(vault=self.vault)}/{path}",
            params={"api-version": API_VERSION},
            json=body,
            timeout=SECONDS,
            allow_redirects=False,
        )
        if answer.status_code != HTTPStatus.OK:
            raise self._refused(method, answer.status_code, answer.text)
        told: dict[str, Any] = answer.json()
        return told

    def _refused(self, method: str, status: int, said: str) -> SealingError:
        """`said` may quote the request, so it is only searched."""
        if status == HTTPStatus.BAD_REQUEST and method == "POST":
            return WrongKey(*DOES_NOT_UNWRAP)
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST):
            return KeyUnavailable(
                f"Azure Key Vault has no key {self.address}",
                f"correct its name; or recover a deleted one: `az keyvault key recover`; or {HINT}",
            )
        if status == HTTPStatus.UNAUTHORIZED:
            return self._without_credentials()
        if status == HTTPStatus.FORBIDDEN:
            return self._forbidden(said)
        return KeyUnavailable(
            f"Azure Key Vault cannot be used for the key {self.address}: it answers with status {status}", "try again"
        )

    def _forbidden(self, said: str) -> SealingError:
        if "KeyDisabled" in said:
            return self._disabled()
        if "KeyOperationForbidden" in said:
            return not_rsa_4096(self.address, HINT)
        if "ForbiddenByFirewall" in said or "ForbiddenByConnection" in said:
            return KeyUnavailable(
                f"the network rules of {self.vault} refuse this machine for the key {self.address}",
                "allow its address in the vault's firewall, or use the vault's private endpoint",
            )
        return KeyUnavailable(
            f"Azure Key Vault denies the key {self.address}",
            "give this account the role Key Vault Crypto User, or an access policy with get and decrypt for keys",
        )

    def _disabled(self) -> KeyUnavailable:
        return KeyUnavailable(
            f"the key {self.address} cannot be used now: it is disabled",
            "enable it: `az keyvault key set-attributes --enabled true`",
        )

    def _without_credentials(self) -> KeyUnavailable:
        return KeyUnavailable(
            f"there are no valid Azure credentials for the key {self.address}",
            "run `az login` (with --tenant if the vault is in another one), or set AZURE_TENANT_ID, AZURE_CLIENT_ID "
            "and AZURE_CLIENT_SECRET",
        )


def _with_token(request: Any, token: str) -> Any:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _version_of(key: Mapping[str, Any]) -> str:
    return str(key["kid"]).rpartition("/")[2]


def _decoded(text: str) -> bytes:
    """Base64url without padding, as in a JSON Web Key."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _open_key(address: SplitResult) -> AzureKey:
    parameters_of(address, FORM)
    found = ADDRESS.match(address.netloc + address.path)
    if found is None:
        raise malformed(FORM)
    return AzureKey(found[1].lower(), found[2].lower(), found[3], found[4] or "")


AZUREKEYVAULT: Final = KmsService("azurekeyvault", FORM, _open_key)
