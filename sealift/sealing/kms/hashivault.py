"""Keys of the transit engine of HashiCorp Vault or OpenBao, of type rsa-4096.

As with the command `vault`: the server is VAULT_ADDR, and the token is VAULT_TOKEN or the file ~/.vault-token. With
`?role=ROLE` the token comes from Vault's Kubernetes auth method, in exchange for the pod's service account token.
"""

import base64
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

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

FORM: Final = "hashivault://NAME, with ?engine=PATH, role=ROLE or version=NUMBER if needed"
NAME: Final = re.compile(r"\w(?:[\w.-]*\w)?\Z", re.ASCII)
PATH: Final = re.compile(r"\w[\w./-]*\Z", re.ASCII)
VERSION: Final = re.compile(r"[1-9][0-9]{0,8}\Z")
TOKEN_FILE: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - where Kubernetes puts it


@dataclass(frozen=True)
class HashivaultKey:
    """One transit key. Without `version` it is the newest version."""

    name: str
    engine: str = "transit"
    role: str | None = None
    version: int | None = None

    @property
    def address(self) -> str:
        """The key's address, with what differs from the defaults."""
        given = {
            "engine": None if self.engine == "transit" else self.engine, "role": self.role, "version": self.version,
        }  # fmt: skip
        query = urlencode({name: value for name, value in given.items() if value is not None}, safe="/")
        return f"hashivault://{self.name}{'?' if query else ''}{query}"

    def public_key(self) -> KmsPublicKey:
        """Reads the public key of the key's version."""
        with self._transit() as transit:
            told = transit.read_key(self.name, mount_point=self.engine)["data"]
        if told["type"] != "rsa-4096":
            raise not_rsa_4096(self.address, f"make another one: `vault write -f {self._path('keys')} type=rsa-4096`")
        version = self.version or int(told["latest_version"])
        try:
            text = str(told["keys"][str(version)]["public_key"])
        except (KeyError, TypeError):
            raise self._no_version(version) from None
        return KmsPublicKey(text, replace(self, version=version).address)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Decrypts with the key's version, which the service takes from the ciphertext's prefix."""
        version = self.version or self._newest()
        wrapped = f"vault:v{version}:{base64.b64encode(ciphertext).decode()}"
        with self._transit() as transit:
            told = transit.decrypt_data(self.name, wrapped, mount_point=self.engine)
        return base64.b64decode(told["data"]["plaintext"])

    def _newest(self) -> int:
        with self._transit() as transit:
            return int(transit.read_key(self.name, mount_point=self.engine)["data"]["latest_version"])

    @contextmanager
    def _transit(self) -> Iterator[Any]:
        """Yields the client's transit engine and turns every failure into an error of ours."""
        try:
            import hvac
            from requests import RequestException
        except ImportError:
            raise sdk_missing(self.address, "hvac", "hashivault") from None
        server, token = _server(), "" if self.role else _token()
        client = hvac.Client(server, token, timeout=SECONDS, namespace=os.environ.get("VAULT_NAMESPACE"))
        try:
            if self.role:
                self._log_in(client, hvac.exceptions.InvalidRequest)
            yield client.secrets.transit
        except (hvac.exceptions.Forbidden, hvac.exceptions.Unauthorized):
            raise self._denied(server, bool(token)) from None
        except hvac.exceptions.InvalidPath:
            raise KeyUnavailable(
                f"Vault at {_place(server)} has no key {self.address}",
                f"make it: `vault write -f {self._path('keys')} type=rsa-4096`; or correct its name or VAULT_ADDR",
            ) from None
        except hvac.exceptions.VaultError as error:
            raise self._refused(server, error) from None
        except (RequestException, OSError) as error:
            raise KeyUnavailable(
                f"Vault at {_place(server)} cannot be reached for the key {self.address}: {type(error).__name__}",
                "start it, or set VAULT_ADDR to its URL (and VAULT_CACERT to its authority)",
            ) from None
        finally:
            client.adapter.close()

    def _log_in(self, client: Any, refusal: type[Exception]) -> None:
        """Raises KeyUnavailable if the role does not exist or is not for this pod."""
        try:
            client.auth.kubernetes.login(self.role, _service_account_token())
        except refusal:
            raise self._denied(_server(), has_token=False) from None

    def _denied(self, server: str, has_token: bool) -> KeyUnavailable:
        said = f"Vault at {_place(server)} denies the key {self.address}"
        policy = f"a policy with read on {self._path('keys')} and update on {self._path('decrypt')}"
        if self.role:
            return KeyUnavailable(said, f"bind the role {self.role} to this pod's service account and to {policy}")
        if not has_token:
            return KeyUnavailable(f"{said}: there is no token", "set VAULT_TOKEN, or run `vault login`")
        return KeyUnavailable(said, f"use a token that has not expired, with {policy}")

    def _refused(self, server: str, error: Exception) -> Exception:
        said = str(error)  # it may quote the request, so it is only searched
        if "decryption error" in said:
            return WrongKey(*DOES_NOT_UNWRAP)
        if "too old" in said or "too new" in said:
            return self._no_version(self.version or 0)
        return KeyUnavailable(
            f"Vault at {_place(server)} cannot use the key {self.address} now: {type(error).__name__}",
            "check `vault status`: it must be unsealed and active; its log says more",
        )

    def _no_version(self, version: int) -> KeyUnavailable:
        return KeyUnavailable(
            f"Vault does not open with version {version} of the key {self.address}",
            f"lower its min_decryption_version: `vault write {self._path('keys')}/config min_decryption_version=1`",
        )

    def _path(self, operation: str) -> str:
        return f"{self.engine}/{operation}/{self.name}"


def _server() -> str:
    return os.environ.get("VAULT_ADDR") or os.environ.get("VAULT_SERVER_URL") or "https://127.0.0.1:8200"


def _place(server: str) -> str:
    """Host and port, without a password."""
    try:
        return urlsplit(server).netloc.rpartition("@")[2] or "VAULT_ADDR"
    except ValueError:
        return "VAULT_ADDR"


def _token() -> str:
    given = os.environ.get("VAULT_TOKEN") or os.environ.get("VAULT_SERVER_TOKEN")
    if given:
        return given.strip()
    try:
        return Path("~/.vault-token").expanduser().read_text().strip()
    except (OSError, RuntimeError):
        return ""


def _service_account_token() -> str:
    file = Path(os.environ.get("VAULT_KUBERNETES_TOKEN_FILE") or TOKEN_FILE)
    try:
        return file.read_text().strip()
    except OSError as error:
        raise KeyUnavailable(
            f"the service account token {file} cannot be read: {error.strerror}",
            "mount a projected token and set VAULT_KUBERNETES_TOKEN_FILE to its path, or leave out ?role=",
        ) from None


def _open_key(address: SplitResult) -> HashivaultKey:
    given = parameters_of(address, FORM, "engine", "role", "version")
    key = HashivaultKey(
        address.netloc,
        given.get("engine", "transit"),
        given.get("role"),
        int(given["version"]) if VERSION.match(given.get("version", "")) else None,
    )
    whole = NAME.match(key.name) and PATH.match(key.engine) and (key.role is None or NAME.match(key.role))
    if not whole or address.path or ("version" in given) != (key.version is not None):
        raise malformed(FORM)
    return key


HASHIVAULT: Final = KmsService("hashivault", FORM, _open_key)
