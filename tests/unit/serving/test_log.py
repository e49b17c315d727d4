"""Lines that nobody reads."""

import json
import os
from collections.abc import Iterator

import pytest

from sealift.serving import log as serving_log
from sealift.serving.log import log


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of the log that is read."""
    reading, writing = os.pipe()
    monkeypatch.setattr(serving_log, "STANDARD_OUTPUT", writing)
    yield reading
    os.close(reading)
    os.close(writing)


def test_a_log_that_nobody_reads_holds_nobody_up_and_says_later_what_it_lost(pipe: int) -> None:
    for number in range(5_000):
        log("info", "event", number=number)
    read = os.read(pipe, 1 << 20).splitlines()
    log("info", "last")
    last = json.loads(os.read(pipe, 1 << 20))

    assert [json.loads(line)["number"] for line in read] == list(range(len(read)))
    assert (last["event"], last["unwritten"]) == ("last", 5_000 - len(read))
