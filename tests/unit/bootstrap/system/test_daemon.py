"""Processes that stay: nothing is signalled that is not the very process that was started."""

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout
from bootstrap.system import daemon
from bootstrap.system.daemon import Daemons, Record

REPOSITORY = Path(__file__).resolve().parents[4]
SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Daemons]:
    layout = Layout(tmp_path)
    for room in ("bootstrap", "sealift"):
        (tmp_path / room).symlink_to(REPOSITORY / room)
    ours = Daemons(layout)
    yield ours
    for name in ours.names():
        ours.stop(name, grace_seconds=1)


def record(daemons: Daemons, name: str = "sleeper") -> Record:
    found = daemon.read_record(daemons.record_path(name))
    assert found is not None
    return found


def test_a_started_program_runs_in_a_session_of_its_own_and_is_recorded(daemons: Daemons) -> None:
    """Ctrl-C in our terminal must not reach it."""
    started = daemons.start("sleeper", SLEEP)

    assert started
    assert daemons.running("sleeper")
    assert os.getsid(record(daemons).pid) == record(daemons).pid
    assert record(daemons).argv == SLEEP


def test_a_program_that_runs_is_not_started_again(daemons: Daemons) -> None:
    daemons.start("sleeper", SLEEP)
    first = record(daemons)

    assert not daemons.start("sleeper", SLEEP)
    assert record(daemons) == first


def test_stop_ends_it_and_forgets_the_record(daemons: Daemons) -> None:
    daemons.start("sleeper", SLEEP)
    running = record(daemons)

    assert daemons.stop("sleeper")
    assert not daemon.alive(running)
    assert daemons.names() == []


def test_a_program_that_ignores_being_asked_is_made_to_end(daemons: Daemons) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    daemons.start("sleeper", [sys.executable, "-c", deaf])
    daemons.wait_until("sleeper", lambda: "deaf" in daemons.tail("sleeper"), timeout_seconds=10)
    running = record(daemons)

    assert daemons.stop("sleeper", grace_seconds=0.2)
    assert not daemon.alive(running)


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        ("the id was used again since", {"started": 1}),
        ("the machine was restarted since", {"boot": "00000000-0000-0000-0000-000000000000"}),
    ],
)
def test_another_process_is_never_signalled(daemons: Daemons, claim: str, change: dict[str, object]) -> None:
    daemons.start("sleeper", SLEEP)
    running = record(daemons)
    stale = {**dataclasses.asdict(running), **change}
    daemons.record_path("sleeper").write_text(json.dumps(stale))

    assert not daemons.running("sleeper")
    assert not daemons.stop("sleeper"), claim

    assert daemon.alive(running)
    os.kill(running.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"pid": "x", "started": 1, "boot": "b", "argv": []}', "12"]
)
def test_an_unreadable_record_means_not_running(daemons: Daemons, text: str) -> None:
    daemons.record_path("broken").parent.mkdir(parents=True)
    daemons.record_path("broken").write_text(text)

    assert not daemons.running("broken")
    assert not daemons.stop("broken")


def test_a_program_that_cannot_be_started_leaves_no_record(daemons: Daemons) -> None:
    with pytest.raises(BootstrapError, match="no-such-program: No such file"):
        daemons.start("ghost", ["no-such-program"])

    assert daemons.names() == []


def test_waiting_for_a_program_that_has_ended_shows_what_it_said(daemons: Daemons) -> None:
    daemons.start("brief", [sys.executable, "-c", "raise SystemExit('the port is taken')"])

    with pytest.raises(BootstrapError, match="brief ended at once:\n    the port is taken"):
        daemons.wait_until("brief", lambda: False, timeout_seconds=30)


def test_waiting_ends_when_the_time_is_up(daemons: Daemons) -> None:
    daemons.start("sleeper", SLEEP)

    with pytest.raises(BootstrapError, match="was not ready after 0 s"):
        daemons.wait_until("sleeper", lambda: False, timeout_seconds=0.2)
