"""Events: whole lines, no more than a display can use, and a reader that is gone is noticed."""

import json
import os
import signal
from dataclasses import replace
from functools import partial
from types import FrameType

import pytest

from training.events import (
    DescentEvent,
    ErrorEvent,
    Event,
    EventStream,
    LogEvent,
    PhaseEvent,
    ResultEvent,
    read_event,
    write_event,
)

DESCENT = DescentEvent(
    phase="train", epoch=1, epochs=2, step=3, steps=4, loss=None, validation={"mae": 1.0}, rows_per_second=5.0,
    training_seconds=6.0, seconds=7.0, eta_seconds=8.0, energy_joules=9.0, last=False, memory_bytes=10,
)  # fmt: skip


def lines(reading: int) -> list[dict[str, object]]:
    with os.fdopen(reading, "rb") as stream:
        return [json.loads(line) for line in stream]


def test_an_event_is_one_line_of_json_whatever_is_in_it() -> None:
    reading, writing = os.pipe()
    events = EventStream(writing)

    events.log("info", "two\nlines, ünïcode")
    events.tell(ErrorEvent("m", "h"))
    os.close(writing)

    assert lines(reading) == [
        {"event": "log", "level": "info", "message": "two\nlines, ünïcode"},
        {"event": "error", "message": "m", "hint": "h"},
    ]


def test_a_number_that_json_has_not_is_refused_rather_than_written() -> None:
    reading, writing = os.pipe()

    with pytest.raises(ValueError, match="JSON"):
        EventStream(writing).tell(ResultEvent({"metrics": {"mse": float("nan")}}))

    os.close(writing)
    assert lines(reading) == []


def test_epochs_are_told_four_times_a_second_and_the_last_always() -> None:
    reading, writing = os.pipe()
    events = EventStream(writing)
    gathered = list[int]()

    def describe(epoch: int) -> DescentEvent:
        gathered.append(epoch)
        return replace(DESCENT, epoch=epoch)

    for epoch in range(1, 1001):
        events.descent(partial(describe, epoch), last=epoch == 1000)
    os.close(writing)

    told = [line["epoch"] for line in lines(reading)]
    assert told[0] == 1
    assert told[-1] == 1000
    assert len(told) < 10
    assert gathered == told, "what is not told is not gathered"


def test_a_reader_that_is_gone_is_one_cancel_and_then_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    signals = list[int]()

    def note(number: int, frame: FrameType | None) -> None:
        signals.append(number)

    previous = signal.signal(signal.SIGTERM, note)
    try:
        events = EventStream(writing)
        events.log("info", "one")
        events.log("info", "two")
    finally:
        signal.signal(signal.SIGTERM, previous)
        os.close(writing)

    assert signals == [signal.SIGTERM]


@pytest.mark.parametrize(
    "event",
    [
        LogEvent("warning", "two\nlines"),
        PhaseEvent("data", "reading iris", 123),
        DESCENT,
        replace(DESCENT, loss=0.5, validation={}, last=True),
        ResultEvent({"artifact_id": "ab", "metrics": {"mse": 1.0}, "reused": False}),
        ErrorEvent("m", ""),
        ErrorEvent("m", "h", {"artifact_id": "ab", "payload_digest": "cd"}),
    ],
)
def test_what_is_read_is_what_was_told(event: Event) -> None:
    assert read_event(write_event(event)) == event


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\xff", b"null", b"[]", b"{}", b'{"event": "res', b'{"event": "strange"}', b'{"event": 1}',
        b'{"event": []}', b'{"event": "log"}', b'{"event": "log", "level": "info", "message": "m", "more": 1}',
        b'{"event": "log", "level": "loud", "message": "m"}', b'{"event": "progress", "epoch": 1}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_whole_event_is_none(line: bytes) -> None:
    assert read_event(line) is None
