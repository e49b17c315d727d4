"""A stream that is hashed while it is read: SHA-256 of the whole file, beside the digest of its segments."""

import hashlib
from typing import BinaryIO

from sealift.sealing.sources import as_stream


class HashedStream:
    """A stream and the SHA-256 of what was read of it. It has only `readinto`, all that sealing needs."""

    def __init__(self, stream: BinaryIO) -> None:
        self._fill = as_stream(stream)
        self._sha256 = hashlib.sha256()

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills the buffer, except at the end."""
        count = self._fill(buffer)
        self._sha256.update(buffer[:count])
        return count

    def sha256(self) -> str:
        """Returns the digest of what was read until now, in hex."""
        return self._sha256.hexdigest()
