"""What a signature states: the SHA-256 digest of one file, and of which artifact it is the payload.

An in-toto statement, version 1, with model-signing's predicate, version 1.0. The predicate lists files and their
digests. Ours has one more field, which model-signing's programs ignore: artifact id, payload digest and payload size.
With them a manifest alone shows whether its artifact is the signed one, without a byte of the payload.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sealift.signing.errors import SignatureInvalid, SignedOther
from sealift.signing.strict_json import as_object, only_one, read_object

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"
FIELD: Final = "sealift"
"""Name of our field in the predicate."""
SERIALIZATION: Final[Mapping[str, object]] = {
    "method": "files",
    "hash_type": "sha256",
    "allow_symlinks": False,
    "ignore_paths": [".git", ".gitattributes", ".github", ".gitignore"],
}
"""How model-signing hashes a folder unless it is asked for something else."""
DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
ARTIFACT_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
MAX_PAYLOAD_BYTES: Final = 1 << 52


@dataclass(frozen=True)
class SignedArtifact:
    """The artifact that a statement names: the fields of its manifest that determine the payload."""

    artifact_id: str
    payload_digest: str
    payload_size: int


@dataclass(frozen=True)
class SignedFile:
    """What a statement says. `artifact` is None if another program than Sealift signed the payload's file."""

    name: str
    sha256: str
    artifact: SignedArtifact | None

    def encode(self) -> bytes:
        """Returns the statement, as canonical JSON."""
        predicate: dict[str, object] = {
            "serialization": SERIALIZATION,
            "resources": [{"name": self.name, "algorithm": "sha256", "digest": self.sha256}],
        }
        if self.artifact is not None:
            predicate[FIELD] = {
                "artifactId": self.artifact.artifact_id, "payloadDigest": self.artifact.payload_digest,
                "payloadSize": self.artifact.payload_size,
            }  # fmt: skip
        model = self.artifact.artifact_id if self.artifact is not None else self.name
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": model, "digest": {"sha256": _root_digest(self.sha256)}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
        return json.dumps(statement, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")

    def check(self, artifact: SignedArtifact, payload_sha256: str | None) -> None:
        """Raises SignedOther unless this artifact is the signed one.

        `payload_sha256` is of the payload's file, or None where the payload is not read: then only a statement that
        names the artifact shows that.
        """
        if self.artifact is None and payload_sha256 is None:
            raise SignedOther(
                "the signature names the payload's file, but not the artifact",
                "`sealift verify --signer` reads the payload and compares it; `sealift sign` makes a signature that "
                "names the artifact",
            )
        if self.artifact not in (None, artifact) or payload_sha256 not in (None, self.sha256):
            raise SignedOther(
                f"the signature is of another payload than that of artifact {artifact.artifact_id}",
                "find out who replaced the signature or the artifact",
            )


def parse_statement(content: bytes) -> SignedFile:
    """Parses a signed statement. Raises SignatureInvalid."""
    fields = read_object(content, "the signed statement")
    for name, expected in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if fields.get(name) != expected:
            raise SignatureInvalid(f"the signed statement's {name} is not {expected}")
    predicate = as_object(fields.get("predicate"), "predicate")
    serialization = as_object(predicate.get("serialization"), "predicate.serialization")
    if (serialization.get("method"), serialization.get("hash_type")) != ("files", "sha256"):
        raise SignatureInvalid(
            "the signature was not made over whole files with SHA-256", "sign with the method files and the hash sha256"
        )
    resource = only_one(predicate.get("resources"), "predicate.resources")
    path = resource.get("name")
    if not isinstance(path, str) or resource.get("algorithm") != "sha256":
        raise SignatureInvalid("predicate.resources[0] has no name, or its algorithm is not sha256")
    sha256 = _match(resource, "digest", DIGEST, "predicate.resources[0]")
    subject = only_one(fields.get("subject"), "subject")
    root = _match(as_object(subject.get("digest"), "subject[0].digest"), "sha256", DIGEST, "subject[0].digest")
    if root != _root_digest(sha256):
        raise SignatureInvalid("the signed statement contradicts itself: its subject is not the digest of its files")
    return SignedFile(path, sha256, _artifact(predicate[FIELD]) if FIELD in predicate else None)


def _artifact(value: object) -> SignedArtifact:
    place = f"predicate.{FIELD}"
    fields = as_object(value, place)
    size = fields.get("payloadSize")
    if type(size) is not int or not 0 < size < MAX_PAYLOAD_BYTES:
        raise SignatureInvalid(f"{place}.payloadSize is not a valid size in bytes")
    digest = _match(fields, "payloadDigest", DIGEST, place)
    return SignedArtifact(_match(fields, "artifactId", ARTIFACT_ID, place), digest, size)


def _match(fields: Mapping[str, Any], name: str, form: "re.Pattern[str]", place: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not form.match(value):
        raise SignatureInvalid(f"{place}.{name} is not lower-case hex of the right length")
    return value


def _root_digest(sha256: str) -> str:
    """Digest of a model that is one file: SHA-256 over the digests of its files."""
    return hashlib.sha256(bytes.fromhex(sha256)).hexdigest()
