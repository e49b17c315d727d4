"""Who can open an artifact that is sealed already: its key is wrapped anew in the manifest, the payload stays.

So a rotated key trains nothing, builds nothing and changes no digest that a Deployment pins.
"""

from collections.abc import Sequence
from contextlib import suppress

from sealift.sealing import Identity, Recipient, WrongKey, is_authentic, recipient_ids, rewrap, unwrap
from sealift.stores import MANIFESTS, Conflict, Store
from sealift.stores.artifacts import MANIFEST_BYTES


def wrap_for(
    store: Store,
    artifact_id: str,
    manifest: bytes,
    keys: Sequence[Identity],
    recipients: Sequence[Recipient],
) -> bytes | None:
    """The artifact's manifest for exactly these recipients, as the store then has it; None if no key can make it so.

    `manifest` is the one that the caller knows; one that another resource has made of it meanwhile is taken over.
    Raises ManifestInvalid if it is not what was sealed, and the store's errors.
    """
    wanted = {recipient.key_id for recipient in recipients}
    try:
        data_key = unwrap(manifest, keys)
    except WrongKey:
        return manifest if recipient_ids(manifest) == wanted else None
    while True:
        stored = store.read(MANIFESTS, artifact_id, MANIFEST_BYTES)
        if is_authentic(stored.content, data_key) and recipient_ids(stored.content) == wanted:
            return stored.content
        wrapped = rewrap(manifest, data_key, recipients)
        with suppress(Conflict):  # another resource has wrapped it just now: see what it made
            store.swap(MANIFESTS, artifact_id, wrapped, stored.version)
            return wrapped


def is_made_of(stored: bytes, known: bytes, keys: Sequence[Identity]) -> bool:
    """Whether the manifest `stored` was made of `known` by one who could open the artifact."""
    try:
        return is_authentic(stored, unwrap(known, keys))
    except WrongKey:
        return False
