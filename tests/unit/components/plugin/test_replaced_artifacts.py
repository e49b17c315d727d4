"""Replaced artifacts stay by number and age, the current one always stays, and a kill at any point leaves nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.plugin.ownership import Owner, Owners
from components.plugin.replaced_artifacts import DAY_SECONDS, ReplacedArtifacts, Retained, RunArtifacts
from sealift.stores import MANIFESTS, PAYLOADS, RECORDS, Store, has_artifact, open_store, put_artifact
from sealift.stores.store import LEASES

KEY = b"k" * 32
OWNER = Owner("urn:pulumi:dev::shop::sealift:index:TrainingRun::model", "model-1")
OTHER = Owner("urn:pulumi:dev::shop::sealift:index:TrainingRun::other", "other-1")


class Killed(BaseException):
    """The process ended."""


class MortalStore:
    """A store whose process is killed before the call number `at`. What ends with a process still runs."""

    def __init__(self, store: Store, at: int) -> None:
        self._store, self._at, self.calls = store, at, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self._at:
                raise Killed
            return found(*given, **named)

        return call


def trained(store: Store, letter: str, report: str = "0", *, ours: bool = True) -> RunArtifacts:
    """Stores what a run leaves: a model, a report and its record."""
    one = RunArtifacts(letter * 32, letter * 64, (letter * 31 + report,))
    for artifact_id in (one.artifact_id, *one.reports):
        put_artifact(store, artifact_id, artifact_id.encode(), b"{}")
    if ours and one.run_id not in store.names(RECORDS):
        store.swap(RECORDS, one.run_id, b"record", None)
    return one


def claim(store: Store, one: RunArtifacts, owner: Owner = OWNER) -> None:
    for artifact_id in (one.artifact_id, *one.reports):
        Owners(store, KEY, artifact_id).claim(owner)


def update(store: Store, old: RunArtifacts, new: RunArtifacts, retained: Retained) -> None:
    replaced = ReplacedArtifacts(store, KEY, OWNER)
    replaced.announce(new)
    claim(store, new)
    replaced.settle(new, old, retained)


def models(store: Store) -> str:
    return "".join(sorted({name[0] for name in store.names(MANIFESTS)}))


def left(store: Store) -> list[str]:
    return [*store.names(MANIFESTS), *store.names(PAYLOADS), *store.names(RECORDS)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path}/store")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the clock, in days."""
    return lambda days: monkeypatch.setattr("time.time", lambda: days * DAY_SECONDS)


def follow(store: Store, letters: str, retained: Retained, now: Callable[[float], None]) -> RunArtifacts:
    """Trains one model a day."""
    current = trained(store, letters[0])
    claim(store, current)
    for day, letter in enumerate(letters[1:], 1):
        now(day)
        new = trained(store, letter)
        update(store, current, new, retained)
        current = new
    return current


@pytest.mark.parametrize(
    ("retained", "stay"),
    [
        (Retained(), "e"),
        (Retained(count=1), "de"),
        (Retained(count=3), "bcde"),
        (Retained(count=9), "abcde"),
        (Retained(days=1.5), "cde"),
        (Retained(count=3, days=1.5), "bcde"),
        (Retained(count=1, days=1.5), "cde"),
    ],
    ids=str,
)
def test_the_newest_and_the_young_stay(
    store: Store, now: Callable[[float], None], retained: Retained, stay: str
) -> None:
    follow(store, "abcde", retained, now)

    assert models(store) == stay


def test_a_clock_that_goes_backwards_deletes_nothing_that_is_young(store: Store, now: Callable[[float], None]) -> None:
    current = follow(store, "abc", Retained(days=5), now)
    now(-3)

    ReplacedArtifacts(store, KEY, OWNER).settle(current, None, Retained(days=5))

    assert models(store) == "abc"


def test_smaller_settings_let_go_at_once(store: Store, now: Callable[[float], None]) -> None:
    current = follow(store, "abcd", Retained(count=3), now)

    ReplacedArtifacts(store, KEY, OWNER).settle(current, None, Retained(count=1))

    assert models(store) == "cd"


def test_the_way_back_takes_the_artifact_off_the_list(store: Store, now: Callable[[float], None]) -> None:
    current = follow(store, "abc", Retained(count=2), now)
    a = trained(store, "a")

    update(store, current, a, Retained(count=2))
    ReplacedArtifacts(store, KEY, OWNER).settle(a, None, Retained())

    assert models(store) == "a"
    assert len([name for name in store.names(RECORDS) if name == a.run_id]) == 1, "its run is found again"


def test_a_report_that_the_current_model_no_longer_has_goes(store: Store, now: Callable[[float], None]) -> None:
    b = follow(store, "ab", Retained(count=2), now)
    a = trained(store, "a", report="1")

    update(store, b, a, Retained(count=2))

    assert has_artifact(store, a.reports[0]) and not has_artifact(store, "a" * 31 + "0")


def test_destruction_lets_go_of_all_and_of_nothing_that_others_use(store: Store, now: Callable[[float], None]) -> None:
    c = follow(store, "abc", Retained(count=2), now)
    claim(store, trained(store, "a"), OTHER)

    notes = ReplacedArtifacts(store, KEY, OWNER).settle(None, c, Retained())

    assert models(store) == "a"
    assert notes == [("info", f"artifact {'a' * 32} stays, because other resources use it: 1")]
    ReplacedArtifacts(store, KEY, OTHER).settle(None, trained(store, "a"), Retained())
    assert left(store) == []


def test_the_record_of_a_run_stays_for_its_other_artifact(store: Store, now: Callable[[float], None]) -> None:
    a = follow(store, "a", Retained(), now)
    again = replace(trained(store, "b", ours=False), run_id=a.run_id)

    update(store, a, again, Retained())

    assert models(store) == "b"
    assert a.run_id in store.names(RECORDS)


def test_a_damaged_list_deletes_nothing(store: Store, now: Callable[[float], None]) -> None:
    c = follow(store, "abc", Retained(count=2), now)
    replaced = ReplacedArtifacts(store, KEY, OWNER)
    store.swap(RECORDS, replaced._name, b"damaged", store.read(RECORDS, replaced._name).version)

    notes = replaced.settle(c, None, Retained())

    assert models(store) == "abc"
    assert [severity for severity, _ in notes] == ["warning"]


def test_a_list_cannot_be_read_without_the_store_key(store: Store, now: Callable[[float], None]) -> None:
    follow(store, "ab", Retained(count=2), now)

    assert not any(b"a" * 32 in store.get(RECORDS, name) for name in store.names(RECORDS))
    assert ReplacedArtifacts(store, b"x" * 32, OWNER).find() == []


@pytest.mark.parametrize("retained", [Retained(), Retained(count=1)], ids=str)
@pytest.mark.parametrize("then", ["the same again", "another change", "destroy"])
def test_a_kill_at_any_call_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str, retained: Retained
) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)  # the machine lives on
    killed, at = True, 0
    while killed:
        at += 1
        store = open_store(f"file://{tmp_path}/{at}")
        current = trained(store, "a")
        claim(store, current)
        b = trained(store, "b")
        killed = False
        try:
            update(MortalStore(store, at), current, b, retained)
        except Killed:
            killed = True
        for lease in store.names(LEASES):  # the next process sees that their holder is dead
            store.delete(LEASES, lease)
        announced = "b" * 32 not in artifacts_without_a_list(store)
        if then == "the same again":
            b = trained(store, "b")
            update(store, current, b, retained)
            assert "b" in models(store)
            current = b
        elif then == "another change":
            c = trained(store, "c")
            update(store, current, c, retained)
            assert "c" in models(store)
            current = c
        ReplacedArtifacts(store, KEY, OWNER).settle(None, current, Retained())
        expected = "" if announced or then == "the same again" else "b"
        assert models(store) == expected, f"killed at call {at}"
        assert expected or left(store) == [], f"killed at call {at}"
    assert at > 20


def artifacts_without_a_list(store: Store) -> set[str]:
    """Ids of complete models that the resource has neither announced nor claimed: those of an equal run, which the next
    run finds by its record."""
    listed = {one.artifact_id for one in ReplacedArtifacts(store, KEY, OWNER)._load()[0] or []}
    claimed = {one for one in ("a" * 32, "b" * 32) if Owners(store, KEY, one)._load()[0]}
    return set(store.names(MANIFESTS)) - listed - claimed
