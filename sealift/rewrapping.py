"""Change of a sealed artifact's recipients: its key is wrapped again in the manifest, and the payload stays the same.

A rotated key therefore trains nothing, builds nothing and changes no digest that a Deployment pins.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from sealift.own_keys import find_own_key, unwrap_with
from sealift.sealing import (
    Identity,
    Recipient,
    WrongKey,
    is_authentic,
    named_payload_digest,
    recipient_ids,
    rewrap,
    under_key,
    unwrap,
)
from sealift.sealing.manifest import parse_manifest
from sealift.stores import MANIFESTS, Conflict, Store, audited
from sealift.stores.artifacts import MANIFEST_BYTES

Change = Callable[[bytes, bytes, bytes | None], bytes]
"""Returns a manifest with other recipients. Its inputs are the manifest, the data key and the artifact's own key."""


Keep = Callable[[str], bool]
"""Whether a recipient's key id belongs to another user of the artifact, so that its wrapped key must stay."""


def keep_none(_: str) -> bool:
    return False


def wrap_for(
    store: Store,
    artifact_id: str,
    manifest: bytes,
    keys: Sequence[Identity],
    recipients: Sequence[Recipient],
    keep: Keep = keep_none,
) -> bytes | None:
    """Wraps the artifact's key for these recipients and the present ones that `keep` names, and returns the manifest in
    the store. Returns None if no key opens the artifact.

    `manifest` is the one that the caller knows. A newer one that another resource has made from it is used instead.
    Raises ManifestInvalid if the manifest was altered, and the store's errors.
    """
    wanted = {recipient.key_id for recipient in recipients}
    with audited(store, "rewrap", artifact_id) as entry:
        try:
            kek = find_own_key(manifest, store.keys)
            data_key = unwrap(manifest, keys, kek)
        except WrongKey as error:
            if recipient_ids(manifest) == wanted:
                return manifest
            entry.refuse(error)
            return None
        while True:
            stored = store.read(MANIFESTS, artifact_id, MANIFEST_BYTES)
            latest = stored.content if is_authentic(stored.content, data_key) else manifest
            kept = set(filter(keep, recipient_ids(latest)))
            if latest == stored.content and recipient_ids(latest) == wanted | kept:
                return latest
            wrapped = rewrap(latest, data_key, under_key(recipients, kek), kept)
            entry.begin(named_payload_digest(latest))
            with suppress(Conflict):  # another resource has just wrapped it: read its manifest
                store.swap(MANIFESTS, artifact_id, wrapped, stored.version)
                return wrapped


def change_recipients(
    store: Store, artifact_id: str, find_data_key: Callable[[bytes], bytes], change: Change
) -> tuple[bytes, bool]:
    """Changes the recipients of the stored manifest, whatever other processes do to it meanwhile. Returns the manifest
    in the store, and whether it was changed.

    `find_data_key` unwraps and authenticates a manifest's data key. Raises its errors and the store's.
    """
    with audited(store, "rewrap", artifact_id) as entry:
        while True:
            stored = store.read(MANIFESTS, artifact_id, MANIFEST_BYTES)
            kek = find_own_key(stored.content, store.keys)
            changed = change(stored.content, find_data_key(stored.content), kek)
            if changed == stored.content:
                return changed, False
            entry.begin(named_payload_digest(stored.content))
            with suppress(Conflict):  # another process has just changed it: begin again with its manifest
                store.swap(MANIFESTS, artifact_id, changed, stored.version)
                return changed, True


def with_only(recipients: Sequence[Recipient]) -> Change:
    """Makes these the recipients. A manifest that has them already stays as it is."""
    wanted = {recipient.key_id for recipient in recipients}

    def change(manifest: bytes, data_key: bytes, kek: bytes | None) -> bytes:
        if recipient_ids(manifest) == wanted:
            return manifest
        return rewrap(manifest, data_key, under_key(recipients, kek))

    return change


def with_and_without(added: Sequence[Recipient], removed: Collection[str]) -> Change:
    """Adds recipients and removes others, by their key ids. The wrapped keys of all others stay as they are.

    The change raises WrongKey if no recipient were left.
    """

    def change(manifest: bytes, data_key: bytes, kek: bytes | None) -> bytes:
        parsed = parse_manifest(manifest)
        kept = [stanza for stanza in parsed.recipients if stanza.key_id not in removed]
        there = {stanza.key_id for stanza in kept}
        new = [one.wrap(data_key) for one in under_key(added, kek) if one.key_id not in there]
        if not kept and not new:
            raise WrongKey(
                f"artifact {parsed.artifact_id} would have no recipient left, so nobody could open it",
                "add a recipient in the same change, or erase the artifact",
            )
        if not new and len(kept) == len(parsed.recipients):
            return manifest
        return parsed.for_recipients([*kept, *new], data_key).encode()

    return change


def is_made_of(store: Store, stored: bytes, known: bytes, keys: Sequence[Identity]) -> bool:
    """Whether the store's manifest `stored` was made from `known` by someone who could open the artifact."""
    try:
        return is_authentic(stored, unwrap_with(known, keys, store.keys))
    except WrongKey:
        return False
