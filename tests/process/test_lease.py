"""Leases, with processes that are killed and stopped: one works at a time, and a robbed one finds out."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sealift.stores import LeaseLost, Store, hold_lease, lease, open_store
from sealift.stores.lease import _Term
from sealift.stores.store import LEASES

PROJECT_ROOT = Path(__file__).resolve().parents[2]
NAME = "ab" * 32
EXPIRY_SECONDS = 3.0
NEVER_SECONDS = 1e6
"""Nobody who waits for this expiry gets the lease before the test is ended."""
HOLDER = """
import sys, time
from sealift.stores import LeaseLost, hold_lease, open_store
with hold_lease(open_store(sys.argv[1]), sys.argv[2], float(sys.argv[3])) as fence:
    print("held", flush=True)
    for line in sys.stdin:
        try:
            fence.check()
            print("still held", flush=True)
        except LeaseLost:
            print("lost", flush=True)
"""


@pytest.fixture
def store(store_url: str) -> Store:
    return open_store(store_url)


@contextmanager
def holder(store: Store, expiry_seconds: float = EXPIRY_SECONDS) -> Iterator["subprocess.Popen[str]"]:
    """A process that waits for the lease, and tells at every line that it gets whether it still has it."""
    command = [sys.executable, "-c", HOLDER, url_of(store), NAME, str(expiry_seconds)]
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def url_of(store: Store) -> str:
    return store.location if "://" in store.location else f"file://{store.location}"


def told(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def asked(process: "subprocess.Popen[str]") -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return told(process)


def from_another_machine(store: Store) -> None:
    """Makes the lease look as one that was made on another machine."""
    found = store.read(LEASES, NAME)
    elsewhere = replace(_Term.parse(found.content), machine="elsewhere")
    store.swap(LEASES, NAME, elsewhere.encode(), found.version)


def test_a_lease_that_was_given_back_leaves_nothing(store: Store) -> None:
    with hold_lease(store, NAME) as fence:
        fence.check()

    assert store.names(LEASES) == []
    with pytest.raises(LeaseLost):
        fence.check()


def test_a_live_holder_is_not_robbed_however_long_others_wait(store: Store) -> None:
    with holder(store) as first:
        assert told(first) == "held"
        with holder(store) as second:
            time.sleep(2 * EXPIRY_SECONDS)

            assert asked(first) == "still held"
            assert second.stdout is not None
            assert select.select([second.stdout], [], [], 0)[0] == [], "the second waits"


def test_a_killed_holder_of_this_machine_keeps_nobody_waiting(store: Store) -> None:
    with holder(store, NEVER_SECONDS) as first:
        assert told(first) == "held"
        first.kill()
        first.wait()

        with hold_lease(store, NAME, NEVER_SECONDS) as fence:
            fence.check()


def test_a_killed_holder_that_nobody_has_reaped_keeps_nobody_waiting(store: Store) -> None:
    with holder(store, NEVER_SECONDS) as first:
        assert told(first) == "held"
        os.kill(first.pid, signal.SIGKILL)

        with hold_lease(store, NAME, NEVER_SECONDS) as fence:
            fence.check()


class Passing:
    """Time, which passes while one sleeps."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_dead_holder_of_another_machine_is_waited_for_until_it_expires(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = Passing()
    with holder(store, 600) as first:
        assert told(first) == "held"
        first.kill()
        first.wait()
    from_another_machine(store)

    monkeypatch.setattr(lease, "time", passing)
    with hold_lease(store, NAME, 600) as fence:
        fence.check()

    assert 600 <= passing.now < 601


def test_a_holder_that_was_stopped_past_its_expiry_finds_out_and_takes_nothing_back(store: Store) -> None:
    with holder(store) as first:
        assert told(first) == "held"
        first.send_signal(signal.SIGSTOP)
        with hold_lease(store, NAME, EXPIRY_SECONDS) as fence:
            first.send_signal(signal.SIGCONT)

            assert asked(first) == "lost"
            assert first.stdin is not None
            first.stdin.close()
            assert first.wait(30) == 0, "and it gives back what is not its own without a word"
            fence.check()


def test_a_holder_that_was_stopped_while_nobody_waited_goes_on(store: Store) -> None:
    with holder(store) as first:
        assert told(first) == "held"
        first.send_signal(signal.SIGSTOP)
        time.sleep(1.5 * EXPIRY_SECONDS)
        first.send_signal(signal.SIGCONT)

        assert asked(first) == "still held"


def test_of_many_that_wait_one_at_a_time_works(store: Store, tmp_path: Path) -> None:
    program = """if True:
        import os, sys, time
        from pathlib import Path
        from sealift.stores import hold_lease, open_store
        for _ in range(5):
            with hold_lease(open_store(sys.argv[1]), "ab" * 32):
                Path(sys.argv[2]).mkdir()
                time.sleep(0.02)
                Path(sys.argv[2]).rmdir()
    """
    command = [sys.executable, "-c", program, url_of(store), str(tmp_path / "inside")]
    processes = [subprocess.Popen(command, cwd=PROJECT_ROOT) for _ in range(3)]

    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert store.names(LEASES) == []


def test_what_cannot_be_read_expires(store: Store) -> None:
    store.put(LEASES, NAME, b"\xff not a lease")

    with hold_lease(store, NAME, 0.3) as fence:
        fence.check()
