"""The payload: Tink's streaming AEAD `AES256_GCM_HKDF_1MB`, byte for byte (docs/reference/format-v1.md, "Payload").

Takes a key and bytes; knows no recipients, manifests or stores. Segments are independent, so they are sealed, hashed
and opened on all cores. No plaintext is released before the last segment is authenticated.
"""

import hashlib
import mmap
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealift.sealing.errors import ArtifactCorrupt

Buffer = bytes | bytearray | memoryview | mmap.mmap

T = TypeVar("T")
R = TypeVar("R")

SEGMENT_BYTES: Final = 1 << 20
KEY_BYTES: Final = 32
SALT_BYTES: Final = 32
PREFIX_BYTES: Final = 7
TAG_BYTES: Final = 16
HEADER_BYTES: Final = 1 + SALT_BYTES + PREFIX_BYTES
FIRST_PIECE_BYTES: Final = SEGMENT_BYTES - HEADER_BYTES - TAG_BYTES
PIECE_BYTES: Final = SEGMENT_BYTES - TAG_BYTES
MAX_SEGMENTS: Final = 2**32 - 1  # the index is four bytes of the nonce


@dataclass(frozen=True)
class PayloadInfo:
    """Digest in hex (see `payload_digest`) and size of a sealed payload."""

    digest_hex: str
    size_bytes: int


@dataclass(frozen=True)
class _Segment:
    """One segment's place in the plaintext and in the payload, and the nonce it is sealed under."""

    plain: slice
    sealed: slice
    nonce_tail: bytes


def seal_stream(
    plaintext: Buffer, data_key: bytes, associated_data: bytes, write: Callable[[Buffer], object]
) -> PayloadInfo:
    """Seals `plaintext` under a fresh salt and nonce prefix. Passes header and segments to `write` in order."""
    plain = memoryview(plaintext).cast("B")
    salt, prefix = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(PREFIX_BYTES)
    aead = AESGCM(_segment_key(data_key, salt, associated_data))
    header = bytes([HEADER_BYTES]) + salt + prefix
    write(header)

    def seal_segment(segment: _Segment) -> tuple[bytes, bytes]:
        sealed = aead.encrypt(prefix + segment.nonce_tail, plain[segment.plain], None)
        # A stored segment begins where its 2^20 bytes do, so the first one's digest covers the header too.
        lead = header if segment.sealed.start == HEADER_BYTES else b""
        return sealed, hashlib.sha256(lead + sealed if lead else sealed).digest()

    whole, size = hashlib.sha256(), HEADER_BYTES
    for sealed, digest in _in_parallel(seal_segment, _segments(len(plain))):
        write(sealed)
        whole.update(digest)
        size += len(sealed)
    return PayloadInfo(whole.hexdigest(), size)


def private_memory(size: int) -> memoryview:
    """Returns anonymous memory of `size` bytes, which reaches a disk only as swap."""
    if size == 0:
        return memoryview(bytearray())
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)


def do_nothing(_: slice) -> None:
    """The default for `passed`."""


def open_stream(
    payload: Buffer,
    data_key: bytes,
    associated_data: bytes,
    memory: Callable[[int], memoryview] = private_memory,
    passed: Callable[[slice], object] = do_nothing,
) -> memoryview:
    """Returns the plaintext, in `memory` of its size. Calls `passed` with each part of the payload it no longer needs.

    Raises ArtifactCorrupt if any segment is not authentic, and releases no plaintext then.
    """
    sealed = memoryview(payload).cast("B")
    plain_bytes = plaintext_size(len(sealed))
    if sealed[0] != HEADER_BYTES:
        raise _corrupt()
    salt, prefix = bytes(sealed[1 : 1 + SALT_BYTES]), bytes(sealed[1 + SALT_BYTES : HEADER_BYTES])
    aead = AESGCM(_segment_key(data_key, salt, associated_data))
    opened = memory(plain_bytes)

    def open_segment(segment: _Segment) -> slice:
        aead.decrypt_into(prefix + segment.nonce_tail, sealed[segment.sealed], None, opened[segment.plain])
        return segment.sealed

    try:
        for done in _in_parallel(open_segment, _segments(plain_bytes)):
            passed(done)
    except InvalidTag:
        opened[:] = bytes(len(opened))  # decrypt_into leaves unauthenticated plaintext in its slice
        raise _corrupt() from None
    return opened


def payload_digest(payload: Buffer, passed: Callable[[slice], object] = do_nothing) -> str:
    """Returns the hex SHA-256 over the concatenated SHA-256 of each 2^20-byte segment of the payload as stored. Calls
    `passed` with each part it has read."""
    sealed = memoryview(payload).cast("B")
    whole = hashlib.sha256()
    pieces = (slice(start, start + SEGMENT_BYTES) for start in range(0, len(sealed), SEGMENT_BYTES))
    for piece, digest in _in_parallel(lambda piece: (piece, hashlib.sha256(sealed[piece]).digest()), pieces):
        whole.update(digest)
        passed(piece)
    return whole.hexdigest()


def stream_digest(payload: BinaryIO) -> str:
    """Returns the `payload_digest` of a stream. Holds a few segments in memory at a time."""
    whole = hashlib.sha256()
    segments = iter(lambda: _read_whole(payload, SEGMENT_BYTES), b"")
    for digest in _in_parallel(lambda segment: hashlib.sha256(segment).digest(), segments):
        whole.update(digest)
    return whole.hexdigest()


def _read_whole(stream: BinaryIO, size: int) -> bytes:
    """Reads `size` bytes, fewer at the end. A network stream may return less than requested from each read."""
    piece = stream.read(size)
    while piece and len(piece) < size and (more := stream.read(size - len(piece))):
        piece += more
    return piece


def plaintext_size(payload_bytes: int) -> int:
    """Returns the plaintext's size in a payload of this size. Raises ArtifactCorrupt if no payload has this size."""
    segments = max(1, -(-payload_bytes // SEGMENT_BYTES))
    plain = payload_bytes - HEADER_BYTES - segments * TAG_BYTES
    last = payload_bytes - (segments - 1) * SEGMENT_BYTES
    # Only an empty plaintext may end in an empty segment.
    if plain < 0 or segments > MAX_SEGMENTS or (segments > 1 and last <= TAG_BYTES):
        raise _corrupt()
    return plain


def _segments(plain_bytes: int) -> Iterator[_Segment]:
    index, start, sealed_start, piece = 0, 0, HEADER_BYTES, FIRST_PIECE_BYTES
    while True:
        end = min(start + piece, plain_bytes)
        last = end == plain_bytes
        sealed_end = sealed_start + (end - start) + TAG_BYTES
        if index >= MAX_SEGMENTS:
            raise ValueError(f"a payload has at most {MAX_SEGMENTS} segments of 1 MiB")
        yield _Segment(slice(start, end), slice(sealed_start, sealed_end), index.to_bytes(4, "big") + bytes([last]))
        if last:
            return
        index, start, sealed_start, piece = index + 1, end, sealed_end, PIECE_BYTES


def _segment_key(data_key: bytes, salt: bytes, associated_data: bytes) -> bytes:
    if len(data_key) != KEY_BYTES:
        raise ValueError("internal error: a data key has 32 bytes")
    return HKDF(hashes.SHA256(), KEY_BYTES, salt, associated_data).derive(data_key)


def _corrupt() -> ArtifactCorrupt:
    """Makes a new error each time: a raised error keeps the frames it passed through, and these hold data keys."""
    return ArtifactCorrupt(
        "the payload differs from what was sealed",
        "fetch it from the store or the registry again, or seal the model again",
    )


def _in_parallel(work: Callable[[T], R], items: Iterator[T]) -> Iterator[R]:
    """Applies `work` to items on all cores, and yields the results in order. Only a few items are in progress at a
    time, which bounds the memory.
    """
    first = list(islice(items, 2))
    if len(first) < 2:
        yield from map(work, first)
        return
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        under_way = deque(pool.submit(work, item) for item in first)
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) > 2 * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
