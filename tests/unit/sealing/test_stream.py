"""The payload is Tink's AES256_GCM_HKDF_1MB, and nothing but a whole, untouched payload opens."""

import gc
import hashlib
import io
import os
import secrets
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, cast

import pytest
import tink
from hypothesis import given, settings
from hypothesis import strategies as st
from tink import cleartext_keyset_handle, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

from sealift.sealing.errors import ArtifactCorrupt
from sealift.sealing.stream import (
    FIRST_PIECE_BYTES,
    HEADER_BYTES,
    PIECE_BYTES,
    SEGMENT_BYTES,
    TAG_BYTES,
    open_stream,
    payload_digest,
    seal_stream,
    stream_digest,
)

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


def tink_primitive() -> streaming_aead.StreamingAead:
    """Tink's own implementation with our key: a keyset of one raw AES256_GCM_HKDF_1MB key."""
    streaming_aead.register()
    key = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(
        version=0, key_value=KEY,
        params=aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
            ciphertext_segment_size=SEGMENT_BYTES, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
        ),
    )  # fmt: skip
    keyset = tink_pb2.Keyset(primary_key_id=1)
    keyset.key.add(
        key_data=tink_pb2.KeyData(
            type_url="type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
            value=key.SerializeToString(), key_material_type=tink_pb2.KeyData.SYMMETRIC,
        ),
        status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW,
    )  # fmt: skip
    handle = cleartext_keyset_handle.read(tink.BinaryKeysetReader(keyset.SerializeToString()))
    return handle.primitive(streaming_aead.StreamingAead)


@pytest.mark.parametrize("size", SIZES)
def test_what_we_seal_tink_opens(size: int) -> None:
    plain = secrets.token_bytes(size)

    with tink_primitive().new_decrypting_stream(io.BytesIO(bytes(sealed(plain))), CONTEXT) as stream:
        assert stream.read() == plain


class KeptOpen(io.BytesIO):
    """Tink closes its destination; the bytes must outlive that."""

    def close(self) -> None:
        pass


@pytest.mark.parametrize("size", SIZES)
def test_what_tink_seals_we_open(size: int) -> None:
    plain, destination = secrets.token_bytes(size), KeptOpen()
    with tink_primitive().new_encrypting_stream(destination, CONTEXT) as stream:
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


@pytest.mark.parametrize("size", SIZES)
def test_what_has_been_read_is_told_in_order_and_whole(size: int) -> None:
    payload = sealed(bytes(size))
    opened, hashed = list[slice](), list[slice]()
    open_stream(payload, KEY, CONTEXT, passed=opened.append)
    payload_digest(payload, hashed.append)

    assert b"".join(payload[one] for one in opened) == payload[HEADER_BYTES:]
    assert b"".join(payload[one] for one in hashed) == payload


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
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from sealift.sealing.stream import _segment_key

    salt, prefix = bytes(32), bytes(7)
    aead = AESGCM(_segment_key(KEY, salt, CONTEXT))
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


class InSteps(io.BytesIO):
    """Gives at most `step` bytes at once, as a stream from a network does."""

    def __init__(self, content: bytes, step: int) -> None:
        super().__init__(content)
        self.step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.step if size is None or size < 0 else min(size, self.step))


@pytest.mark.parametrize("step", [65_521, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1])
@pytest.mark.parametrize("size", SIZES)
def test_the_digest_of_a_stream_is_the_digest_of_its_bytes(size: int, step: int) -> None:
    payload = bytes(sealed(secrets.token_bytes(size)))

    assert stream_digest(InSteps(payload, step)) == payload_digest(payload)


def test_the_digest_of_a_stream_holds_a_few_segments_at_a_time() -> None:
    class Zeros(io.RawIOBase):
        left = 400 * SEGMENT_BYTES + 7

        def read(self, size: int = -1, /) -> bytes:
            taken = min(size, self.left)
            self.left -= taken
            return bytes(taken)

    tracemalloc.start()
    try:
        stream_digest(cast(BinaryIO, Zeros()))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < (2 * (os.cpu_count() or 1) + 40) * SEGMENT_BYTES
