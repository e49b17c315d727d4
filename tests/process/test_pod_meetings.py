"""Pods of a run find each other through a sealed file, and nobody else can send them elsewhere."""

import secrets

import pytest

from sealift.stores import INPUTS, Store, open_store, sign_url
from tests.object_store import ObjectStore
from training import pod_meetings
from training.cancellation import Cancellation, CancelledError
from training.distributed import Address
from training.errors import TrainingError
from training.pod_meetings import PodMeetings

RUN_ID = "ef" * 32
FILE = RUN_ID + "01"


@pytest.fixture
def store(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in object_store.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pod_meetings, "LOOK_SECONDS", 0.01)
    return open_store(f"{object_store.url}/{secrets.token_hex(8)}")


def meetings(store: Store, node: int, key: bytes = bytes(32)) -> PodMeetings:
    get, put = sign_url(store, INPUTS, FILE, "GET"), sign_url(store, INPUTS, FILE, "PUT")
    return PodMeetings(4, 2, node, "127.0.0.1", get, put, key, RUN_ID, Cancellation())


def test_each_pod_has_its_share_of_the_ranks_at_the_address_of_the_first(store: Store) -> None:
    first = meetings(store, 0).seats()
    second = meetings(store, 1).seats()
    assert [seat.rank for seat in (*first, *second)] == [0, 1, 2, 3]
    (address,) = {seat.meeting for seat in (*first, *second)}
    assert isinstance(address, Address)
    assert address.host == "127.0.0.1"
    assert address.port > 0


def test_the_next_attempt_waits_for_another_meeting(store: Store) -> None:
    first, second = meetings(store, 0), meetings(store, 1)
    first.seats()
    earlier = second.seats()
    second.cancellation.requested = True
    with pytest.raises(CancelledError):
        second.seats()
    second.cancellation.requested = False
    later = first.seats()
    assert second.seats()[0].meeting == later[0].meeting != earlier[0].meeting


@pytest.mark.parametrize("content", [b"", b"somebody else's address", bytes(300)])
def test_an_address_that_nobody_with_the_run_s_key_wrote_is_refused(store: Store, content: bytes) -> None:
    store.put(INPUTS, FILE, content)
    with pytest.raises(TrainingError, match="was altered"):
        meetings(store, 1).seats()


def test_an_address_of_another_run_is_refused(store: Store) -> None:
    meetings(store, 0, key=bytes(range(32))).seats()
    with pytest.raises(TrainingError, match="was altered"):
        meetings(store, 1).seats()


def test_the_address_is_not_readable_in_the_store(store: Store) -> None:
    (seat, _) = meetings(store, 0).seats()
    assert isinstance(seat.meeting, Address)
    assert f"{seat.meeting.port}".encode() not in store.get(INPUTS, FILE)


def test_a_first_pod_that_does_not_come_is_an_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_meetings, "LONGEST_SECONDS", 0.2)
    with pytest.raises(TrainingError, match="the first pod of the run has not started in 0 seconds"):
        meetings(store, 1).seats()
