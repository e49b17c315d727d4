"""The payload's layout and cipher: Tink's streaming AEAD `AES256_GCM_HKDF_1MB` (docs/reference/format-v1.md).

Here is one segment at a time. stream.py and plain_reader.py choose the segments, their memory and their order.
"""

from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealift.sealing.errors import ArtifactCorrupt
from sealift.sealing.memory import Buffer

SEGMENT_BYTES: Final = 1 << 20
KEY_BYTES: Final = 32
SALT_BYTES: Final = 32
PREFIX_BYTES: Final = 7
TAG_BYTES: Final = 16
HEADER_BYTES: Final = 1 + SALT_BYTES + PREFIX_BYTES
FIRST_PIECE_BYTES: Final = SEGMENT_BYTES - HEADER_BYTES - TAG_BYTES
PIECE_BYTES: Final = SEGMENT_BYTES - TAG_BYTES
MAX_SEGMENTS: Final = 2**32 - 1  # the index is four bytes of the nonce


class Segment(NamedTuple):
    """One segment's place in the plaintext and in the payload. `stored` begins with `lead` bytes of the header."""

    number: int
    plain: slice
    stored: slice
    lead: int
    last: bool

    @property
    def plain_bytes(self) -> int:
        """Size of its piece of the plaintext."""
        return int(self.plain.stop - self.plain.start)

    @property
    def stored_bytes(self) -> int:
        """Size in the payload, with the header if it is the first one."""
        return int(self.stored.stop - self.stored.start)


class SegmentCipher:
    """Seals and opens the segments of one payload, which its header and its data key define."""

    def __init__(self, data_key: bytes, header: bytes, associated_data: bytes) -> None:
        """Raises ArtifactCorrupt if it is not a header."""
        if len(header) != HEADER_BYTES or header[0] != HEADER_BYTES:
            raise corrupt()
        if len(data_key) != KEY_BYTES:
            raise ValueError("internal error: a data key has 32 bytes")
        salt, self._prefix = header[1 : 1 + SALT_BYTES], header[1 + SALT_BYTES :]
        self._aead = AESGCM(HKDF(hashes.SHA256(), KEY_BYTES, salt, associated_data).derive(data_key))
        self.header = header

    def seal(self, segment: Segment, plain: Buffer, stored: memoryview) -> None:
        """Writes the segment into `stored`, with the header if it is the first one."""
        stored[: segment.lead] = self.header[: segment.lead]
        self._aead.encrypt_into(self._nonce(segment), memoryview(plain), None, stored[segment.lead :])

    def open(self, segment: Segment, stored: Buffer, plain: memoryview) -> None:
        """Writes the segment's plaintext into `plain`. Raises ArtifactCorrupt if it is not authentic: then `plain` may
        hold plaintext that the caller must wipe."""
        sealed = memoryview(stored)
        # Its source may have changed since the header was read.
        if sealed[: segment.lead] != self.header[: segment.lead] or len(sealed) != segment.stored_bytes:
            raise corrupt()
        try:
            self._aead.decrypt_into(self._nonce(segment), sealed[segment.lead :], None, plain)
        except InvalidTag:
            raise corrupt() from None

    def _nonce(self, segment: Segment) -> bytes:
        return self._prefix + segment.number.to_bytes(4, "big") + (b"\1" if segment.last else b"\0")


def segment_at(index: int, plain_bytes: int, *, last: bool | None = None) -> Segment:
    """Returns a segment of a plaintext of this size. `last` says whether more follows, if the size is only known up to
    this segment's end."""
    if index >= MAX_SEGMENTS:
        raise ValueError(f"a payload has at most {MAX_SEGMENTS} segments of 1 MiB")
    lead = 0 if index else HEADER_BYTES
    start = FIRST_PIECE_BYTES + (index - 1) * PIECE_BYTES if index else 0
    end = min(start + (PIECE_BYTES if index else FIRST_PIECE_BYTES), plain_bytes)
    at = index * SEGMENT_BYTES
    stored = slice(at, at + lead + end - start + TAG_BYTES)
    return Segment(index, slice(start, end), stored, lead, end == plain_bytes if last is None else last)


def index_of(position: int) -> int:
    """Returns the index of the segment with this byte of the plaintext."""
    return 0 if position < FIRST_PIECE_BYTES else 1 + (position - FIRST_PIECE_BYTES) // PIECE_BYTES


def segment_count(plain_bytes: int) -> int:
    """Returns the number of segments of a plaintext of this size. An empty one has an empty segment."""
    return index_of(max(0, plain_bytes - 1)) + 1


def payload_size(plain_bytes: int) -> int:
    """Returns the size of the payload of a plaintext of this size."""
    return HEADER_BYTES + plain_bytes + segment_count(plain_bytes) * TAG_BYTES


def plaintext_size(payload_bytes: int) -> int:
    """Returns the plaintext's size in a payload of this size. Raises ArtifactCorrupt if no payload has this size."""
    segments = max(1, -(-payload_bytes // SEGMENT_BYTES))
    plain = payload_bytes - HEADER_BYTES - segments * TAG_BYTES
    last = payload_bytes - (segments - 1) * SEGMENT_BYTES
    # Only an empty plaintext may end in an empty segment.
    if plain < 0 or segments > MAX_SEGMENTS or (segments > 1 and last <= TAG_BYTES):
        raise corrupt()
    return plain


def corrupt() -> ArtifactCorrupt:
    """Makes a new error each time: a raised error keeps the frames it passed through, and these hold data keys."""
    return ArtifactCorrupt(
        "the payload differs from what was sealed",
        "fetch it from the store or the registry again, or seal the model again",
    )
