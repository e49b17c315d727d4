"""Records: small encrypted notes of a store, such as checkpoints and run results, under the store's own key.

Same payload format as artifacts; the data key comes from the store key, so only who holds that can read or write them.
A record's name is in its associated data: one put in another's place does not open.
"""

import hmac
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealing.stream import KEY_BYTES, Buffer, open_stream, seal_stream

RECORD_INFO: Final = b"sealift/v1/record"
CONTENT_INFO: Final = b"sealift/v1/content-id"
RECORD_CONTEXT: Final = b"sealift/v1\0record\0"


def seal_record(store_key: bytes, name: str, plaintext: Buffer) -> bytes:
    """The record `name` (hex) with this content."""
    sealed = bytearray()
    seal_stream(plaintext, _derive(store_key, RECORD_INFO), RECORD_CONTEXT + name.encode("ascii"), sealed.extend)
    return bytes(sealed)


def open_record(store_key: bytes, name: str, sealed: Buffer) -> memoryview:
    """Its content. Raises ArtifactCorrupt if it is another's record, another key's, or altered."""
    return open_stream(sealed, _derive(store_key, RECORD_INFO), RECORD_CONTEXT + name.encode("ascii"))


def content_id(store_key: bytes, digest: bytes) -> str:
    """A digest as this store's own id, in hex: HMAC-SHA256, so that a thief of the store cannot confirm a guess."""
    return hmac.digest(_derive(store_key, CONTENT_INFO), digest, "sha256").hex()


def _derive(store_key: bytes, info: bytes) -> bytes:
    if len(store_key) != KEY_BYTES:
        raise ValueError("internal error: a store key has 32 bytes")
    return HKDF(hashes.SHA256(), KEY_BYTES, None, info).derive(store_key)
