"""The manifest: the plain-text fields that opening a payload needs, and one encrypted blob that describes the model.

Canonical JSON: sorted keys, no spaces, ASCII. Parsing refuses unknown fields, duplicate keys, other versions and
anything over the limits, before it allocates memory by what the bytes say. Each kind of recipient defines the content
of its stanzas; a manifest may contain stanzas of unknown kinds. See docs/reference/format-v1.md, "Manifest".
"""

import base64
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealift.sealing.errors import ArtifactCorrupt, ManifestInvalid
from sealift.sealing.recipients.own_key import is_under_key
from sealift.sealing.recipients.recipient import Stanza

VERSION: Final = 1
MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 4
MAX_RECIPIENTS: Final = 64
MAX_WRAPPED_BYTES: Final = 1 << 13  # a KMS returns up to 6 KiB
NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
NONCE_BYTES: Final = 12
MAC_INFO: Final = b"sealift/v1/manifest-mac\0"
DESCRIPTION_INFO: Final = b"sealift/v1/description\0"
FIELDS: Final = {"artifactId", "description", "mac", "payloadDigest", "payloadSize", "recipients", "version"}
STANZA_FIELDS: Final = {"keyId", "kind", "wrappedKey"}
KIND: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", re.ASCII)
HEX_16: Final = re.compile(r"[0-9a-f]{32}\Z")
HEX_32: Final = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Manifest:
    """One artifact's manifest. `description` is a nonce and AES-256-GCM ciphertext; `mac` covers all other fields."""

    artifact_id: str
    payload_digest: str
    payload_size: int
    recipients: tuple[Stanza, ...]
    description: bytes
    mac: bytes

    def encode(self) -> bytes:
        """Returns the manifest as canonical JSON."""
        return _canonical(self._fields() | {"mac": _base64(self.mac)})

    def is_authentic(self, data_key: bytes) -> bool:
        """Whether the MAC matches, in constant time: a holder of the data key wrote this manifest."""
        return hmac.compare_digest(self.mac, _mac(data_key, self.artifact_id, self._fields()))

    @property
    def has_own_key(self) -> bool:
        """Whether private keys open the artifact only together with its own key-encryption key."""
        return is_under_key(self.recipients)

    def for_recipients(self, recipients: Sequence[Stanza], data_key: bytes) -> "Manifest":
        """Returns the manifest with these recipients instead, authenticated."""
        if self.has_own_key and not all(is_under_key([stanza]) for stanza in recipients):
            raise AssertionError("internal error: a recipient that does not need the artifact's own key")
        bare = replace(self, recipients=tuple(recipients), mac=b"")
        return replace(bare, mac=_mac(data_key, self.artifact_id, bare._fields()))

    def open_description(self, data_key: bytes) -> dict[str, Any]:
        """Decrypts the artifact's description. Raises ArtifactCorrupt."""
        aead = AESGCM(_derive(data_key, DESCRIPTION_INFO, self.artifact_id))
        try:
            plain = aead.decrypt(self.description[:NONCE_BYTES], self.description[NONCE_BYTES:], None)
        except InvalidTag:
            raise ArtifactCorrupt("the manifest's description differs from what was sealed") from None
        try:
            opened = json.loads(plain)
        except (ValueError, RecursionError):
            raise ArtifactCorrupt("the manifest's description is not JSON") from None
        if not isinstance(opened, dict):
            raise ArtifactCorrupt("the manifest's description is not a JSON object")
        return opened

    def _fields(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "artifactId": self.artifact_id,
            "payloadDigest": self.payload_digest,
            "payloadSize": self.payload_size,
            "recipients": [
                {"kind": stanza.kind, "keyId": stanza.key_id, "wrappedKey": _base64(stanza.wrapped_key)}
                for stanza in self.recipients
            ],
            "description": _base64(self.description),
        }


def make_manifest(
    *,
    artifact_id: str,
    payload_digest: str,
    payload_size: int,
    recipients: Sequence[Stanza],
    description: Mapping[str, Any],
    data_key: bytes,
) -> Manifest:
    """Encrypts the description and authenticates the manifest. Raises ManifestInvalid if it exceeds a limit."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    aead = AESGCM(_derive(data_key, DESCRIPTION_INFO, artifact_id))
    blob = nonce + aead.encrypt(nonce, _canonical(description), None)
    made = Manifest(artifact_id, payload_digest, payload_size, (), blob, b"").for_recipients(recipients, data_key)
    parse_manifest(made.encode())
    return made


def parse_manifest(encoded: bytes) -> Manifest:
    """Parses a manifest without authenticating it. Raises ManifestInvalid."""
    if len(encoded) > MAX_BYTES:
        raise ManifestInvalid(f"the manifest exceeds the limit of {MAX_BYTES} bytes")
    if _depth(encoded) > MAX_DEPTH:
        raise ManifestInvalid(f"the manifest is nested deeper than {MAX_DEPTH} levels")
    try:
        fields = json.loads(encoded, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ManifestInvalid("the manifest is not valid JSON, or has duplicate keys") from None
    if not isinstance(fields, dict) or fields.keys() != FIELDS:
        raise ManifestInvalid(f"the manifest must have exactly the fields {', '.join(sorted(FIELDS))}")
    if type(fields["version"]) is not int or fields["version"] != VERSION:
        raise ManifestInvalid(
            f"the manifest's version is not {VERSION}",
            "use the release of Sealift that wrote it, or a newer one",
        )
    size = fields["payloadSize"]
    if type(size) is not int or not 0 < size < 1 << 52:
        raise ManifestInvalid("the manifest's payloadSize is not a valid size in bytes")
    manifest = Manifest(
        artifact_id=_hex(fields, "artifactId", HEX_16),
        payload_digest=_hex(fields, "payloadDigest", HEX_32),
        payload_size=size,
        recipients=_stanzas(fields["recipients"]),
        description=_bytes(fields, "description", minimum=NONCE_BYTES + 16),
        mac=_bytes(fields, "mac", minimum=32, maximum=32),
    )
    if manifest.encode() != encoded:
        raise ManifestInvalid("the manifest is not in canonical form")
    return manifest


def _stanzas(value: object) -> tuple[Stanza, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_RECIPIENTS:
        raise ManifestInvalid(f"the manifest must have 1 to {MAX_RECIPIENTS} recipients")
    stanzas = []
    for fields in value:
        if not isinstance(fields, dict) or fields.keys() != STANZA_FIELDS:
            raise ManifestInvalid(f"a recipient must have exactly the fields {', '.join(sorted(STANZA_FIELDS))}")
        kind = fields["kind"]
        if not isinstance(kind, str) or not KIND.match(kind):
            raise ManifestInvalid("a recipient's kind must be 1 to 64 letters, digits, '.', '_' and '-'")
        wrapped = _bytes(fields, "wrappedKey", minimum=1, maximum=MAX_WRAPPED_BYTES)
        stanzas.append(Stanza(kind, _hex(fields, "keyId", HEX_32), wrapped))
    if len({is_under_key([stanza]) for stanza in stanzas}) > 1:
        raise ManifestInvalid("some of the manifest's recipients need the artifact's own key, and others do not")
    return tuple(stanzas)


def _hex(fields: Mapping[str, object], name: str, form: "re.Pattern[str]") -> str:
    value = fields[name]
    if not isinstance(value, str) or not form.match(value):
        raise ManifestInvalid(f"the manifest's {name} must be lower-case hex of the right length")
    return value


def _bytes(fields: Mapping[str, object], name: str, *, minimum: int, maximum: int = MAX_BYTES) -> bytes:
    value = fields[name]
    try:
        decoded = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:  # no base64, or not even ASCII
        decoded = b""
    if not minimum <= len(decoded) <= maximum:
        raise ManifestInvalid(f"the manifest's {name} must be base64 of the right length")
    return decoded


def _depth(encoded: bytes) -> int:
    """Returns the depth of nested brackets, counted before the parser allocates anything. Brackets in strings count
    too, which only makes the limit stricter.
    """
    depth = deepest = 0
    for bracket in encoded.translate(None, NO_BRACKETS):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("duplicate key")
    return fields


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _mac(data_key: bytes, artifact_id: str, fields: Mapping[str, Any]) -> bytes:
    return hmac.digest(_derive(data_key, MAC_INFO, artifact_id), _canonical(fields), "sha256")


def _derive(data_key: bytes, info: bytes, artifact_id: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, info + bytes.fromhex(artifact_id)).derive(data_key)


def _canonical(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
