"""Parsing of recipients and identities, and the list of their kinds. The text itself shows its kind.

A new kind is a file beside this one and a line in KINDS.
"""

import secrets
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, TypeVar

from sealift.sealing.errors import NotThisKind, WrongKey
from sealift.sealing.kms.parse import open_key
from sealift.sealing.recipients import kms, rsa_oaep, x25519
from sealift.sealing.recipients.recipient import Identity, KeyPair, Recipient, RecipientKind

T = TypeVar("T")

KINDS: Final[list[RecipientKind]] = [
    rsa_oaep.RSA_4096,
    x25519.X25519,
    kms.RSA_4096_IN_KMS,
]
KEY_ALGORITHMS: Final = tuple(kind.name for kind in KINDS if kind.generate is not None)
"""The kinds that keys can be generated for. The first is the default."""


def parse_recipient(text: str) -> Recipient:
    """Parses a recipient. Raises WrongKey if the text is not a recipient of any kind."""
    readers = (kind.read_recipient for kind in KINDS)
    return _first((partial(read, text) for read in readers if read is not None), recipient_forms())


def parse_identity(text: str, *, trusted: bool = False) -> Identity:
    """Parses an identity. `trusted`: it has been fully checked before. Raises WrongKey if it is not of any kind."""
    return _first((partial(kind.read_identity, text, trusted) for kind in KINDS), identity_forms())


def generate_key_pair(algorithm: str) -> KeyPair:
    """Generates a key pair of one of KEY_ALGORITHMS."""
    for kind in KINDS:
        if kind.name == algorithm and kind.generate is not None:
            return kind.generate()
    raise ValueError(f"internal error: keys of {algorithm} cannot be generated")


def find_key_pair(address: str) -> KeyPair:
    """Asks a KMS for the key at this address, and whether it opens what is sealed to it. The pair's identity is the
    address of exactly this version of the key. Raises KeyUnavailable or WrongKey.
    """
    public_key = open_key(address).public_key()
    recipient, identity = parse_recipient(public_key.pem), parse_identity(public_key.address)
    sample = secrets.token_bytes(32)
    if identity.unwrap(recipient.wrap(sample)) != sample:
        raise WrongKey(f"the key {public_key.address} does not decrypt what its own public key encrypted")
    return KeyPair(recipient.key_id, public_key.pem, public_key.address)


def recipient_forms() -> str:
    """The forms that a recipient's text can have, for messages."""
    return _forms((kind.recipient_form, kind.name) for kind in KINDS)


def identity_forms() -> str:
    """The forms that an identity's text can have, for messages."""
    return _forms((kind.identity_form, kind.name) for kind in KINDS)


def _forms(forms: Iterable[tuple[str | None, str]]) -> str:
    names: dict[str, list[str]] = {}
    for form, name in forms:
        if form is not None:
            names.setdefault(form, []).append(name)
    return " or ".join(f"{form} ({' or '.join(named)})" for form, named in names.items())


def _first(readers: Iterable[Callable[[], T]], forms: str) -> T:
    hints = []
    for read in readers:
        try:
            return read()
        except NotThisKind as refusal:
            hints.append(refusal.hint)
    raise WrongKey(f"the key is not {forms}", "; ".join(dict.fromkeys(hints)))
