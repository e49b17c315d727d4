"""Change of a sealed artifact's recipients: its key is wrapped again in the manifest, and the payload stays the same.

A rotated key therefore trains nothing, builds nothing and changes no digest that a Deployment pins.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from sealift.sealing import Identity, Recipient, WrongKey, is_authentic, recipient_ids, rewrap, unwrap
from sealift.stores import MANIFESTS, Conflict, Store
from sealift.stores.artifacts import MANIFEST_BYTES

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
    try:
        data_key = unwrap(manifest, keys)
    except WrongKey:
        return manifest if recipient_ids(manifest) == wanted else None
    while True:
        stored = store.read(MANIFESTS, artifact_id, MANIFEST_BYTES)
        latest = stored.content if is_authentic(stored.content, data_key) else manifest
        kept = set(filter(keep, recipient_ids(latest)))
        if latest == stored.content and recipient_ids(latest) == wanted | kept:
            return latest
        wrapped = rewrap(latest, data_key, recipients, kept)
        with suppress(Conflict):  # another resource has just wrapped it: read its manifest
            store.swap(MANIFESTS, artifact_id, wrapped, stored.version)
            return wrapped


def is_made_of(stored: bytes, known: bytes, keys: Sequence[Identity]) -> bool:
    """Whether the manifest `stored` was made from `known` by someone who could open the artifact."""
    try:
        return is_authentic(stored, unwrap(known, keys))
    except WrongKey:
        return False
