"""The contract of a key management service. The private key never leaves the service: it decrypts there.

Errors name keys by their address and services by their host. They quote neither tokens nor what a service answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import SplitResult, parse_qsl

from sealift.sealing.errors import KeyUnavailable, WrongKey

SECONDS: Final = 10.0
"""Time that a service has for one answer."""


@dataclass(frozen=True)
class KmsPublicKey:
    """The public half of a key, as the service tells it."""

    pem: str
    """SubjectPublicKeyInfo in PEM."""
    address: str
    """Address of exactly this version of the key, which stays the same when the service makes a newer one."""


class KmsKey(Protocol):
    """An RSA-4096 key in a service. Both methods ask the service, and raise KeyUnavailable if it does not help."""

    def public_key(self) -> KmsPublicKey:
        """Asks for the public key: of the version that the address names, otherwise of the newest."""

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Decrypts RSA-OAEP with SHA-256. Raises WrongKey if the ciphertext is for another key or was altered."""


@dataclass(frozen=True)
class KmsService:
    """One kind of service."""

    scheme: str
    """Scheme of its keys' addresses."""
    form: str
    """Form of its keys' addresses, for messages."""
    open_key: Callable[[SplitResult], KmsKey]
    """Makes the key from its address and asks nothing yet. Raises WrongKey if the address is not of this form."""


def malformed(form: str) -> WrongKey:
    """An address that is not of its service's form. The address is not quoted: it may hold a password."""
    return WrongKey(f"the key's address is not {form}", "write it as Pulumi's secrets providers do, without a password")


def not_rsa_4096(address: str, hint: str) -> WrongKey:
    """A key that cannot open artifacts."""
    return WrongKey(f"the key {address} is not an RSA key of 4096 bits for decryption", hint)


def sdk_missing(address: str, package: str, extra: str) -> KeyUnavailable:
    """An SDK that is not installed."""
    return KeyUnavailable(
        f"the key {address} needs the Python package {package}, which is not installed",
        f"install it: pip install 'sealift[{extra}]', or pip install {package} in a checkout's environment",
    )


def parameters_of(address: SplitResult, form: str, *names: str) -> Mapping[str, str]:
    """Returns the parameters after the `?`. Raises WrongKey if there are others than `names`."""
    try:
        pairs = parse_qsl(address.query, keep_blank_values=True, strict_parsing=bool(address.query))
    except ValueError:
        raise malformed(form) from None
    given = dict(pairs)
    if len(given) != len(pairs) or not given.keys() <= {*names} or not all(given.values()):
        raise malformed(form)
    return given
