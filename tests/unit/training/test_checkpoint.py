"""Records: what goes in comes out, and what is not one is refused with a reason."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealift.stores import RECORDS, LeaseLost, get_record, hold_lease, open_store
from training.checkpoint import Record, Records, SealedRecord, TrainedRecord, TrainingRecord, decode, encode
from training.errors import CheckpointError
from training.recipe.trainer_state import TrainerState

RUN_ID = "cd" * 32
EXAMPLES: list[Record] = [
    TrainingRecord(1.5, 0.1 + 0.2, "{}", [{"mse": 0.5}], TrainerState(epoch=3, loss=0.25), b"\n\x00tensors\n"),
    TrainedRecord(
        "ab" * 16, "cd" * 16, {"task": "regression"}, {"metrics": {"mse": 0.1}}, 2.5, "nets", b"\n{}\nmodel", b"<p>\n"
    ),
    SealedRecord({"artifact_id": "ab" * 16, "metrics": {"mse": 1e-300}}, {"ef": ["cd" * 16, ""]}, b"{}\n"),
]


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda record: type(record).__name__)
def test_a_record_comes_out_as_it_went_in(record: Record) -> None:
    assert decode(b"".join(encode(record))) == record


@pytest.mark.parametrize("body", [b"", b"\n", b"x" * 100_000])
def test_bodies_of_any_content_and_size_survive(body: bytes) -> None:
    training = TrainingRecord(1.0, 0.5, None, [], None, body)
    trained = TrainedRecord("ab", "cd", {}, {}, 0.0, None, body, body + b"x")
    assert tuple(decode(memoryview(b"".join(encode(one)))) for one in (training, trained)) == (training, trained)


@pytest.mark.parametrize(
    ("plaintext", "reason"),
    [
        (b"", "cannot be read"),
        (b"{}", "cannot be read"),
        (b"{}\n", "cannot be read"),
        (b"[]\n", "cannot be read"),
        (b'{"version": 1, "phase": "sealed", "result": {}}\n', "another version than 5"),
        (b'{"version": 5, "sizes": [], "phase": "dreaming"}\n', "dreaming"),
        (b'{"version": 5, "sizes": [0], "phase": "sealed"}\n', "result"),
        (b'{"version": 5, "sizes": [0], "phase": "sealed", "result": {}, "more": 1}\n', "more"),
        (
            b'{"version": 5, "sizes": [0], "phase": "sealed", "result": {}}\nx',
            "has 1 byte after its head instead of 0",
        ),
        (b'{"version": 5, "sizes": [2, -1], "phase": "training"}\nx', "has 1 byte after its head instead of 1"),
    ],
)
def test_what_is_no_record_is_refused_with_the_reason(plaintext: bytes, reason: str) -> None:
    with pytest.raises(CheckpointError, match=reason):
        decode(plaintext)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_else(plaintext: bytes) -> None:
    with pytest.raises(CheckpointError):
        decode(plaintext)


def test_records_are_replaced_sealed_under_the_store_s_key_and_for_their_own_run_only(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path / 'store'}")
    with hold_lease(store, RUN_ID) as fence:
        records = Records(store, b"k" * 32, RUN_ID, fence)
        assert records.load() is None

        for record in EXAMPLES:
            records.save(record)
            assert records.load() == record
    kept = get_record(store, RUN_ID)
    assert kept is not None
    assert b"artifact_id" not in kept.content

    with pytest.raises(CheckpointError, match="damaged"):
        Records(store, b"x" * 32, RUN_ID, fence).load()
    store.put(RECORDS, "ef" * 32, kept.content)
    with pytest.raises(CheckpointError, match="damaged"):
        Records(store, b"k" * 32, "ef" * 32, fence).load()


def test_whoever_lost_the_lease_saves_nothing_and_whoever_has_it_saves_over_what_came_between(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path / 'store'}")
    with hold_lease(store, RUN_ID) as fence:
        lost, held = (Records(store, b"k" * 32, RUN_ID, who) for who in (replace(fence, holder="lost"), fence))

        with pytest.raises(LeaseLost):
            lost.save(EXAMPLES[0])
        assert held.load() is None

        Records(store, b"k" * 32, RUN_ID, fence).save(EXAMPLES[1])
        held.save(EXAMPLES[2])
        assert held.load() == EXAMPLES[2]
