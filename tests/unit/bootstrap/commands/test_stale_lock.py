"""Only a lock whose process is gone from this very machine is released."""

import json
import os
import socket
from pathlib import Path

import pytest

from bootstrap.commands.stale_lock import holder_is_gone

HERE = socket.gethostname()


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        ({"hostname": HERE, "pid": 2**22 + 1}, True),
        ({"hostname": HERE, "pid": os.getpid()}, False),
        ({"hostname": "elsewhere", "pid": 2**22 + 1}, False),
        ({}, True),
    ],
    ids=["a dead process here", "a live process here", "another machine's", "half-written"],
)
def test_whose_lock_is_stale(tmp_path: Path, said: dict[str, object], gone: bool) -> None:
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps(said))

    assert holder_is_gone(lock) is gone


def test_a_lock_that_was_released_meanwhile_is_not_touched(tmp_path: Path) -> None:
    assert not holder_is_gone(tmp_path / "lock.json")
