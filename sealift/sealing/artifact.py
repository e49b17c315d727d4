"""Seal and open: all that others call. The order of opening is the safety argument (docs/format-v1.md, "Opening").

sizes → unwrap → manifest MAC → pinned artifact id and payload digest → segments. The MAC is also the key commitment
that the payload format lacks, so it is checked before the first segment. Confidential is not authentic: whoever has
the public key can seal a model of their own, so the pins decide which artifact is opened.
"""

import io
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sealift.sealing.errors import ArtifactCorrupt, ManifestInvalid, PinMismatch, WrongKey
from sealift.sealing.manifest import Manifest, make_manifest, parse_manifest
from sealift.sealing.recipients.recipient import Identity, Recipient, Stanza
from sealift.sealing.stream import KEY_BYTES, Buffer, do_nothing, open_stream, private_memory, seal_stream
from sealift.sealing.stream import payload_digest as payload_digest_of

ID_BYTES: Final = 16
PAYLOAD_CONTEXT: Final = b"sealift/v1\0"


@dataclass(frozen=True)
class Sealed:
    """What is told of a payload, and its manifest."""

    artifact_id: str
    payload_digest: str
    payload_size: int
    manifest: bytes


@dataclass(frozen=True)
class SealedArtifact(Sealed):
    """A payload and its manifest, ready for a store."""

    payload: bytes


@dataclass(frozen=True, repr=False)
class OpenedArtifact:
    """The plain model, in memory that is on no disk, and what the artifact says of itself."""

    model: memoryview
    description: dict[str, Any]


def new_artifact_id() -> str:
    """32 random hex digits."""
    return secrets.token_hex(ID_BYTES)


def seal(
    model: Buffer, description: Mapping[str, Any], recipients: Sequence[Recipient], artifact_id: str | None = None
) -> SealedArtifact:
    """Seals `model` under a fresh data key for every recipient; `description` (JSON) is encrypted into the manifest."""
    payload = io.BytesIO()
    sealed = seal_into(payload.write, model, description, recipients, artifact_id)
    return SealedArtifact(**vars(sealed), payload=payload.getvalue())


def seal_into(
    write: Callable[[Buffer], object],
    model: Buffer,
    description: Mapping[str, Any],
    recipients: Sequence[Recipient],
    artifact_id: str | None = None,
) -> Sealed:
    """As `seal`, with the payload passed to `write` in pieces: it is not held in memory."""
    if not recipients:
        raise ValueError("an artifact needs at least one recipient, or nobody can open it")
    artifact_id = artifact_id or new_artifact_id()
    data_key = secrets.token_bytes(KEY_BYTES)
    info = seal_stream(model, data_key, _associated_data(artifact_id), write)
    manifest = make_manifest(
        artifact_id=artifact_id,
        payload_digest=info.digest_hex,
        payload_size=info.size_bytes,
        recipients=[recipient.wrap(data_key) for recipient in recipients],
        description=description,
        data_key=data_key,
    )
    return Sealed(artifact_id, info.digest_hex, info.size_bytes, manifest.encode())


def open_artifact(
    manifest: bytes,
    payload: Buffer,
    key: Identity | bytes,
    *,
    artifact_id: str,
    payload_digest: str,
    memory: Callable[[int], memoryview] = private_memory,
    passed: Callable[[slice], object] = do_nothing,
) -> OpenedArtifact:
    """The model of exactly the pinned artifact. `key`: a recipient's, or the artifact's own data key. `memory` gives
    so many bytes for the model. `passed` is told which part of the payload has been read: twice of each, for its
    digest and to be opened.

    Raises ManifestInvalid, WrongKey, PinMismatch or ArtifactCorrupt.
    """
    parsed = parse_manifest(manifest)
    if memoryview(payload).nbytes != parsed.payload_size:
        raise ArtifactCorrupt("the payload has not the size that the manifest says", "take both from the same artifact")
    data_key = _data_key(parsed, key)
    if (parsed.artifact_id, parsed.payload_digest) != (artifact_id, payload_digest):
        raise PinMismatch(
            f"this is artifact {parsed.artifact_id}, not the pinned artifact {artifact_id} with its payload",
            "deploy the manifest and the payload that the stack pins",
        )
    if payload_digest_of(payload, passed) != parsed.payload_digest:
        raise ArtifactCorrupt(
            "the payload's digest is not the one in its manifest", "take the payload from the store again"
        )
    model = open_stream(payload, data_key, _associated_data(artifact_id), memory, passed)
    return OpenedArtifact(model, parsed.open_description(data_key))


def describe(manifest: bytes, key: Identity) -> dict[str, Any]:
    """What the artifact says of itself, without its payload. Raises ManifestInvalid, WrongKey or ArtifactCorrupt."""
    parsed = parse_manifest(manifest)
    return parsed.open_description(_data_key(parsed, key))


def unwrap(manifest: bytes, keys: Sequence[Identity]) -> bytes:
    """The 32-byte data key, which opens this one artifact. Raises ManifestInvalid, or WrongKey if no key fits."""
    parsed = parse_manifest(manifest)
    for key in keys:
        if _stanza_of(parsed, key) is not None:
            return _data_key(parsed, key)
    recipients = f"{len(parsed.recipients)} recipients of artifact {parsed.artifact_id}"
    raise WrongKey(
        f"none of the {len(keys)} private keys is of the {recipients}",
        "use a key that it was sealed to",
    )


def rewrap(manifest: bytes, data_key: bytes, recipients: Sequence[Recipient]) -> bytes:
    """The manifest for these recipients instead; the payload and what is pinned of it stay.

    It does not revoke: whoever kept the manifest as it was, and a key of it, still opens the artifact. Raises
    ManifestInvalid.
    """
    if not recipients:
        raise ValueError("an artifact needs at least one recipient, or nobody can open it")
    parsed = parse_manifest(manifest)
    checked = _data_key(parsed, data_key)
    return parsed.for_recipients([recipient.wrap(checked) for recipient in recipients], checked).encode()


def named_payload_digest(manifest: bytes) -> str:
    """Of the payload that it says it goes with. Raises ManifestInvalid."""
    return parse_manifest(manifest).payload_digest


def is_authentic(manifest: bytes, data_key: bytes) -> bool:
    """Whether it is a manifest of the artifact that this data key opens, by one who had that key."""
    try:
        return parse_manifest(manifest).is_authentic(data_key)
    except ManifestInvalid:
        return False


def recipient_ids(manifest: bytes) -> frozenset[str]:
    """Key ids of those who can open the artifact. Raises ManifestInvalid."""
    return frozenset(stanza.key_id for stanza in parse_manifest(manifest).recipients)


def _data_key(manifest: Manifest, key: Identity | bytes) -> bytes:
    if isinstance(key, bytes):
        if len(key) != KEY_BYTES or not manifest.is_authentic(key):
            raise ManifestInvalid("the manifest is not the one that was sealed", "take it from the store again")
        return key
    stanza = _stanza_of(manifest, key)
    if stanza is None:
        raise WrongKey(
            f"private key {key.key_id[:16]}… is none of the {len(manifest.recipients)} recipients of this artifact",
            "use the key that it was sealed to",
        )
    return _data_key(manifest, key.unwrap(stanza))


def _stanza_of(manifest: Manifest, key: Identity) -> Stanza | None:
    """The one that this key unwraps. Kinds that are not known here may wrap to the same key in another way."""
    mine = (stanza for stanza in manifest.recipients if (stanza.kind, stanza.key_id) == (key.kind, key.key_id))
    return next(mine, None)


def _associated_data(artifact_id: str) -> bytes:
    return PAYLOAD_CONTEXT + bytes.fromhex(artifact_id)
