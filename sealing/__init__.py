"""Sealed artifacts: a model encrypted to whoever may open it, and the stores that hold it. No Pulumi, no torch.

artifact.py is all that others call to seal and open, over stream.py (the payload), manifest.py and recipients.py (who
can open); store.py says what a store does and file_store.py is the local one; record.py is for a store's own
encrypted notes. The format is in docs/format-v1.md.
"""

from sealing.artifact import (
    OpenedArtifact,
    SealedArtifact,
    describe,
    is_authentic,
    new_artifact_id,
    open_artifact,
    recipient_ids,
    rewrap,
    seal,
    unwrap,
)
from sealing.errors import (
    ArtifactCorrupt,
    ArtifactMissing,
    ManifestInvalid,
    PinMismatch,
    SealingError,
    StoreUnwritable,
    StoreUrlInvalid,
    WrongKey,
)
from sealing.recipients import PrivateKey, PublicKey
from sealing.record import content_id, mask_key, open_record, record_key, seal_record
from sealing.store import ArtifactStore, absolute_url, is_same_store, open_store
from sealing.stream import payload_digest

__all__ = [
    "ArtifactCorrupt",
    "ArtifactMissing",
    "ArtifactStore",
    "ManifestInvalid",
    "OpenedArtifact",
    "PinMismatch",
    "PrivateKey",
    "PublicKey",
    "SealedArtifact",
    "SealingError",
    "StoreUnwritable",
    "StoreUrlInvalid",
    "WrongKey",
    "absolute_url",
    "content_id",
    "describe",
    "is_authentic",
    "is_same_store",
    "mask_key",
    "new_artifact_id",
    "open_artifact",
    "open_record",
    "open_store",
    "payload_digest",
    "recipient_ids",
    "record_key",
    "rewrap",
    "seal",
    "seal_record",
    "unwrap",
]
