"""Events: whole lines, no more than a display can use, and a reader that is gone is noticed."""

import json
import os
import signal
from functools import partial
from types import FrameType

import pytest

from training.events import EventStream


def lines(reading: int) -> list[dict[str, object]]:
    with os.fdopen(reading, "rb") as stream:
        return [json.loads(line) for line in stream]


def test_an_event_is_one_line_of_json_whatever_is_in_it() -> None:
    reading, writing = os.pipe()
    events = EventStream(writing)

    events.log("info", "two\nlines, ünïcode")
    events.tell("error", message="m", hint="h")
    os.close(writing)

    assert lines(reading) == [
        {"event": "log", "level": "info", "message": "two\nlines, ünïcode"},
        {"event": "error", "message": "m", "hint": "h"},
    ]


def test_a_number_that_json_has_not_is_refused_rather_than_written() -> None:
    reading, writing = os.pipe()

    with pytest.raises(ValueError, match="JSON"):
        EventStream(writing).tell("result", metrics={"mse": float("nan")})

    os.close(writing)
    assert lines(reading) == []


def test_epochs_are_told_four_times_a_second_and_the_last_always() -> None:
    reading, writing = os.pipe()
    events = EventStream(writing)
    fields = list[int]()

    def asked(epoch: int) -> dict[str, object]:
        fields.append(epoch)
        return {"epoch": epoch}

    for epoch in range(1, 1001):
        events.descent(partial(asked, epoch), last=epoch == 1000)
    os.close(writing)

    told = [line["epoch"] for line in lines(reading)]
    assert told[0] == 1
    assert told[-1] == 1000
    assert len(told) < 10
    assert fields == told, "what is not told is not gathered"


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
