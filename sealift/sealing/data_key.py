"""The text of a data key: what a server gets if the private key is in a KMS. It opens one artifact and nothing else."""

import base64
import binascii
from typing import Final

from sealift.sealing.errors import WrongKey
from sealift.sealing.recipients.parse import parse_identity
from sealift.sealing.recipients.recipient import Identity
from sealift.sealing.segments import KEY_BYTES

PREFIX: Final = "sealift-data-key:"


def data_key_text(data_key: bytes) -> str:
    """Returns the data key as text: a secret."""
    return f"{PREFIX}{base64.b64encode(data_key).decode()}"


def parse_key(text: str, *, trusted: bool = False) -> Identity | bytes:
    """Parses an identity or a data key, both of which open an artifact. Raises WrongKey."""
    prefix, found, encoded = text.strip().partition(PREFIX)
    if prefix or not found:
        return parse_identity(text, trusted=trusted)
    try:
        data_key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        data_key = b""
    if len(data_key) != KEY_BYTES:
        raise WrongKey(f"the data key is not {KEY_BYTES} bytes in base64", f"write it as {PREFIX}…")
    return data_key
