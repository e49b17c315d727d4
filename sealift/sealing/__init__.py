"""Sealed artifacts: a model encrypted to its recipients. Depends on no stores, on Pulumi or on torch.

artifact.py has everything that callers need to seal and open. It uses stream.py (the payload, made of segments.py),
plain_reader.py (a part of it), manifest.py and recipients/ (the kinds of keys). Bytes come from sources.py. record.py
encrypts a store's own notes. The format: docs/reference/format-v1.md.
"""

from sealift.sealing.artifact import (
    OpenedArtifact,
    Sealed,
    SealedArtifact,
    describe,
    has_own_key,
    is_authentic,
    named_payload_digest,
    new_artifact_id,
    open_artifact,
    open_into,
    open_range,
    open_reader,
    recipient_ids,
    rewrap,
    seal,
    seal_into,
    unwrap,
)
from sealift.sealing.data_key import data_key_text, parse_key
from sealift.sealing.errors import (
    ArtifactCorrupt,
    KeyUnavailable,
    ManifestInvalid,
    PinMismatch,
    SealingError,
    WrongKey,
)
from sealift.sealing.kms.parse import KMS_ADDRESS_FORM, is_in_kms
from sealift.sealing.plain_reader import PlainReader
from sealift.sealing.recipients.own_key import under_key
from sealift.sealing.recipients.parse import (
    KEY_ALGORITHMS,
    find_key_pair,
    generate_key_pair,
    identity_forms,
    parse_identity,
    parse_recipient,
    recipient_forms,
)
from sealift.sealing.recipients.recipient import Identity, KeyPair, Recipient
from sealift.sealing.recipients.rsa_oaep import RsaIdentity
from sealift.sealing.record import content_id, mask_key, open_record, record_key, seal_record
from sealift.sealing.sources import FileSource, RangeSource
from sealift.sealing.stream import payload_digest, stream_digest

__all__ = [
    "KEY_ALGORITHMS",
    "KMS_ADDRESS_FORM",
    "ArtifactCorrupt",
    "FileSource",
    "Identity",
    "KeyPair",
    "KeyUnavailable",
    "ManifestInvalid",
    "OpenedArtifact",
    "PinMismatch",
    "PlainReader",
    "RangeSource",
    "Recipient",
    "RsaIdentity",
    "Sealed",
    "SealedArtifact",
    "SealingError",
    "WrongKey",
    "content_id",
    "data_key_text",
    "describe",
    "find_key_pair",
    "generate_key_pair",
    "has_own_key",
    "identity_forms",
    "is_authentic",
    "is_in_kms",
    "mask_key",
    "named_payload_digest",
    "new_artifact_id",
    "open_artifact",
    "open_into",
    "open_range",
    "open_reader",
    "open_record",
    "parse_identity",
    "parse_key",
    "parse_recipient",
    "payload_digest",
    "recipient_forms",
    "recipient_ids",
    "record_key",
    "rewrap",
    "seal",
    "seal_into",
    "seal_record",
    "stream_digest",
    "under_key",
    "unwrap",
]
