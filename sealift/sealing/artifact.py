"""Sealing and opening: the functions that callers need. The order of opening is the safety argument
(docs/reference/format-v1.md, "Opening").

sizes → unwrap → manifest MAC → pinned artifact id and digest in the manifest → segments, each hashed and decrypted in
one pass into private memory → the payload's digest → release. The MAC is also the key commitment that the payload
format lacks, so it is checked before the first segment. Encryption does not authenticate the sender: anyone with the
public key can seal a model, so the pins decide which artifact is opened.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sealift.sealing.errors import ArtifactCorrupt, ManifestInvalid, PinMismatch, WrongKey
from sealift.sealing.manifest import Manifest, make_manifest, parse_manifest
from sealift.sealing.memory import Buffer, private_memory
from sealift.sealing.plain_reader import PlainReader
from sealift.sealing.recipients.own_key import OwnKeyIdentity
from sealift.sealing.recipients.recipient import Identity, Recipient, Stanza
from sealift.sealing.segments import KEY_BYTES
from sealift.sealing.sources import ByteSource, Payload, Plaintext, as_source
from sealift.sealing.stream import PayloadInfo, open_stream, open_unreleased, seal_in_memory, seal_stream

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

    payload: memoryview


@dataclass(frozen=True, repr=False)
class OpenedArtifact:
    """The plain model, in memory and never on a disk, and the artifact's description."""

    model: memoryview
    description: dict[str, Any]


class UnnamedFile(Protocol):
    """A file that has no name before `create`, such as `sealift.durable.new_file.NewFile`."""

    def write(self, piece: Buffer, /) -> object:
        """Appends a piece."""

    def create(self) -> None:
        """Gives the file its name."""


@dataclass(frozen=True, repr=False)
class _Pinned:
    """What the pinned artifact's manifest says, after its MAC and its pins are checked."""

    data_key: bytes
    context: bytes
    payload_size: int
    description: dict[str, Any]


def new_artifact_id() -> str:
    """Returns a new artifact id: 32 random hex digits."""
    return secrets.token_hex(ID_BYTES)


def seal(
    model: Buffer | ByteSource,
    description: Mapping[str, Any],
    recipients: Sequence[Recipient],
    artifact_id: str | None = None,
) -> SealedArtifact:
    """Seals `model` under a fresh data key, wrapped for every recipient, into memory. Encrypts `description` (JSON)
    into the manifest."""
    source = as_source(model)
    if source is None:
        raise TypeError("model is a stream; use seal_into")
    payload = list[memoryview]()

    def seal_payload(data_key: bytes, associated_data: bytes) -> PayloadInfo:
        sealed, info = seal_in_memory(source, data_key, associated_data)
        payload.append(sealed)
        return info

    sealed = _seal(seal_payload, description, recipients, artifact_id)
    return SealedArtifact(**vars(sealed), payload=payload[0])


def seal_into(
    write: Callable[[Buffer], object],
    model: Plaintext,
    description: Mapping[str, Any],
    recipients: Sequence[Recipient],
    artifact_id: str | None = None,
) -> Sealed:
    """Seals like `seal`, with a few segments in memory. `model` may be a stream, or pieces of any sizes. Passes the
    payload to `write` in pieces, each valid during its call."""
    return _seal(lambda key, context: seal_stream(model, key, context, write), description, recipients, artifact_id)


def open_artifact(
    manifest: bytes,
    payload: Payload,
    key: Identity | bytes,
    *,
    artifact_id: str,
    payload_digest: str,
    memory: Callable[[int], memoryview] = private_memory,
) -> OpenedArtifact:
    """Opens exactly the pinned artifact. `key` is a recipient's identity or the artifact's own data key. `memory`
    returns memory of the requested size for the model, which is wiped after an error.

    Raises ManifestInvalid, WrongKey, PinMismatch or ArtifactCorrupt.
    """
    pinned = _open_manifest(manifest, payload, key, artifact_id, payload_digest)
    model = open_stream(
        payload, pinned.data_key, pinned.context, memory, payload_bytes=pinned.payload_size, digest=payload_digest
    )
    return OpenedArtifact(model, pinned.description)


def open_into(
    file: UnnamedFile,
    manifest: bytes,
    payload: Payload,
    key: Identity | bytes,
    *,
    artifact_id: str,
    payload_digest: str,
) -> dict[str, Any]:
    """Opens like `open_artifact`, into a file, with a few segments in memory. Returns the description.

    The file gets its name after the last segment and the digest are checked. Without that, the caller's file has no
    name, and its content is gone once it is closed.
    """
    pinned = _open_manifest(manifest, payload, key, artifact_id, payload_digest)
    open_unreleased(
        file.write,
        payload,
        pinned.data_key,
        pinned.context,
        payload_bytes=pinned.payload_size,
        digest=payload_digest,
    )
    file.create()
    return pinned.description


def open_reader(
    manifest: bytes,
    payload: Buffer | ByteSource,
    key: Identity | bytes,
    *,
    artifact_id: str,
    payload_digest: str,
) -> PlainReader:
    """Returns a seekable file of the plain model, which opens only the segments that are read. It does not check the
    payload's digest: see PlainReader.

    Raises ManifestInvalid, WrongKey, PinMismatch or ArtifactCorrupt.
    """
    pinned = _open_manifest(manifest, payload, key, artifact_id, payload_digest)
    source = as_source(payload)
    if source is None:
        raise TypeError("payload is a stream; use open_artifact")
    return PlainReader(source, pinned.data_key, pinned.context)


def open_range(
    manifest: bytes,
    payload: Buffer | ByteSource,
    key: Identity | bytes,
    start: int,
    size: int,
    *,
    artifact_id: str,
    payload_digest: str,
) -> memoryview:
    """Returns `size` bytes of the plain model from `start`, fewer at the end. Opens only their segments, and guarantees
    what a PlainReader does.

    Raises ManifestInvalid, WrongKey, PinMismatch or ArtifactCorrupt.
    """
    with open_reader(manifest, payload, key, artifact_id=artifact_id, payload_digest=payload_digest) as reader:
        return reader.read_range(start, size)


def describe(manifest: bytes, key: Identity) -> dict[str, Any]:
    """Returns the artifact's description; needs no payload. Raises ManifestInvalid, WrongKey or ArtifactCorrupt."""
    parsed = parse_manifest(manifest)
    return parsed.open_description(_data_key(parsed, key))


def unwrap(manifest: bytes, keys: Sequence[Identity], kek: bytes | None = None) -> bytes:
    """Returns the 32-byte data key, which opens this one artifact. `kek` is the artifact's own key, if it has one.
    Raises ManifestInvalid, or WrongKey if no key fits."""
    parsed = parse_manifest(manifest)
    for key in keys if kek is None else [OwnKeyIdentity(one, kek) for one in keys]:
        if _stanza_of(parsed, key) is not None:
            return _data_key(parsed, key)
    _refuse_without_own_key(parsed, kek)
    raise WrongKey(
        f"no given private key belongs to a recipient of artifact {parsed.artifact_id}",
        "use a private key whose public key is among the recipients",
    )


def rewrap(
    manifest: bytes, data_key: bytes, recipients: Sequence[Recipient], kept: Collection[str] = frozenset()
) -> bytes:
    """Returns the manifest with these recipients, and with the present ones whose key ids are in `kept`. The payload
    and its pins stay the same.

    This does not revoke access: whoever kept the old manifest and a key for it can still open the artifact. Raises
    ManifestInvalid.
    """
    if not recipients:
        raise ValueError("an artifact needs at least one recipient, otherwise nobody can open it")
    parsed = parse_manifest(manifest)
    checked = _data_key(parsed, data_key)
    wrapped = [recipient.wrap(checked) for recipient in recipients]
    own = {stanza.key_id for stanza in wrapped}
    others = [stanza for stanza in parsed.recipients if stanza.key_id in kept and stanza.key_id not in own]
    return parsed.for_recipients([*wrapped, *others], checked).encode()


def named_payload_digest(manifest: bytes) -> str:
    """Returns the payload digest that the manifest names, in hex. Raises ManifestInvalid."""
    return parse_manifest(manifest).payload_digest


def has_own_key(manifest: bytes) -> bool:
    """Whether private keys open the artifact only together with its own key-encryption key. Raises ManifestInvalid."""
    return parse_manifest(manifest).has_own_key


def is_authentic(manifest: bytes, data_key: bytes) -> bool:
    """Whether a holder of this data key wrote the manifest for the artifact that the key opens."""
    try:
        return parse_manifest(manifest).is_authentic(data_key)
    except ManifestInvalid:
        return False


def recipient_ids(manifest: bytes) -> frozenset[str]:
    """Returns the key ids of the artifact's recipients. Raises ManifestInvalid."""
    return frozenset(stanza.key_id for stanza in parse_manifest(manifest).recipients)


def _seal(
    seal_payload: Callable[[bytes, bytes], PayloadInfo],
    description: Mapping[str, Any],
    recipients: Sequence[Recipient],
    artifact_id: str | None,
) -> Sealed:
    if not recipients:
        raise ValueError("an artifact needs at least one recipient, otherwise nobody can open it")
    artifact_id = artifact_id or new_artifact_id()
    data_key = secrets.token_bytes(KEY_BYTES)
    info = seal_payload(data_key, _associated_data(artifact_id))
    manifest = make_manifest(
        artifact_id=artifact_id,
        payload_digest=info.digest_hex,
        payload_size=info.size_bytes,
        recipients=[recipient.wrap(data_key) for recipient in recipients],
        description=description,
        data_key=data_key,
    )
    return Sealed(artifact_id, info.digest_hex, info.size_bytes, manifest.encode())


def _open_manifest(
    manifest: bytes, payload: Payload, key: Identity | bytes, artifact_id: str, payload_digest: str
) -> _Pinned:
    """Checks everything that needs no segment."""
    parsed = parse_manifest(manifest)
    source = as_source(payload)
    if source and source.size_bytes != parsed.payload_size:
        raise ArtifactCorrupt("the payload's size differs from the manifest's", "use both from the same artifact")
    data_key = _data_key(parsed, key)
    if (parsed.artifact_id, parsed.payload_digest) != (artifact_id, payload_digest):
        raise PinMismatch(
            f"artifact {parsed.artifact_id} is not the pinned artifact {artifact_id} with the pinned payload",
            "deploy the manifest and the payload that the stack pins",
        )
    description = parsed.open_description(data_key)
    return _Pinned(data_key, _associated_data(artifact_id), parsed.payload_size, description)


def _data_key(manifest: Manifest, key: Identity | bytes) -> bytes:
    if isinstance(key, bytes):
        if len(key) != KEY_BYTES or not manifest.is_authentic(key):
            raise ManifestInvalid("the manifest differs from what was sealed", "fetch it from the store again")
        return key
    stanza = _stanza_of(manifest, key)
    if stanza is None:
        _refuse_without_own_key(manifest, None)
        raise WrongKey(
            f"private key {key.key_id[:16]}… does not belong to a recipient of this artifact",
            "use a private key whose public key is among the recipients",
        )
    return _data_key(manifest, key.unwrap(stanza))


def _refuse_without_own_key(manifest: Manifest, kek: bytes | None) -> None:
    if kek is None and manifest.has_own_key:
        raise WrongKey(
            f"artifact {manifest.artifact_id} has a key-encryption key of its own, and no private key opens it alone",
            "use its data key, or open it with the store of keys that it was sealed with",
        )


def _stanza_of(manifest: Manifest, key: Identity) -> Stanza | None:
    """The stanza that this key unwraps. Unknown kinds may wrap to the same key in another way."""
    mine = (stanza for stanza in manifest.recipients if stanza.kind in key.kinds and stanza.key_id == key.key_id)
    return next(mine, None)


def _associated_data(artifact_id: str) -> bytes:
    return PAYLOAD_CONTEXT + bytes.fromhex(artifact_id)
