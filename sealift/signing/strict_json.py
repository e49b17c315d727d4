"""JSON from strangers: every key once, no numbers that JSON does not have, and a size limit before parsing."""

import base64
import binascii
import json
from typing import Any, Final

from sealift.signing.errors import SignatureInvalid

MAX_BYTES: Final = 1 << 20
"""Limit on a signature's file. A longer one is not read."""


def read_object(content: bytes, what: str) -> dict[str, Any]:
    """Returns the fields of a JSON object. Raises SignatureInvalid."""
    if len(content) > MAX_BYTES:
        raise SignatureInvalid(f"{what} exceeds the limit of {MAX_BYTES} bytes")
    try:
        fields = load_strictly(content.decode("utf-8"))
    except (ValueError, RecursionError):  # a UnicodeDecodeError is a ValueError
        raise SignatureInvalid(f"{what} is not JSON, or has duplicate keys") from None
    return as_object(fields, what)


def load_strictly(text: str | bytes) -> Any:
    """Reads JSON that every program reads in the same way: each key once, and only numbers. Raises ValueError."""
    return json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)


def as_object(value: object, what: str) -> dict[str, Any]:
    """Returns the value, a JSON object. Raises SignatureInvalid."""
    if not isinstance(value, dict):
        raise SignatureInvalid(f"{what} is not a JSON object")
    return value


def only_one(value: object, what: str) -> dict[str, Any]:
    """Returns the only element of a list. Raises SignatureInvalid."""
    if not isinstance(value, list) or len(value) != 1:
        raise SignatureInvalid(f"{what} must be a list of exactly one object")
    return as_object(value[0], f"{what}[0]")


def read_base64(value: object, what: str) -> bytes:
    """Decodes base64 with padding, in its only spelling. Raises SignatureInvalid."""
    try:
        decoded = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):  # the latter if it is not ASCII
        decoded = b""
    if not decoded or base64.b64encode(decoded).decode() != value:
        raise SignatureInvalid(f"{what} is not base64")
    return decoded


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("duplicate key")
    return fields


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
