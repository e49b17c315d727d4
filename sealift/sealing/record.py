"""Records: small encrypted notes of a store, such as checkpoints and run results, under keys of the store's own key.

Same payload format as artifacts; each record has a key of its own, derived from the store key and the record's name, so
that one who works on a run gets the key of its record and can open no other. The name is in the associated data too.
"""

import hmac
import io
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealift.sealing.stream import KEY_BYTES, Buffer, open_stream, seal_stream

RECORD_INFO: Final = b"sealift/v1/record\0"
MASK_INFO: Final = b"sealift/v1/mask"
CONTENT_INFO: Final = b"sealift/v1/content-id"
RECORD_CONTEXT: Final = b"sealift/v1\0record\0"


def record_key(store_key: bytes, name: str) -> bytes:
    """The 32-byte key of the record `name` (hex), which tells nothing of the store key or of other records' keys."""
    return _derive(store_key, RECORD_INFO + name.encode("ascii"))


def mask_key(store_key: bytes) -> bytes:
    """The 32-byte key that masked values are hashed under: equal values stay equal in all runs of a store."""
    return _derive(store_key, MASK_INFO)


def seal_record(key: bytes, name: str, plaintext: Buffer) -> bytes:
    """The record `name` with this content, under its `record_key`."""
    sealed = io.BytesIO()
    seal_stream(plaintext, key, RECORD_CONTEXT + name.encode("ascii"), sealed.write)
    return sealed.getvalue()


def open_record(key: bytes, name: str, sealed: Buffer) -> memoryview:
    """Its content. Raises ArtifactCorrupt if it is another's record, another key's, or altered."""
    return open_stream(sealed, key, RECORD_CONTEXT + name.encode("ascii"))


def content_id(store_key: bytes, digest: bytes) -> str:
    """A digest as this store's own id, in hex: HMAC-SHA256, so that a thief of the store cannot confirm a guess."""
    return hmac.digest(_derive(store_key, CONTENT_INFO), digest, "sha256").hex()


def _derive(store_key: bytes, info: bytes) -> bytes:
    if len(store_key) != KEY_BYTES:
        raise ValueError("internal error: a store key has 32 bytes")
    return HKDF(hashes.SHA256(), KEY_BYTES, None, info).derive(store_key)
