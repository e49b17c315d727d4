"""What holds for any bytes where an artifact or a record is: a right plaintext or our one error."""

import io
from collections.abc import Callable
from functools import cache
from typing import Final

from sealift.sealing import ArtifactCorrupt, ManifestInvalid, open_record, seal_record
from sealift.sealing.manifest import make_manifest, parse_manifest
from sealift.sealing.recipients.recipient import Stanza
from sealift.sealing.stream import open_stream, seal_stream
from training.checkpoint import decode
from training.errors import CheckpointError

KEY: Final = bytes(range(32))
CONTEXT: Final = b"fuzzing"
NAME: Final = "ab" * 32
PLAIN: Final = b"a small model"

__all__ = ["CHECKS", "SEEDS", "check_manifest", "check_payload", "check_record"]


def check_manifest(data: bytes) -> None:
    """Only canonical manifests parse, and they come out as they went in. No other MAC than ours is authentic."""
    try:
        parsed = parse_manifest(data)
    except ManifestInvalid:
        return
    assert parsed.encode() == data
    assert data == _manifest() or not parsed.is_authentic(KEY)


def check_payload(data: bytes) -> None:
    """No other bytes than the sealed ones open, from memory as from a stream."""
    for payload in (data, io.BytesIO(data)):
        try:
            opened = open_stream(payload, KEY, CONTEXT, payload_bytes=max(1, len(data)))
        except ArtifactCorrupt:
            assert data != _payload()
        else:
            assert data == _payload() and bytes(opened) == PLAIN


def check_record(data: bytes) -> None:
    """As ciphertext, and as the plaintext of somebody who has the record's key."""
    try:
        open_record(KEY, NAME, data)
    except ArtifactCorrupt:
        pass
    else:
        assert data == _record()
    try:
        decode(memoryview(data))
    except CheckpointError as error:
        assert str(error)


@cache
def _manifest() -> bytes:
    stanza = Stanza("HPKE-X25519-HKDF-SHA256-AES256-GCM", "cd" * 32, b"w" * 80)
    return make_manifest(
        artifact_id="ab" * 16, payload_digest="ef" * 32, payload_size=70, recipients=[stanza],
        description={"name": "x"}, data_key=KEY,
    ).encode()  # fmt: skip


@cache
def _payload() -> bytes:
    pieces = list[bytes]()
    seal_stream(PLAIN, KEY, CONTEXT, lambda piece: pieces.append(bytes(piece)))
    return b"".join(pieces)


@cache
def _record() -> bytes:
    return bytes(seal_record(KEY, NAME, b'{"version": 5, "phase": "sealed", "sizes": [0]}\n'))


CHECKS: Final = {"manifest": check_manifest, "payload": check_payload, "record": check_record}
SEEDS: Final[dict[str, tuple[Callable[[], bytes], ...]]] = {
    "manifest": (_manifest, lambda: b"{}", lambda: b"[[[["),
    "payload": (_payload, lambda: _payload()[:-1], lambda: b"\x28" + bytes(60)),
    "record": (_record, lambda: b'{"version": 5, "phase": "sealed", "sizes": [0]}\n', lambda: b"{}\n"),
}
