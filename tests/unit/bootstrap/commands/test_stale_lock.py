"""Only a lock whose process is gone from this very machine is released."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bootstrap.commands import stale_lock
from bootstrap.commands.stale_lock import WRITING_SECONDS, holder_is_gone

HERE = socket.gethostname()


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        ({"hostname": HERE, "pid": 2**22 + 1}, True),
        ({"hostname": HERE, "pid": os.getpid()}, False),
        ({"hostname": "elsewhere", "pid": 2**22 + 1}, False),
        ({}, False),
        ([], False),
        ([{"hostname": HERE, "pid": 2**22 + 1}], False),
        ({"pid": 2**22 + 1}, False),
        ({"hostname": HERE}, False),
        ({"hostname": HERE, "pid": str(2**22 + 1)}, False),
        ({"hostname": HERE, "pid": "none"}, False),
        ({"hostname": HERE, "pid": None}, False),
        ({"hostname": HERE, "pid": 2**80}, False),
        ({"hostname": HERE, "pid": -1}, False),
    ],
    ids=[
        "a dead process here",
        "a live process here",
        "another machine's",
        "says nothing",
        "an empty list",
        "a list",
        "no host",
        "no process",
        "a text of digits",
        "a text",
        "null",
        "a number beyond all",
        "no number of a process",
    ],
)
def test_whose_lock_is_stale(tmp_path: Path, said: object, gone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stale_lock, "sees_all_processes", lambda: True)
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps(said))

    assert holder_is_gone(lock) is gone


def test_a_lock_that_was_released_meanwhile_is_not_touched(tmp_path: Path) -> None:
    assert not holder_is_gone(tmp_path / "lock.json")


@pytest.mark.parametrize("written", ["", "{", '{"hostname": "' + HERE])
def test_a_lock_that_is_just_being_written_is_nobody_s_to_release(tmp_path: Path, written: str) -> None:
    lock = tmp_path / "lock.json"
    lock.write_text(written)
    assert not holder_is_gone(lock)

    before = time.time() - WRITING_SECONDS - 1
    os.utime(lock, (before, before))
    assert holder_is_gone(lock), "it was never written whole"


def test_a_process_in_another_namespace_of_process_numbers_holds_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale_lock, "sees_all_processes", lambda: True)
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    inside = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", program],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert inside.stdout is not None
    try:
        said = inside.stdout.readline().strip()
        if not said:
            pytest.skip("a namespace of its own needs root")
        lock = tmp_path / "lock.json"
        lock.write_text(json.dumps({"hostname": HERE, "pid": int(said)}))
        assert inside.pid in stale_lock.numbers(), "the namespace is the test's own"
        assert not holder_is_gone(lock)
        numbers = stale_lock.numbers()
        monkeypatch.setattr(stale_lock, "numbers", lambda: {one for one in numbers if one != int(said)})
        monkeypatch.setattr(stale_lock, "_answers", lambda number: False)
        assert holder_is_gone(lock)
    finally:
        os.killpg(inside.pid, signal.SIGKILL)
        inside.communicate()


@pytest.mark.parametrize(
    ("answer", "gone"),
    [(None, False), (PermissionError(), False), (ProcessLookupError(), True)],
    ids=["ours", "another user's", "nobody's"],
)
def test_a_process_that_proc_hides_holds_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: OSError | None, gone: bool
) -> None:
    def kill(number: int, signal_number: int) -> None:
        assert (number, signal_number) == (4711, 0)
        if answer is not None:
            raise answer

    monkeypatch.setattr(stale_lock, "sees_all_processes", lambda: True)
    monkeypatch.setattr(stale_lock, "numbers", lambda: {os.getpid()})
    monkeypatch.setattr(os, "kill", kill)
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"hostname": HERE, "pid": 4711}))

    assert holder_is_gone(lock) is gone


def test_from_within_a_container_no_lock_is_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stale_lock, "sees_all_processes", lambda: False)
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"hostname": HERE, "pid": 2**22 + 1}))

    assert not holder_is_gone(lock)
