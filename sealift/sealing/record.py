"""Records: small encrypted notes of a store, such as checkpoints and run results, under keys derived from the store
key.

Records have the payload format of artifacts. Each has its own key, derived from the store key and the record's name: a
process that works on a run gets only the key of that run's record. The associated data includes the name too.
"""

import hmac
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealift.sealing.memory import Buffer
from sealift.sealing.segments import KEY_BYTES
from sealift.sealing.sources import JoinedSource
from sealift.sealing.stream import open_stream, seal_undigested

RECORD_INFO: Final = b"sealift/v1/record\0"
MASK_INFO: Final = b"sealift/v1/mask"
CONTENT_INFO: Final = b"sealift/v1/content-id"
RECORD_CONTEXT: Final = b"sealift/v1\0record\0"


def record_key(store_key: bytes, name: str) -> bytes:
    """The 32-byte key of the record `name` (hex). It reveals neither the store key nor other records' keys."""
    return _derive(store_key, RECORD_INFO + name.encode("ascii"))


def mask_key(store_key: bytes) -> bytes:
    """The 32-byte key for hashing masked values. Equal values stay equal in all runs of a store."""
    return _derive(store_key, MASK_INFO)


def seal_record(key: bytes, name: str, *pieces: Buffer) -> memoryview:
    """Encrypts the content of the record `name`, the pieces one after the other, under its `record_key`."""
    return seal_undigested(JoinedSource(pieces), key, RECORD_CONTEXT + name.encode("ascii"))


def open_record(key: bytes, name: str, sealed: Buffer) -> memoryview:
    """Decrypts a record. Raises ArtifactCorrupt if the name or the key is another one, or if the record was altered."""
    return open_stream(sealed, key, RECORD_CONTEXT + name.encode("ascii"))


def content_id(store_key: bytes, digest: bytes) -> str:
    """The id of a digest in this store, in hex: HMAC-SHA256, so that a thief of the store cannot confirm a guess."""
    return hmac.digest(_derive(store_key, CONTENT_INFO), digest, "sha256").hex()


def _derive(store_key: bytes, info: bytes) -> bytes:
    if len(store_key) != KEY_BYTES:
        raise ValueError("internal error: a store key has 32 bytes")
    return HKDF(hashes.SHA256(), KEY_BYTES, None, info).derive(store_key)
