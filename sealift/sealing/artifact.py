"""Sealing and opening: the functions that callers need. The order of opening is the safety argument
(docs/reference/format-v1.md, "Opening").

sizes → unwrap → manifest MAC → pinned artifact id and payload digest → segments. The MAC is also the key commitment
that the payload format lacks, so it is checked before the first segment. Encryption does not
authenticate the sender: anyone with the public key can seal a model, so the pins decide which artifact is opened.
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
    """A payload's id, digest and size in bytes, and its manifest."""

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
    """The plain model, in memory and never on a disk, and the artifact's description."""

    model: memoryview
    description: dict[str, Any]


def new_artifact_id() -> str:
    """Returns a new artifact id: 32 random hex digits."""
    return secrets.token_hex(ID_BYTES)


def seal(
    model: Buffer, description: Mapping[str, Any], recipients: Sequence[Recipient], artifact_id: str | None = None
) -> SealedArtifact:
    """Seals `model` under a fresh data key, wrapped for every recipient. Encrypts `description` (JSON) into the
    manifest."""
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
    """Seals like `seal`, but passes the payload to `write` in pieces instead of holding it in memory."""
    if not recipients:
        raise ValueError("an artifact needs at least one recipient, otherwise nobody can open it")
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
    """Opens exactly the pinned artifact. `key` is a recipient's identity or the artifact's own data key. `memory`
    returns memory of the requested size for the model. `passed` is called with each part of the payload after it is
    read: twice per part, once for the digest and once for decryption.

    Raises ManifestInvalid, WrongKey, PinMismatch or ArtifactCorrupt.
    """
    parsed = parse_manifest(manifest)
    if memoryview(payload).nbytes != parsed.payload_size:
        raise ArtifactCorrupt("the payload's size differs from the manifest's", "use both from the same artifact")
    data_key = _data_key(parsed, key)
    if (parsed.artifact_id, parsed.payload_digest) != (artifact_id, payload_digest):
        raise PinMismatch(
            f"artifact {parsed.artifact_id} is not the pinned artifact {artifact_id} with the pinned payload",
            "deploy the manifest and the payload that the stack pins",
        )
    if payload_digest_of(payload, passed) != parsed.payload_digest:
        raise ArtifactCorrupt(
            "the payload's digest differs from the manifest's", "fetch the payload from the store again"
        )
    model = open_stream(payload, data_key, _associated_data(artifact_id), memory, passed)
    return OpenedArtifact(model, parsed.open_description(data_key))


def describe(manifest: bytes, key: Identity) -> dict[str, Any]:
    """Returns the artifact's description; needs no payload. Raises ManifestInvalid, WrongKey or ArtifactCorrupt."""
    parsed = parse_manifest(manifest)
    return parsed.open_description(_data_key(parsed, key))


def unwrap(manifest: bytes, keys: Sequence[Identity]) -> bytes:
    """Returns the 32-byte data key, which opens this one artifact. Raises ManifestInvalid, or WrongKey if no key
    fits."""
    parsed = parse_manifest(manifest)
    for key in keys:
        if _stanza_of(parsed, key) is not None:
            return _data_key(parsed, key)
    raise WrongKey(
        f"no given private key belongs to a recipient of artifact {parsed.artifact_id}",
        "use a private key whose public key is among the recipients",
    )


def rewrap(manifest: bytes, data_key: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Returns the manifest with these recipients instead. The payload and its pins stay the same.

    This does not revoke access: whoever kept the old manifest and a key for it can still open the artifact. Raises
    ManifestInvalid.
    """
    if not recipients:
        raise ValueError("an artifact needs at least one recipient, otherwise nobody can open it")
    parsed = parse_manifest(manifest)
    checked = _data_key(parsed, data_key)
    return parsed.for_recipients([recipient.wrap(checked) for recipient in recipients], checked).encode()


def named_payload_digest(manifest: bytes) -> str:
    """Returns the payload digest that the manifest names, in hex. Raises ManifestInvalid."""
    return parse_manifest(manifest).payload_digest


def is_authentic(manifest: bytes, data_key: bytes) -> bool:
    """Whether a holder of this data key wrote the manifest for the artifact that the key opens."""
    try:
        return parse_manifest(manifest).is_authentic(data_key)
    except ManifestInvalid:
        return False


def recipient_ids(manifest: bytes) -> frozenset[str]:
    """Returns the key ids of the artifact's recipients. Raises ManifestInvalid."""
    return frozenset(stanza.key_id for stanza in parse_manifest(manifest).recipients)


def _data_key(manifest: Manifest, key: Identity | bytes) -> bytes:
    if isinstance(key, bytes):
        if len(key) != KEY_BYTES or not manifest.is_authentic(key):
            raise ManifestInvalid("the manifest differs from what was sealed", "fetch it from the store again")
        return key
    stanza = _stanza_of(manifest, key)
    if stanza is None:
        raise WrongKey(
            f"private key {key.key_id[:16]}… does not belong to a recipient of this artifact",
            "use a private key whose public key is among the recipients",
        )
    return _data_key(manifest, key.unwrap(stanza))


def _stanza_of(manifest: Manifest, key: Identity) -> Stanza | None:
    """The stanza that this key unwraps. Unknown kinds may wrap to the same key in another way."""
    mine = (stanza for stanza in manifest.recipients if (stanza.kind, stanza.key_id) == (key.kind, key.key_id))
    return next(mine, None)


def _associated_data(artifact_id: str) -> bytes:
    return PAYLOAD_CONTEXT + bytes.fromhex(artifact_id)
