"""A part of a payload opens alone, and is right or refused."""

import io
import secrets
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealift.sealing.errors import ArtifactCorrupt
from sealift.sealing.plain_reader import PlainReader
from sealift.sealing.segments import FIRST_PIECE_BYTES, HEADER_BYTES, PIECE_BYTES, SEGMENT_BYTES
from sealift.sealing.sources import MemorySource, RangeSource
from sealift.sealing.stream import seal_undigested

KEY = bytes(range(32))
CONTEXT = b"context"
THREE = FIRST_PIECE_BYTES + 2 * PIECE_BYTES - 7
PLAIN = secrets.token_bytes(THREE)
PAYLOAD = bytes(seal_undigested(MemorySource(PLAIN), KEY, CONTEXT))
EDGES = (0, 1, FIRST_PIECE_BYTES - 1, FIRST_PIECE_BYTES, FIRST_PIECE_BYTES + PIECE_BYTES, THREE - 1, THREE, THREE + 9)


def reader(payload: bytes = PAYLOAD) -> PlainReader:
    return PlainReader(MemorySource(payload), KEY, CONTEXT)


@pytest.mark.parametrize("start", EDGES)
@pytest.mark.parametrize("end", EDGES)
def test_ranges_around_the_edges_of_segments_are_those_of_the_plaintext(start: int, end: int) -> None:
    assert reader().read_range(start, max(0, end - start)) == PLAIN[start:end]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, THREE + 10), st.integers(0, THREE + 10))
def test_any_range_is_that_of_the_plaintext(start: int, size: int) -> None:
    assert reader().read_range(start, size) == PLAIN[start : start + size]


STEPS = st.one_of(
    st.tuples(st.just("seek"), st.integers(0, THREE + 10), st.just(0)),
    st.tuples(st.just("seek"), st.integers(-THREE, 10), st.just(2)),
    st.tuples(st.just("read"), st.integers(0, 2 * PIECE_BYTES)),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_it_reads_like_a_file_in_memory(steps: list[tuple[Any, ...]]) -> None:
    ours, theirs = reader(), io.BytesIO(PLAIN)
    for name, *arguments in steps:
        assert getattr(ours, name)(*arguments) == getattr(theirs, name)(*arguments)
        assert ours.tell() == theirs.tell()


@pytest.mark.parametrize("size", [0, 1, FIRST_PIECE_BYTES, FIRST_PIECE_BYTES + 1, FIRST_PIECE_BYTES + PIECE_BYTES])
def test_all_of_it_is_read_from_any_size(size: int) -> None:
    opened = reader(bytes(seal_undigested(MemorySource(PLAIN[:size]), KEY, CONTEXT)))

    assert opened.read() == PLAIN[:size]
    assert opened.read() == b""
    assert opened.seek(-size, io.SEEK_CUR) == 0
    assert opened.read(size + 1) == PLAIN[:size]


def test_only_the_segments_of_a_range_are_fetched_and_the_last_one_is_kept() -> None:
    fetched = list[tuple[int, int]]()

    def get_range(start: int, size: int) -> bytes:
        fetched.append((start, size))
        return PAYLOAD[start : start + size]

    opened = PlainReader(RangeSource(get_range, len(PAYLOAD)), KEY, CONTEXT)
    for start in (FIRST_PIECE_BYTES + 10, FIRST_PIECE_BYTES + 5000, FIRST_PIECE_BYTES + 10):
        assert opened.read_range(start, 1024) == PLAIN[start : start + 1024]

    assert fetched == [(0, HEADER_BYTES), (SEGMENT_BYTES, SEGMENT_BYTES)]


def test_a_zip_file_and_an_array_are_read_in_place() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("first", PLAIN)
        archive.writestr("second", b"two")
    opened = reader(bytes(seal_undigested(MemorySource(written.getvalue()), KEY, CONTEXT)))
    with zipfile.ZipFile(io.BufferedReader(opened)) as archive:
        assert archive.read("second") == b"two"
        assert archive.read("first") == PLAIN

    array = np.random.default_rng(0).standard_normal((700, 700))
    saved = io.BytesIO()
    np.save(saved, array)
    opened = reader(bytes(seal_undigested(MemorySource(saved.getvalue()), KEY, CONTEXT)))
    assert np.array_equal(np.load(io.BufferedReader(opened)), array)


def test_a_wrong_byte_is_refused_where_it_is_read_and_leaves_nothing_in_the_buffer() -> None:
    payload = bytearray(PAYLOAD)
    payload[SEGMENT_BYTES + 9] ^= 1
    opened, buffer = reader(bytes(payload)), bytearray(THREE)

    for _ in range(2):
        with pytest.raises(ArtifactCorrupt):
            opened.readinto(buffer)
        with pytest.raises(ArtifactCorrupt):
            opened.read_range(FIRST_PIECE_BYTES + 3, 10)
    assert not any(buffer)
    assert not any(opened._kept)
    assert opened.tell() == 0
    assert opened.read_range(0, 100) == PLAIN[:100]
    assert opened.read_range(THREE - 100, 100) == PLAIN[-100:]


@pytest.mark.parametrize("cut", [0, HEADER_BYTES, SEGMENT_BYTES, SEGMENT_BYTES + 1, len(PAYLOAD) - 1])
def test_the_end_of_a_payload_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ArtifactCorrupt):
        reader(PAYLOAD[:cut]).read()


def test_a_source_that_returns_less_or_another_segment_is_refused() -> None:
    for get_range in (
        lambda start, size: PAYLOAD[start : start + size][: HEADER_BYTES if start == 0 else size - 1],
        lambda start, size: PAYLOAD[start : start + size] if size == HEADER_BYTES else PAYLOAD[:size],
    ):
        opened = PlainReader(RangeSource(get_range, len(PAYLOAD)), KEY, CONTEXT)
        with pytest.raises(ArtifactCorrupt):
            opened.read_range(FIRST_PIECE_BYTES, 10)


def test_after_its_end_it_is_wiped_and_refuses_to_be_used() -> None:
    opened = reader()
    assert opened.read(10) == PLAIN[:10]
    kept = opened._kept
    with opened:
        pass

    assert not any(kept)
    for use in (lambda: opened.read(1), opened.tell, lambda: opened.seek(0), lambda: opened.read_range(0, 1)):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_places_that_do_not_exist_are_refused() -> None:
    opened = reader()
    with pytest.raises(ValueError, match="before the start"):
        opened.seek(-1)
    with pytest.raises(ValueError, match="allowed: 0, 1, 2"):
        opened.seek(0, 3)
    with pytest.raises(ValueError, match="start -1"):
        opened.read_range(-1, 4)
