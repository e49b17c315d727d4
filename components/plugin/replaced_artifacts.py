"""Replaced artifacts that a run keeps for a while, so that its settings can go back without training.

The run stays an owner of each. A record of the store, named after the resource's random id and sealed under the store
key, lists them: without it, nobody could tell what is still to be let go. An update announces its new artifact in the
same list before it claims it, and the artifact stays there while it is current. So if the update is killed, before or
after the engine has heard of the artifact, the next update or the destruction lets go of it too.

`settle` never lets go of the current artifact, whatever the list says.
"""

import hmac
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Final

from components.plugin.ownership import Owner, Owners, OwnersUnreadable
from sealift.provider import Value, reveal
from sealift.sealing import ArtifactCorrupt, record_key, seal_record
from sealift.sealing import open_record as decrypt_record
from sealift.stores import (
    RECORDS,
    Store,
    delete_artifact,
    delete_record,
    get_record,
    has_record,
    hold_lease,
    owners_name,
)

CONTEXT: Final = b"sealift/v1/replaced\0"
DAY_SECONDS: Final = 86400.0

Notes = list[tuple[str, str]]
"""Severity and text of messages for the user."""


@dataclass(frozen=True)
class RunArtifacts:
    """Artifacts of one run: its model's, and those of the reports on it that the resource has claimed."""

    artifact_id: str
    run_id: str
    reports: Sequence[str] = ()
    replaced_at: float | None = None
    """Time at which another artifact replaced it, in seconds since the epoch. None: it is current, or was announced by
    an update that did not end."""


@dataclass(frozen=True)
class Retained:
    """Replaced artifacts that stay: the newest `count`, and those that were replaced less than `days` ago."""

    count: int = 0
    days: float = 0

    def choose(self, entries: Sequence[RunArtifacts]) -> list[RunArtifacts]:
        """Returns the entries that stay. One that was only announced was never deployed, so it goes."""
        replaced = sorted((one for one in entries if one.replaced_at is not None), key=_age)
        return [one for at, one in enumerate(replaced) if at < self.count or _age(one) < self.days * DAY_SECONDS]


def find_run_artifacts(outputs: Mapping[str, Value]) -> RunArtifacts:
    """Returns the artifacts that outputs of a TrainingRun name."""
    report = reveal(outputs.get("reportArtifactId"))
    reports = () if report is None else (str(report),)
    return RunArtifacts(str(reveal(outputs["artifactId"])), str(reveal(outputs["runId"])), reports)


@dataclass(frozen=True)
class ReplacedArtifacts:
    """The list of one resource, `owner`. Methods raise the store's errors."""

    store: Store
    store_key: bytes
    owner: Owner

    def announce(self, new: RunArtifacts) -> None:
        """Lists artifacts that the resource is about to claim."""
        self._change(lambda entries: _with(entries, new))

    def forget(self, current: RunArtifacts) -> None:
        """Takes artifacts off the list without letting go of them."""
        if has_record(self.store, self._name):
            self._change(lambda entries: [one for one in entries if one.artifact_id != current.artifact_id])

    def find(self) -> list[RunArtifacts]:
        """Returns the replaced artifacts, without those that were only announced. A damaged list names none."""
        return [one for one in self._load()[0] or [] if one.replaced_at is not None]

    def settle(self, current: RunArtifacts | None, replaced: RunArtifacts | None, retained: Retained) -> Notes:
        """Lets go of everything that neither is `current` nor stays as a replaced artifact. `replaced` was current
        until now. Returns messages for the user.
        """
        if not has_record(self.store, self._name):
            if replaced is None or (current and _same(current, replaced)):
                return []
            if current is None:  # taking a lease would create a missing store
                return self._let_go(replaced, [])
        notes: Notes = []
        with hold_lease(self.store, self._name) as fence:
            entries, version = self._load()
            if entries is None:
                notes.append(("warning", "the list of replaced artifacts is damaged, so those on it stay in the store"))
            listed = entries or []
            if replaced is not None:
                listed = _with(listed, replace(replaced, replaced_at=time.time()))
            others = [one for one in listed if current is None or one.artifact_id != current.artifact_id]
            kept = retained.choose(others)
            fence.check()
            for one in listed:
                if current is not None and one.artifact_id == current.artifact_id:
                    self._release_reports(set(one.reports) - {*current.reports}, shared=False)
                elif one not in kept:
                    notes += self._let_go(one, [*kept, *([current] if current else [])])
            self._save([*kept, *([current] if current else [])], version)
        return notes

    def drop_list(self) -> None:
        """Deletes the list. The artifacts on it stay, and this resource stays their owner."""
        delete_record(self.store, self._name)

    def _let_go(self, gone: RunArtifacts, staying: Iterable[RunArtifacts]) -> Notes:
        """Releases a model and its reports. The last owner deletes them, and the run's record with the model."""

        def delete() -> None:
            delete_artifact(self.store, gone.artifact_id)
            if gone.run_id not in {one.run_id for one in staying}:
                delete_record(self.store, gone.run_id)

        try:
            others = Owners(self.store, self.store_key, gone.artifact_id).release(self.owner, delete)
        except OwnersUnreadable:
            return [("warning", f"artifact {gone.artifact_id} stays, because the list of its users is damaged")]
        self._release_reports(gone.reports, shared=others > 0)
        if others:
            text = f"artifact {gone.artifact_id} stays, because other resources use it: {others}"
            return [("info", text)]
        return []

    def _release_reports(self, reports: Iterable[str], *, shared: bool) -> None:
        """Releases reports. A report that no resource has claimed is from an earlier release. It is deleted with the
        model, but not while the model is `shared`.
        """
        for report in reports:
            owners = Owners(self.store, self.store_key, report)
            if not shared or has_record(self.store, owners_name(report)):
                release_report(owners, self.owner)

    def _change(self, change: Callable[[list[RunArtifacts]], list[RunArtifacts]]) -> None:
        with hold_lease(self.store, self._name):
            entries, version = self._load()
            self._save(change(entries or []), version)

    def _load(self) -> tuple[list[RunArtifacts] | None, str | None]:
        """Returns the list, None if it is damaged, and the record's version."""
        record = get_record(self.store, self._name)
        if record is None:
            return [], None
        try:
            listed = json.loads(bytes(decrypt_record(self._key, self._name, record.content)))
            return [RunArtifacts(**one) for one in listed], record.version
        except (ArtifactCorrupt, ValueError, TypeError):
            return None, record.version

    def _save(self, entries: Sequence[RunArtifacts], version: str | None) -> None:
        if entries:
            plaintext = json.dumps([asdict(one) for one in entries]).encode()
            self.store.swap(RECORDS, self._name, seal_record(self._key, self._name, plaintext), version)
        elif version is not None:
            self.store.delete(RECORDS, self._name, version)

    @property
    def _name(self) -> str:
        return hmac.digest(self.store_key, CONTEXT + self.owner.id.encode(), "sha256").hex()

    @property
    def _key(self) -> bytes:
        return record_key(self.store_key, self._name)


def release_report(owners: Owners, owner: Owner) -> None:
    """Releases a report. It is deleted if no other resource uses it."""
    with suppress(OwnersUnreadable):  # another resource may use it
        owners.release(owner, lambda: delete_artifact(owners.store, owners.artifact_id))


def _with(entries: Sequence[RunArtifacts], new: RunArtifacts) -> list[RunArtifacts]:
    """Adds artifacts, together with what is already listed of the same model. An announcement changes no time."""
    known = [one for one in entries if one.artifact_id == new.artifact_id]
    reports = sorted({report for one in [*known, new] for report in one.reports})
    times = [one.replaced_at for one in [new, *known] if one.replaced_at is not None]
    merged = replace(new, reports=reports, replaced_at=times[0] if times else None)
    return [*(one for one in entries if one.artifact_id != new.artifact_id), merged]


def _same(one: RunArtifacts, other: RunArtifacts) -> bool:
    return (one.artifact_id, set(one.reports)) == (other.artifact_id, set(other.reports))


def _age(entry: RunArtifacts) -> float:
    """Seconds since it was replaced. It is negative if a clock has gone backwards."""
    return time.time() - (entry.replaced_at or 0)
