"""What the server looks after by itself goes on, whatever fails in it, and each failure is told and counted."""

import pytest

from sealift.serving.watch import FileWatch
from tests.unit.serving.http.test_connection import in_this_process
from tests.unit.serving.sockets import GET, answer, dial


def test_a_part_that_fails_keeps_no_other_from_its_turn_and_is_told_once_and_counted(
    capfd: pytest.CaptureFixture[str],
) -> None:
    looked: list[str] = []

    def fails() -> None:
        raise ValueError("secret row")

    failures: dict[str, int] = {}
    watch = FileWatch(
        {"one": lambda: looked.append("one"), "two": fails, "three": lambda: looked.append("three")}, failures
    )
    assert failures == {"one": 0, "two": 0, "three": 0}
    watch.look()
    watch.look()

    assert looked == ["one", "three"] * 2
    assert failures == {"one": 0, "two": 2, "three": 0}
    told = capfd.readouterr().out
    assert told.count("watch failed") == 1
    assert '"part":"two"' in told and "ValueError" in told and "secret" not in told


def test_a_server_whose_access_fails_goes_on_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_self: object, _now: float) -> None:
        raise ValueError

    monkeypatch.setattr("sealift.serving.access.UncheckedAccess.refresh", fails)
    with in_this_process(monkeypatch, KEEP_ALIVE_SECONDS=0.3) as (port, http), dial(port) as client:
        client.sendall(GET + b"\r\n")
        said = answer(client)  # until the watch closes it
        failures = http.connections.service.served.counts.watch_failures
        assert failures["access"] > 1 and failures["connections"] == 0

    assert said.count(b"HTTP/1.1 ") == 2  # and 408, as it was idle


def test_one_client_whose_check_fails_is_closed_and_the_others_are_looked_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with in_this_process(monkeypatch, KEEP_ALIVE_SECONDS=0.5) as (port, http), dial(port) as bad:
        bad.sendall(GET + b"\r\n")
        assert bad.recv(12) == b"HTTP/1.1 200"
        (broken,) = http.connections.clients

        def fails(_now: float) -> None:
            raise ValueError

        monkeypatch.setattr(broken, "check", fails)
        with dial(port) as good:
            good.sendall(GET + b"\r\n")
            assert answer(good).startswith(b"HTTP/1.1 200")
        answer(bad)
        assert http.connections.service.served.counts.watch_failures["connections"] == 1
