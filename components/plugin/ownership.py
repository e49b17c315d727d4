"""Owners of an artifact, the resources that use it. The artifact is deleted when its last owner releases it.

A renamed run, its replacement, a second run with the same inputs or another spelling of the store's URL can all lead to
the same artifact. Each resource that uses it claims it in a record of the store, sealed under the store key. A resource
is identified by the random id that the engine keeps for it: its URN changes when the stack, the project or a parent is
renamed, and a replacement has the URN of the resource that it replaces.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace

from sealift.rewrapping import Keep
from sealift.sealing import ArtifactCorrupt, open_record, record_key, seal_record
from sealift.stores import (
    RECORDS,
    ArtifactDamaged,
    ArtifactMissing,
    Store,
    get_record,
    has_artifact,
    has_record,
    hold_lease,
    owners_name,
)

Wrap = Callable[[Keep], bytes | None]
"""Wraps an artifact's key and returns the manifest, or None if no key opens the artifact."""


def keep_manifest(_: Keep) -> bytes:
    """Wraps nothing: a new artifact is sealed to its owner's recipients."""
    return b""


@dataclass(frozen=True)
class Owner:
    """One resource, identified by `id`. `urn` is its URN at the time of the claim. `recipients` are the ids of the keys
    that it wants the artifact sealed to; None in claims of Sealift 0.2, which did not name them.
    """

    urn: str
    id: str
    recipients: Sequence[str] | None = None


class OwnersUnreadable(Exception):
    """The list of an artifact's owners is damaged or under another key, so a resource may still use the artifact."""


@dataclass(frozen=True)
class Owners:
    """Owners of the artifact `artifact_id`. Methods raise the store's errors."""

    store: Store
    store_key: bytes
    artifact_id: str

    def claim(self, owner: Owner, wrap: Wrap = keep_manifest) -> bytes | None:
        """Adds the owner, after `wrap` has wrapped the artifact's key for it and kept the other owners' recipients.
        Returns what `wrap` returns; None adds no owner.

        Raises ArtifactMissing if another owner has just released and deleted the artifact.
        """
        with hold_lease(self.store, self._name):
            if not has_artifact(self.store, self.artifact_id):
                self.store.delete(RECORDS, self._name)
                raise ArtifactMissing(f"artifact {self.artifact_id} was just deleted by its last user")
            try:
                owners, version = self._load()
            except OwnersUnreadable:  # an artifact with an unreadable list is never deleted
                return wrap(lambda _: True)
            known_as = {one.urn for one in owners if one.id == owner.id}
            own = known_as | {owner.urn}
            wrapped = wrap(_recipients_of(one for one in owners if one.id != owner.id and one.urn not in own))
            if wrapped is not None:
                others = [replace(one, urn=owner.urn) if one.urn in known_as else one for one in owners]
                self._save([*(one for one in others if one.id != owner.id), owner], version)
        return wrapped

    def find_earlier(self, owner: Owner) -> list[Owner]:
        """Returns the other owners with the owner's URN. Raises OwnersUnreadable."""
        return [one for one in self._load()[0] if one.urn == owner.urn and one.id != owner.id]

    def abandon(self, owner: Owner, delete: Callable[[], None]) -> int:
        """Like `release`, for a damaged artifact: earlier claims with the owner's URN do not count as other users."""
        with hold_lease(self.store, self._name):
            owners, version = self._load()
            left = [one for one in owners if owner.id != one.id and owner.urn != one.urn]
            self._leave(left, version, delete)
        return len(left)

    def release(self, owner: Owner, delete: Callable[[], None]) -> int:
        """Removes the owner and calls `delete` if no other owner is left. Returns the number of other owners.

        The engine creates a replacement before it deletes the replaced resource. An older claim of the same URN
        therefore belongs to an operation that was killed, and is removed too. Raises OwnersUnreadable.
        """
        if not has_record(self.store, self._name) and not has_artifact(self.store, self.artifact_id):
            delete()  # removes remains; taking the lock would create a missing store
            return 0
        with hold_lease(self.store, self._name):
            owners, version = self._load()
            left = _without(owners, owner)
            self._leave(left, version, delete)
        return len(left)

    def _leave(self, left: list[Owner], version: str | None, delete: Callable[[], None]) -> None:
        self._save(left, version)  # fails if another process has taken over the lease and claimed meanwhile
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
        """Returns the owners and the record's version."""
        try:
            record = get_record(self.store, self._name)
        except ArtifactDamaged as error:  # larger than any list
            raise OwnersUnreadable from error
        if record is None:
            return [], None
        try:
            plaintext = bytes(open_record(self._key, self._name, record.content))
            return [Owner(*fields) for fields in json.loads(plaintext)], record.version
        except (ArtifactCorrupt, ValueError, TypeError) as error:
            raise OwnersUnreadable from error

    def _save(self, owners: list[Owner], version: str | None) -> None:
        plaintext = json.dumps([astuple(owner) for owner in owners]).encode()
        self.store.swap(RECORDS, self._name, seal_record(self._key, self._name, plaintext), version)


def _recipients_of(owners: Iterable[Owner]) -> Keep:
    """Returns whether one of these owners wants a recipient. An owner that names none may want each."""
    wanted = [one.recipients for one in owners]
    return lambda key_id: any(named is None or key_id in named for named in wanted)


def _without(owners: list[Owner], owner: Owner) -> list[Owner]:
    """Returns the other owners. Of owners with a URN of this owner, only those that claimed after it."""
    claimed_at = max((at for at, one in enumerate(owners) if one.id == owner.id), default=-1)
    known_as = {one.urn for one in owners if one.id == owner.id}
    others = [(at, one) for at, one in enumerate(owners) if one.id != owner.id]
    return [one for at, one in others if at > claimed_at or one.urn not in known_as]
