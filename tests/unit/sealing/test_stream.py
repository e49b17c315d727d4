"""The payload is Tink's AES256_GCM_HKDF_1MB, and nothing but a whole, untouched payload opens."""

import gc
import hashlib
import io
import os
import secrets
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from sealift.sealing.errors import ArtifactCorrupt
from sealift.sealing.memory import Buffer, private_memory
from sealift.sealing.segments import (
    FIRST_PIECE_BYTES,
    HEADER_BYTES,
    PIECE_BYTES,
    SEGMENT_BYTES,
    TAG_BYTES,
    payload_size,
)
from sealift.sealing.sources import FileSource, JoinedSource, MemorySource, RangeSource
from sealift.sealing.stream import (
    PayloadInfo,
    open_stream,
    open_unreleased,
    payload_digest,
    seal_in_memory,
    seal_stream,
    seal_undigested,
    stream_digest,
)
from tests.documented import PROJECT_ROOT
from tests.unit.sealing.tink_oracle import streaming_primitive

KEY = bytes(range(32))
CONTEXT = b"sealift/v1\0" + bytes(16)
SIZES = [
    0, 1, 1000,
    FIRST_PIECE_BYTES - 1, FIRST_PIECE_BYTES, FIRST_PIECE_BYTES + 1,
    FIRST_PIECE_BYTES + PIECE_BYTES - 1, FIRST_PIECE_BYTES + PIECE_BYTES, FIRST_PIECE_BYTES + PIECE_BYTES + 1,
    FIRST_PIECE_BYTES + 2 * PIECE_BYTES + 1,
]  # fmt: skip


def sealed(plain: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytearray:
    payload = bytearray()
    seal_stream(plain, key, context, payload.extend)
    return payload


@pytest.mark.parametrize(
    "spoil", [lambda sealed: sealed[:-1], lambda sealed: sealed[:5], lambda sealed: b"x" + sealed[1:]],
    ids=["tag", "size", "header"],
)  # fmt: skip
def test_a_payload_that_does_not_open_leaves_nothing_that_holds_the_data_key(
    spoil: Callable[[bytes], bytes],
) -> None:
    key = secrets.token_bytes(32)
    payload = spoil(bytes(sealed(b"model", key)))
    before = sys.getrefcount(key)
    for _ in range(2):
        with suppress(ArtifactCorrupt):
            open_stream(payload, key, CONTEXT)
    gc.collect()

    assert sys.getrefcount(key) == before


@pytest.mark.parametrize("size", SIZES)
def test_what_we_seal_tink_opens(size: int) -> None:
    plain = secrets.token_bytes(size)

    with streaming_primitive(KEY).new_decrypting_stream(io.BytesIO(bytes(sealed(plain))), CONTEXT) as stream:
        assert stream.read() == plain


class KeptOpen(io.BytesIO):
    """Tink closes its destination; the bytes must outlive that."""

    def close(self) -> None:
        pass


@pytest.mark.parametrize("size", SIZES)
def test_what_tink_seals_we_open(size: int) -> None:
    plain, destination = secrets.token_bytes(size), KeptOpen()
    with streaming_primitive(KEY).new_encrypting_stream(destination, CONTEXT) as stream:
        stream.write(plain)

    assert bytes(open_stream(destination.getvalue(), KEY, CONTEXT)) == plain


@pytest.mark.parametrize("size", SIZES)
def test_digest_and_size_are_told_while_sealing_and_are_those_of_the_stored_segments(size: int) -> None:
    payload = bytearray()

    info = seal_stream(secrets.token_bytes(size), KEY, CONTEXT, payload.extend)

    segments = [payload[start : start + SEGMENT_BYTES] for start in range(0, len(payload), SEGMENT_BYTES)]
    expected = hashlib.sha256(b"".join(hashlib.sha256(segment).digest() for segment in segments)).hexdigest()
    assert (info.digest_hex, info.size_bytes) == (expected, len(payload))
    assert payload_digest(payload) == expected


def test_two_seals_of_the_same_bytes_share_nothing() -> None:
    first, second = sealed(b"x" * 100), sealed(b"x" * 100)

    assert first[1:HEADER_BYTES] != second[1:HEADER_BYTES]
    assert first[HEADER_BYTES:] != second[HEADER_BYTES:]


def test_every_flipped_bit_of_a_small_payload_is_refused() -> None:
    payload = sealed(b"a small model")
    for position in range(len(payload) * 8):
        payload[position // 8] ^= 1 << position % 8
        with pytest.raises(ArtifactCorrupt):
            open_stream(payload, KEY, CONTEXT)
        payload[position // 8] ^= 1 << position % 8

    assert bytes(open_stream(payload, KEY, CONTEXT)) == b"a small model"


THREE = FIRST_PIECE_BYTES + 2 * PIECE_BYTES


@pytest.mark.parametrize(
    "cut",
    [
        0, 1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + TAG_BYTES, SEGMENT_BYTES - 1, SEGMENT_BYTES,
        SEGMENT_BYTES + 1, SEGMENT_BYTES + TAG_BYTES, 2 * SEGMENT_BYTES, 3 * SEGMENT_BYTES - 1,
    ],
)  # fmt: skip
def test_a_payload_cut_anywhere_is_refused(cut: int) -> None:
    with pytest.raises(ArtifactCorrupt):
        open_stream(sealed(bytes(THREE))[:cut], KEY, CONTEXT)


def pieces(payload: bytearray) -> list[bytearray]:
    return [payload[start : start + SEGMENT_BYTES] for start in range(0, len(payload), SEGMENT_BYTES)]


@pytest.mark.parametrize(
    "rearrange",
    [
        pytest.param(lambda s: [s[0], s[2], s[1]], id="reordered"),
        pytest.param(lambda s: [s[0], s[1], s[1], s[2]], id="doubled"),
        pytest.param(lambda s: [s[0], s[2]], id="dropped"),
        pytest.param(lambda s: [s[0], s[1]], id="without the last"),
        pytest.param(lambda s: [*s, b"x" * TAG_BYTES], id="with an empty last"),
        pytest.param(lambda s: [*s, b"x" * 100], id="longer"),
    ],
)
def test_rearranged_segments_are_refused(rearrange: Callable[[list[bytearray]], list[bytes]]) -> None:
    segments = pieces(sealed(secrets.token_bytes(THREE)))

    with pytest.raises(ArtifactCorrupt):
        open_stream(b"".join(rearrange(segments)), KEY, CONTEXT)


def test_segments_of_another_payload_under_the_same_key_are_refused() -> None:
    ours, theirs = pieces(sealed(bytes(THREE))), pieces(sealed(bytes(THREE)))

    with pytest.raises(ArtifactCorrupt):
        open_stream(b"".join([ours[0], theirs[1], ours[2]]), KEY, CONTEXT)


def test_an_authentic_but_empty_last_segment_is_refused() -> None:
    """Tink lets a key-holder make one; two payloads for one plaintext would be two digests for one model."""
    salt, prefix = bytes(32), bytes(7)
    aead = AESGCM(HKDF(hashes.SHA256(), 32, salt, CONTEXT).derive(KEY))
    first = aead.encrypt(prefix + (0).to_bytes(4, "big") + b"\0", bytes(FIRST_PIECE_BYTES), None)
    last = aead.encrypt(prefix + (1).to_bytes(4, "big") + b"\1", b"", None)

    with pytest.raises(ArtifactCorrupt):
        open_stream(bytes([HEADER_BYTES]) + salt + prefix + first + last, KEY, CONTEXT)


def test_another_key_or_context_opens_nothing() -> None:
    payload = sealed(b"model")

    with pytest.raises(ArtifactCorrupt):
        open_stream(payload, bytes(32), CONTEXT)
    with pytest.raises(ArtifactCorrupt):
        open_stream(payload, KEY, CONTEXT + b"x")


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_no_bytes_from_outside_open_or_crash(payload: bytes) -> None:
    with pytest.raises(ArtifactCorrupt):
        open_stream(payload, KEY, CONTEXT)


class InSteps(io.RawIOBase):
    """Gives at most `step` bytes at once, as a stream from a network does."""

    def __init__(self, content: bytes, step: int) -> None:
        super().__init__()
        self.content, self.step = io.BytesIO(content), step

    def readinto(self, buffer: Any, /) -> int:
        return self.content.readinto(memoryview(buffer)[: self.step])


class OnlyRead:
    """A stream without `readinto`."""

    def __init__(self, content: bytes, step: int) -> None:
        self.content, self.step = io.BytesIO(content), step

    def read(self, size: int = -1, /) -> bytes:
        return self.content.read(min(size, self.step))


def in_pieces(content: bytes, step: int) -> Iterator[Buffer]:
    """Pieces that are gone when the next one is taken, with empty ones among them."""
    for start in range(0, len(content), step):
        piece = bytearray(content[start : start + step])
        yield piece
        piece[:] = bytes(len(piece))
        yield b""


STREAMS: list[Callable[[bytes, int], Any]] = [InSteps, OnlyRead]


@pytest.mark.parametrize("step", [65_521, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1])
@pytest.mark.parametrize("size", SIZES)
def test_the_digest_of_a_stream_is_the_digest_of_its_bytes(size: int, step: int) -> None:
    payload = bytes(sealed(secrets.token_bytes(size)))

    for stream in STREAMS:
        assert stream_digest(stream(payload, step)) == payload_digest(payload)


@pytest.mark.parametrize("step", [65_521, SEGMENT_BYTES - 1, SEGMENT_BYTES + 1, 10 * SEGMENT_BYTES])
@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_from_a_stream_opens_from_a_stream(size: int, step: int) -> None:
    plain = secrets.token_bytes(size)
    for way in (*STREAMS, in_pieces):
        payload, opened = bytearray(), bytearray()
        info = seal_stream(way(plain, step), KEY, CONTEXT, payload.extend)
        assert (info.digest_hex, info.size_bytes) == (payload_digest(payload), len(payload))
        assert open_stream(payload, KEY, CONTEXT, digest=info.digest_hex) == plain

        known: dict[str, Any] = {"payload_bytes": len(payload), "digest": info.digest_hex}
        assert open_stream(way(bytes(payload), step), KEY, CONTEXT, **known) == plain
        open_unreleased(opened.extend, way(bytes(payload), step), KEY, CONTEXT, **known)
        assert opened == plain


@pytest.mark.parametrize("size", SIZES)
def test_memory_and_files_and_ranges_seal_and_open_alike(size: int, tmp_path: Path) -> None:
    plain = secrets.token_bytes(size)
    (tmp_path / "plain").write_bytes(plain)
    with (tmp_path / "plain").open("rb") as file:
        half = size // 3
        for source in (
            MemorySource(plain), FileSource(file.fileno()), JoinedSource([plain[:half], b"", plain[half:]]),
            RangeSource(lambda start, size: plain[start : start + size], size),
        ):  # fmt: skip
            streamed, opened = bytearray(), bytearray()
            seal_stream(source, KEY, CONTEXT, streamed.extend)
            payload, info = seal_in_memory(source, KEY, CONTEXT)
            assert info == PayloadInfo(payload_digest(payload), payload_size(size))
            assert open_stream(payload, KEY, CONTEXT, digest=info.digest_hex) == plain
            assert open_stream(seal_undigested(source, KEY, CONTEXT), KEY, CONTEXT) == plain
            assert open_stream(streamed, KEY, CONTEXT) == plain
            open_unreleased(opened.extend, payload, KEY, CONTEXT, digest=info.digest_hex)
            assert opened == plain
    (tmp_path / "payload").write_bytes(payload)
    with (tmp_path / "payload").open("rb") as file:
        assert open_stream(FileSource(file.fileno()), KEY, CONTEXT, digest=info.digest_hex) == plain


@pytest.mark.parametrize("position", [3, 100, SEGMENT_BYTES + 5, 3 * SEGMENT_BYTES - 1])
@pytest.mark.parametrize("stream", [False, True])
def test_a_wrong_byte_anywhere_leaves_no_plaintext_in_the_memory(position: int, stream: bool) -> None:
    payload = sealed(b"x" * THREE)
    payload[position] ^= 1
    taken = list[memoryview]()

    def memory(size: int) -> memoryview:
        taken.append(private_memory(size))
        return taken[-1]

    with pytest.raises(ArtifactCorrupt):
        given: Any = InSteps(bytes(payload), 65_521) if stream else payload
        open_stream(given, KEY, CONTEXT, memory, payload_bytes=len(payload))
    assert not any(taken[0])


@pytest.mark.parametrize("stream", [False, True])
def test_an_authentic_payload_with_another_digest_leaves_no_plaintext_in_the_memory(stream: bool) -> None:
    """A holder of the data key can make one."""
    payload, taken = sealed(b"x" * THREE), private_memory(THREE)
    given: Any = InSteps(bytes(payload), 65_521) if stream else payload

    with pytest.raises(ArtifactCorrupt, match="digest"):
        open_stream(given, KEY, CONTEXT, lambda _: taken, payload_bytes=len(payload), digest="0" * 64)
    assert not any(taken)


@pytest.mark.parametrize("extra", [-SEGMENT_BYTES, -1, 1, SEGMENT_BYTES])
def test_a_stream_of_another_size_is_refused(extra: int) -> None:
    payload = bytes(sealed(bytes(THREE)))
    given: Any = InSteps(payload[:extra] if extra < 0 else payload + bytes(extra), 65_521)

    with pytest.raises(ArtifactCorrupt):
        open_stream(given, KEY, CONTEXT, payload_bytes=len(payload))


def test_a_header_that_changes_after_it_is_read_is_refused() -> None:
    ours, theirs, reads = bytes(sealed(b"model")), bytes(sealed(b"theirs")), list[int]()

    def changing(start: int, size: int) -> bytes:
        reads.append(start)
        return (ours if len(reads) == 1 else theirs[:HEADER_BYTES] + ours[HEADER_BYTES:])[start : start + size]

    with pytest.raises(ArtifactCorrupt):
        open_stream(RangeSource(changing, len(ours)), KEY, CONTEXT)


def test_a_writer_that_fails_ends_everything() -> None:
    def fail(_: object) -> None:
        raise OSError("disk full")

    threads = threading.active_count()
    for work in (
        lambda: seal_stream(bytes(40 * SEGMENT_BYTES), KEY, CONTEXT, fail),
        lambda: open_unreleased(fail, sealed(bytes(40 * SEGMENT_BYTES)), KEY, CONTEXT),
    ):
        with pytest.raises(OSError, match="disk full"):
            work()
    assert threading.active_count() == threads


@pytest.mark.parametrize("way", ["seal", "open"])
def test_a_stream_of_2_gb_is_sealed_and_opened_in_less_than_64_mib(way: str) -> None:
    """In its own process, which has the memory of the interpreter and these modules before it begins."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.sealing.stream_memory", way, "2000000000"],
        cwd=PROJECT_ROOT, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip

    assert 0 < int(done.stdout) < 64 << 20


def test_the_digest_of_a_stream_holds_a_few_segments_at_a_time() -> None:
    class Zeros(io.RawIOBase):
        left = 400 * SEGMENT_BYTES + 7

        def readinto(self, buffer: Any, /) -> int:
            taken = min(len(buffer), self.left)
            buffer[:taken] = bytes(taken)
            self.left -= taken
            return taken

    tracemalloc.start()
    try:
        stream_digest(cast(BinaryIO, Zeros()))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < (2 * (os.cpu_count() or 1) + 40) * SEGMENT_BYTES


@pytest.mark.parametrize("size", [1 << 40, 1 << 51])
def test_a_stream_that_is_shorter_than_its_size_takes_no_memory_of_that_size(size: int) -> None:
    """A holder of the data key can write any size into a manifest."""
    payload = bytes(sealed(b"x" * 3_000_000))
    reserved = list[int]()

    def memory(size: int) -> memoryview:
        reserved.append(size)
        return memoryview(bytearray(4 << 20))

    with pytest.raises(ArtifactCorrupt):
        open_stream(io.BytesIO(payload), KEY, CONTEXT, memory, payload_bytes=size)
    assert len(reserved) == 1


def test_a_payload_that_no_memory_holds_is_an_error_of_ours() -> None:
    def memory(size: int) -> memoryview:
        raise OSError(12, "Cannot allocate memory")

    with pytest.raises(ArtifactCorrupt, match="exceeds this machine's memory"):
        open_stream(sealed(b"x"), KEY, CONTEXT, memory)
