"""Which resources use an artifact: it is deleted when the last of them lets go, never before.

A renamed run, a replaced one, a second one with the same inputs or another spelling of the store's URL all come to the
same artifact. Each resource that uses it claims it in a record of the store, sealed under the store's key. A resource
is the random id that the engine keeps for it: its URN changes when the stack, the project or a parent is renamed, and
a replacement has the URN of what it replaces.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from sealift.sealing import ArtifactCorrupt, open_record, record_key, seal_record
from sealift.stores import RECORDS, Store, get_record, has_artifact, hold_lease, owners_name


@dataclass(frozen=True)
class Owner:
    """One resource: its id. `urn` is a note, of what the resource was called when it claimed."""

    urn: str
    id: str


class OwnersUnreadable(Exception):
    """The list of an artifact's owners is damaged, or under another key: somebody may use the artifact."""


@dataclass(frozen=True)
class Owners:
    """The owners of the artifact `artifact_id`. Methods raise the store's errors."""

    store: Store
    store_key: bytes
    artifact_id: str

    def claim(self, owner: Owner) -> bool:
        """Adds the owner. False: another one has just let go of the artifact and deleted it."""
        with hold_lease(self.store, self._name):
            if not has_artifact(self.store, self.artifact_id):
                self.store.delete(RECORDS, self._name)
                return False
            try:
                owners, version = self._load()
            except OwnersUnreadable:
                return True  # nobody ever deletes it
            known_as = {one.urn for one in owners if one.id == owner.id}
            others = [replace(one, urn=owner.urn) if one.urn in known_as else one for one in owners]
            self._save([*(one for one in others if one.id != owner.id), owner], version)
        return True

    def abandon(self, owner: Owner, delete: Callable[[], None]) -> int:
        """As `release`, of an artifact that is damaged: what the owner was before is no other user of it."""
        with hold_lease(self.store, self._name):
            owners, version = self._load()
            left = [one for one in owners if owner.id != one.id and owner.urn != one.urn]
            self._leave(left, version, delete)
        return len(left)

    def release(self, owner: Owner, delete: Callable[[], None]) -> int:
        """Takes the owner out and calls `delete` if there is no other; returns how many others there are.

        The engine makes a replacement before it deletes what was replaced, so a claim of the same URN that is older
        than the owner's belongs to an operation that was killed: it goes too. Raises OwnersUnreadable.
        """
        if get_record(self.store, self._name) is None and not has_artifact(self.store, self.artifact_id):
            delete()  # what may be left of it: a lock would make a store that is not there
            return 0
        with hold_lease(self.store, self._name):
            owners, version = self._load()
            left = _without(owners, owner)
            self._leave(left, version, delete)
        return len(left)

    def _leave(self, left: list[Owner], version: str | None, delete: Callable[[], None]) -> None:
        self._save(left, version)  # fails where another process has taken the lease over and claimed meanwhile
        if not left:
            delete()
            self.store.delete(RECORDS, self._name)

    @property
    def _name(self) -> str:
        return owners_name(self.artifact_id)

    @property
    def _key(self) -> bytes:
        return record_key(self.store_key, self._name)

    def _load(self) -> tuple[list[Owner], str | None]:
        """The owners, and the record's version."""
        record = get_record(self.store, self._name)
        if record is None:
            return [], None
        try:
            plaintext = bytes(open_record(self._key, self._name, record.content))
            return [Owner(*pair) for pair in json.loads(plaintext)], record.version
        except (ArtifactCorrupt, ValueError, TypeError) as error:
            raise OwnersUnreadable from error

    def _save(self, owners: list[Owner], version: str | None) -> None:
        plaintext = json.dumps([[owner.urn, owner.id] for owner in owners]).encode()
        self.store.swap(RECORDS, self._name, seal_record(self._key, self._name, plaintext), version)


def _without(owners: list[Owner], owner: Owner) -> list[Owner]:
    """The others; of those that are called as the owner is or was, only the ones that claimed after it."""
    claimed_at = max((at for at, one in enumerate(owners) if one.id == owner.id), default=-1)
    known_as = {one.urn for one in owners if one.id == owner.id}
    others = [(at, one) for at, one in enumerate(owners) if one.id != owner.id]
    return [one for at, one in others if at > claimed_at or one.urn not in known_as]
