"""Requests that nobody meant: seeds cut and changed by hypothesis; `python -m tests.fuzzing` looks further."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzzing.requests import SEEDS, assert_the_same, check, read_by_h11

CUTS = st.lists(st.integers(0, 4096), max_size=6)
SCRAPS = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"Content-Length: 5\r\n", b"\x80"]
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """Seeds after each other, with some bytes cut out, repeated or put in."""
    data = b"".join(draw(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 30)))
        data = data[:start] + draw(SCRAPS | st.binary(max_size=6) | st.just(data[start:end] * 2)) + data[end:]
    return data


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_each_seed_byte_by_byte(seed: bytes) -> None:
    check(seed, range(len(seed)))


def test_what_is_changed_is_answered_the_same_in_any_pieces(request: pytest.FixtureRequest) -> None:
    @settings(max_examples=request.config.getoption("--examples"))
    @given(changed(), CUTS)
    def holds(data: bytes, cuts: list[int]) -> None:
        check(data, cuts)

    holds()


@pytest.mark.parametrize(
    "written", [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", b"nothing", b"HTTP/1.1 299 A\r\n\r\n"]
)
def test_the_judge_refuses_what_is_no_answer(written: bytes) -> None:
    with pytest.raises(AssertionError):
        read_by_h11(written)


def test_what_is_wrong_with_a_head_is_told_whatever_is_wrong_with_its_body() -> None:
    check(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n", [64])


def test_the_judge_reads_an_answer_to_head_before_another() -> None:
    check(b"HEAD /v2/ HTTP/1.1\r\nHost: a\r\n\r\nA: b\r\n\r\n", [])


@pytest.mark.parametrize(
    ("one", "other"),
    [((b"a", False), (b"b", False)), ((b"a", False), (b"ab", True)), ((b"", False), (b"a", False))],
    ids=["another", "one less, and it goes on", "none"],
)
def test_the_judge_sees_that_an_answer_is_missing_or_another(
    one: tuple[bytes, bool], other: tuple[bytes, bool]
) -> None:
    with pytest.raises(AssertionError):
        assert_the_same(one, other)
