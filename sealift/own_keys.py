"""Opening of artifacts that may have a key-encryption key of their own: the manifest tells, and
the store of keys has it.

Whoever opens an artifact with private keys does it through here. An artifact's data key opens it without the store of
keys.
"""

from collections.abc import Sequence
from contextlib import suppress

from sealift.sealing import Identity, ManifestInvalid, has_own_key, unwrap
from sealift.sealing.manifest import parse_manifest
from sealift.stores import ArtifactMissing, KeysUnusable, Store, check_destroyable, get_key, get_manifest, is_paired


def find_own_key(manifest: bytes, keys: Store | None) -> bytes | None:
    """Returns the artifact's own key from the store of keys, or None if it has none. Raises ManifestInvalid;
    ArtifactErased if it was erased; and KeysUnusable if it is not there for another reason.
    """
    return get_key(keys, parse_manifest(manifest).artifact_id) if has_own_key(manifest) else None


def check_erasable(store: Store, artifact_id: str, *, key_lost: bool = False) -> None:
    """Raises KeysUnusable if an erasure would miss the artifact's own key, because the store of keys is not given or is
    another one. The manifest alone is not believed: whoever can write to the store could have altered it.
    `key_lost`: no store of keys has the key any more.
    """
    with suppress(ArtifactMissing, ManifestInvalid):
        if has_own_key(get_manifest(store, artifact_id)) and not (key_lost and store.keys):
            check_destroyable(store.keys, artifact_id)
    if store.keys is None and is_paired(store):
        raise KeysUnusable(
            f"artifact {artifact_id} may have a key-encryption key of its own, because the store {store.location} was "
            "used with a store of keys, which is not given",
            "give the store of keys: store.keysUrl (in a program: keysUrl), or --keys URL",
        )


def unwrap_with(manifest: bytes, identities: Sequence[Identity], keys: Store | None) -> bytes:
    """Returns the artifact's data key. Raises what `find_own_key` raises, or WrongKey if no identity fits."""
    return unwrap(manifest, identities, find_own_key(manifest, keys))
