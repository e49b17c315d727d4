"""The payload: sealing and opening of all segments (segments.py), on all cores.

Takes a key and bytes; knows no recipients, manifests or stores. The thread that seals or opens a segment hashes it too,
while it is in the processor's cache. Memory and files are read at any place by all threads; streams are read and
written in order, with a few segments in memory. Only `open_unreleased` passes on plaintext before the last segment is
authenticated.
"""

import hashlib
import secrets
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import BinaryIO, Final, NamedTuple

from sealift.sealing.errors import ArtifactCorrupt
from sealift.sealing.memory import Buffer, Slots, private_memory, wipe
from sealift.sealing.parallel import for_each, in_order
from sealift.sealing.segments import (
    FIRST_PIECE_BYTES,
    HEADER_BYTES,
    PIECE_BYTES,
    PREFIX_BYTES,
    SALT_BYTES,
    SEGMENT_BYTES,
    Segment,
    SegmentCipher,
    corrupt,
    payload_size,
    plaintext_size,
    segment_at,
    segment_count,
)
from sealift.sealing.sources import ByteSource, Fill, MemorySource, Payload, Plaintext, as_source, as_stream

DIGEST_BYTES: Final = 32


@dataclass(frozen=True)
class PayloadInfo:
    """Digest in hex (see `payload_digest`) and size of a sealed payload."""

    digest_hex: str
    size_bytes: int


class _Piece(NamedTuple):
    """A segment, a function that returns its input, and the slot that holds this input, if one does."""

    segment: Segment
    read: Callable[[], Buffer]
    slot: memoryview | None = None


def seal_stream(
    plaintext: Plaintext, data_key: bytes, associated_data: bytes, write: Callable[[Buffer], object]
) -> PayloadInfo:
    """Seals under a fresh salt and nonce prefix. Passes the segments to `write` in order; each is valid during its
    call."""
    digests = list[bytes]()
    size = _seal_in_order(plaintext, data_key, associated_data, write, digests)
    return PayloadInfo(hashlib.sha256(b"".join(digests)).hexdigest(), size)


def seal_undigested_stream(
    plaintext: Plaintext, data_key: bytes, associated_data: bytes, write: Callable[[Buffer], object]
) -> int:
    """Seals like `seal_stream`, but without a digest. Returns the payload's size. For payloads that nobody pins."""
    return _seal_in_order(plaintext, data_key, associated_data, write, None)


def seal_in_memory(
    plaintext: ByteSource,
    data_key: bytes,
    associated_data: bytes,
    memory: Callable[[int], memoryview] = private_memory,
) -> tuple[memoryview, PayloadInfo]:
    """Seals like `seal_stream`. Returns the payload, in `memory` of its size."""
    digests = _Digests(segment_count(plaintext.size_bytes))
    payload = _seal_all(plaintext, data_key, associated_data, memory, digests)
    return payload, PayloadInfo(digests.whole(), len(payload))


def seal_undigested(
    plaintext: ByteSource,
    data_key: bytes,
    associated_data: bytes,
    memory: Callable[[int], memoryview] = private_memory,
) -> memoryview:
    """Seals like `seal_in_memory`, but without a digest, which takes most of the time. For payloads that nobody
    pins."""
    return _seal_all(plaintext, data_key, associated_data, memory, None)


def open_stream(
    payload: Payload,
    data_key: bytes,
    associated_data: bytes,
    memory: Callable[[int], memoryview] = private_memory,
    *,
    payload_bytes: int | None = None,
    digest: str | None = None,
) -> memoryview:
    """Returns the plaintext, in `memory` of its size. A stream needs `payload_bytes`.

    Each segment is hashed and decrypted in one pass. Raises ArtifactCorrupt if a segment is not authentic, or if the
    payload does not have the given digest, and wipes the memory.
    """
    size = _size(payload, payload_bytes)
    plain_bytes = plaintext_size(size)
    source = as_source(payload)
    digests = None if digest is None else _Digests(segment_count(plain_bytes))
    try:
        opened = memory(plain_bytes)
    except (OSError, OverflowError, MemoryError):
        raise ArtifactCorrupt(
            f"the payload's size of {size} bytes exceeds this machine's memory", "open it into a file instead"
        ) from None
    used_bytes = plain_bytes if source else 0

    def place(segment: Segment) -> memoryview:
        nonlocal used_bytes
        used_bytes = segment.plain.stop
        return opened[segment.plain]

    try:
        if source:
            _open_all(source, data_key, associated_data, opened, digests)
        else:
            for _ in _open_in_order(payload, size, data_key, associated_data, digests, place):
                pass
        _check_digest(digests, digest)
    except BaseException:
        wipe(opened[:used_bytes])  # nobody may see what is not authenticated as a whole; a stream's size may be a lie
        raise
    return opened


def open_unreleased(
    write: Callable[[Buffer], object],
    payload: Payload,
    data_key: bytes,
    associated_data: bytes,
    *,
    payload_bytes: int | None = None,
    digest: str | None = None,
) -> None:
    """Passes the plaintext to `write` in order, with a few segments in memory. Each piece is valid during its call.

    The caller must not release a piece before this function returns. Until then, each piece is authentic, but it is
    not known that the payload is complete and has the digest. Raises ArtifactCorrupt: then the caller must destroy
    what was written.
    """
    size = _size(payload, payload_bytes)
    digests = None if digest is None else _Digests(segment_count(plaintext_size(size)))
    slots = Slots(PIECE_BYTES)
    pieces = _open_in_order(payload, size, data_key, associated_data, digests, lambda _: slots.take())
    try:
        with closing(pieces):
            for piece, slot in pieces:
                write(slot[: piece.segment.plain_bytes])
                slots.give(slot)
    finally:
        slots.wipe()
    _check_digest(digests, digest)


def payload_digest(payload: Buffer) -> str:
    """Returns the hex SHA-256 over the concatenated SHA-256 of each 2^20-byte segment of the payload as stored."""
    stored = MemorySource(payload)
    digests = _Digests(-(-stored.size_bytes // SEGMENT_BYTES))
    for_each(lambda index: digests.put(index, stored.read(index * SEGMENT_BYTES, SEGMENT_BYTES)), digests.count)
    return digests.whole()


def stream_digest(payload: BinaryIO) -> str:
    """Returns the `payload_digest` of a stream. Holds a few segments in memory at a time."""
    fill, slots, whole = as_stream(payload), Slots(SEGMENT_BYTES), hashlib.sha256()

    def segments() -> Iterator[tuple[memoryview, int]]:
        while filled := fill(slot := slots.take()):
            yield slot, filled

    def digest_of(segment: tuple[memoryview, int]) -> tuple[memoryview, bytes]:
        slot, filled = segment
        return slot, hashlib.sha256(slot[:filled]).digest()

    for slot, digest in in_order(digest_of, segments()):
        whole.update(digest)
        slots.give(slot)
    return whole.hexdigest()


class _Digests:
    """SHA-256 of each segment, put in any order by several threads."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._all = bytearray(count * DIGEST_BYTES)

    def put(self, index: int, stored: Buffer) -> None:
        self._all[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES] = hashlib.sha256(stored).digest()

    def whole(self) -> str:
        return hashlib.sha256(self._all).hexdigest()


def _new_cipher(data_key: bytes, associated_data: bytes) -> SegmentCipher:
    header = bytes([HEADER_BYTES]) + secrets.token_bytes(SALT_BYTES) + secrets.token_bytes(PREFIX_BYTES)
    return SegmentCipher(data_key, header, associated_data)


def _seal_in_order(
    plaintext: Plaintext,
    data_key: bytes,
    associated_data: bytes,
    write: Callable[[Buffer], object],
    digests: list[bytes] | None,
) -> int:
    """Appends each segment's digest to the given ones: 32 bytes per MiB, as in the other ways."""
    cipher = _new_cipher(data_key, associated_data)
    read, made = Slots(SEGMENT_BYTES), Slots(SEGMENT_BYTES)
    source = as_source(plaintext)
    pieces = _plain_pieces(source) if source else _filled_pieces(as_stream(plaintext), read)

    def seal(task: tuple[_Piece, memoryview]) -> tuple[_Piece, memoryview, bytes]:
        piece, slot = task
        stored = slot[: piece.segment.stored_bytes]
        cipher.seal(piece.segment, piece.read(), stored)
        return piece, slot, b"" if digests is None else hashlib.sha256(stored).digest()

    size = 0
    try:
        for piece, slot, digest in in_order(seal, ((piece, made.take()) for piece in pieces)):
            write(slot[: piece.segment.stored_bytes])
            if digests is not None:
                digests.append(digest)
            size += piece.segment.stored_bytes
            made.give(slot)
            read.give(piece.slot)
    finally:
        read.wipe()
    return size


def _seal_all(
    plaintext: ByteSource,
    data_key: bytes,
    associated_data: bytes,
    memory: Callable[[int], memoryview],
    digests: _Digests | None,
) -> memoryview:
    cipher = _new_cipher(data_key, associated_data)
    plain_bytes = plaintext.size_bytes
    payload = memory(payload_size(plain_bytes))

    def seal(index: int) -> None:
        segment = segment_at(index, plain_bytes)
        stored = payload[segment.stored]
        cipher.seal(segment, _read_plain(plaintext, segment), stored)
        if digests:
            digests.put(index, stored)

    for_each(seal, segment_count(plain_bytes))
    return payload


def _open_all(
    source: ByteSource, data_key: bytes, associated_data: bytes, opened: memoryview, digests: _Digests | None
) -> None:
    cipher = SegmentCipher(data_key, bytes(source.read(0, HEADER_BYTES)), associated_data)

    def open_segment(index: int) -> None:
        segment = segment_at(index, len(opened))
        stored = source.read(segment.stored.start, segment.stored_bytes)
        if digests:
            digests.put(index, stored)
        cipher.open(segment, stored, opened[segment.plain])

    for_each(open_segment, segment_count(len(opened)))


def _open_in_order(
    payload: Payload,
    size: int,
    data_key: bytes,
    associated_data: bytes,
    digests: _Digests | None,
    place: Callable[[Segment], memoryview],
) -> Generator[tuple[_Piece, memoryview]]:
    """Opens each segment into the memory that `place` returns for it."""
    slots = Slots(SEGMENT_BYTES)
    source = as_source(payload)
    plain_bytes = plaintext_size(size)
    if source:
        pieces, header = _stored_pieces(source, plain_bytes), bytes(source.read(0, HEADER_BYTES))
    else:
        taken = _taken_pieces(as_stream(payload), plain_bytes, slots)
        first = next(taken)
        pieces, header = chain([first], taken), bytes(memoryview(first.read())[:HEADER_BYTES])
    cipher = SegmentCipher(data_key, header, associated_data)

    def open_piece(task: tuple[_Piece, memoryview]) -> tuple[_Piece, memoryview]:
        piece, plain = task
        stored = piece.read()
        if digests:
            digests.put(piece.segment.number, stored)
        cipher.open(piece.segment, stored, plain[: piece.segment.plain_bytes])
        return task

    for piece, plain in in_order(open_piece, ((one, place(one.segment)) for one in pieces)):
        yield piece, plain
        slots.give(piece.slot)


def _plain_pieces(source: ByteSource) -> Iterator[_Piece]:
    for index in range(segment_count(source.size_bytes)):
        segment = segment_at(index, source.size_bytes)
        yield _Piece(segment, partial(_read_plain, source, segment))


def _filled_pieces(fill: Fill, slots: Slots) -> Iterator[_Piece]:
    """Takes plaintext from a stream. Whether a segment is the last one shows only after it."""
    index, end, slot = 0, 0, slots.take()
    filled, most = fill(slot[:FIRST_PIECE_BYTES]), FIRST_PIECE_BYTES
    while True:
        following, more = None, 0
        if filled == most:
            following = slots.take()
            more = fill(following[:PIECE_BYTES])
        end += filled
        yield _Piece(segment_at(index, end, last=not more), partial(_itself, slot[:filled]), slot)
        if following is None or not more:
            return
        index, slot, filled, most = index + 1, following, more, PIECE_BYTES


def _stored_pieces(source: ByteSource, plain_bytes: int) -> Iterator[_Piece]:
    for index in range(segment_count(plain_bytes)):
        segment = segment_at(index, plain_bytes)
        yield _Piece(segment, partial(source.read, segment.stored.start, segment.stored_bytes))


def _taken_pieces(fill: Fill, plain_bytes: int, slots: Slots) -> Iterator[_Piece]:
    """Takes segments from a stream. Raises ArtifactCorrupt if it has another size."""
    for index in range(segment_count(plain_bytes)):
        segment, slot = segment_at(index, plain_bytes), slots.take()
        filled = fill(slot[: segment.stored_bytes])
        yield _Piece(segment, partial(_itself, slot[:filled]), slot)
    if fill(memoryview(bytearray(1))):
        raise corrupt()


def _itself(taken: memoryview) -> memoryview:
    return taken


def _read_plain(source: ByteSource, segment: Segment) -> Buffer:
    plain = source.read(segment.plain.start, segment.plain_bytes)
    if len(plain) != segment.plain_bytes:
        raise ValueError("the content became smaller while it was sealed")
    return plain


def _size(payload: Payload, payload_bytes: int | None) -> int:
    source = as_source(payload)
    size = source.size_bytes if source else payload_bytes
    if size is None:
        raise ValueError("internal error: the size of a stream is needed")
    return size


def _check_digest(digests: _Digests | None, expected: str | None) -> None:
    if digests and digests.whole() != expected:
        raise ArtifactCorrupt(
            "the payload's digest differs from the manifest's", "fetch the payload from the store again"
        )
