"""Digests of a payload that is read once: the format's own, and SHA-256 of the whole file for programs of others."""

import hashlib
from dataclasses import dataclass
from typing import BinaryIO, cast

from sealift.sealing import stream_digest
from sealift.sealing.sources import as_stream


@dataclass(frozen=True)
class PayloadDigests:
    """What was read of a payload."""

    payload_digest: str
    """Digest of the segments, as a manifest names it."""
    sha256: str
    """SHA-256 of the file, in hex."""
    size_bytes: int


def read_digests(payload: BinaryIO) -> PayloadDigests:
    """Reads the rest of a stream, which need not fit into memory."""
    hashed = _HashedStream(payload)
    digest = stream_digest(cast(BinaryIO, hashed))
    return PayloadDigests(digest, hashed.sha256.hexdigest(), hashed.size_bytes)


class _HashedStream:
    """A stream and the SHA-256 of what was read of it. It has only `readinto`, all that sealing needs."""

    def __init__(self, stream: BinaryIO) -> None:
        self._fill = as_stream(stream)
        self.sha256 = hashlib.sha256()
        self.size_bytes = 0

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills the buffer, except at the end."""
        count = self._fill(buffer)
        self.sha256.update(buffer[:count])
        self.size_bytes += count
        return count
