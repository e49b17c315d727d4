"""Keys of signers as settings, and the comparison of a signature with the model that is served."""

from collections.abc import Iterator, Sequence
from typing import Final

from sealift.sealing import SealingError
from sealift.sealing.manifest import parse_manifest
from sealift.settings import Clash, Kind, Problem, Refused, RefusedInside
from sealift.signed_artifacts import signed_artifact
from sealift.signing import SignedArtifact, Signer, SigningError, SigningKey, verify

FORM: Final = "a list of ECDSA public keys on the curve P-256 or P-384, each in PEM"
NEEDS: Final = ("requireSignature", "manifest", "artifactId", "payloadDigest")


def _signers(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise Refused(f"allowed: {FORM}")
    if not value:  # whoever filters a list of signers does not mean that nobody has to sign
        raise Refused(f"allowed: {FORM}, at least one", "to require no signature, do not set it")
    problems = []
    for index, key in enumerate(value):
        try:
            Signer(str(key))
        except SigningError as error:  # not quoted: it may be a private key
            problems.append(Problem(f"[{index}]", f"is not usable: {error.message}; {error.hint}"))
    if problems:
        raise RefusedInside(*problems)
    return tuple(map(str, value))


def _signing_key(value: object) -> str:
    """Never quotes the value: it is secret, or was meant to be."""
    try:
        SigningKey(value if isinstance(value, str) else "")
    except SigningError as error:
        raise RefusedInside(Problem("", f"is not usable: {error.message}; {error.hint}")) from None
    return str(value)


SIGNING_KEY: Final = Kind(
    "string", "an ECDSA private key on the curve P-256 or P-384, in PEM, unencrypted", _signing_key
)
SIGNERS: Final = Kind("array", FORM, _signers, "string")


def signature_clashes(
    signers: Sequence[str], signature: str | None, manifest: str, artifact_id: str, payload_digest: str
) -> Iterator[Clash]:
    """Yields a clash unless a trusted signer signed this artifact. Without signers, nothing is required."""
    if not signers:
        return
    if signature is None:
        message = f"is missing: artifact {artifact_id} is not signed, and requireSignature is set"
        hint = "sign it with `sealift sign ARTIFACT-ID --store URL --key signer.pem`, or set store.signingKey"
        yield Clash("signature", message, NEEDS, hint)
        return
    try:
        parsed = parse_manifest(manifest.encode())
        statement, _ = verify(signature.encode(), [Signer(key) for key in signers])
        statement.check(SignedArtifact(artifact_id, payload_digest, parsed.payload_size), None)
        statement.check(signed_artifact(parsed), None)
    except (SealingError, SigningError) as error:
        message = f"is not accepted for artifact {artifact_id}, because of requireSignature: {error.message}"
        yield Clash("signature", message, NEEDS, error.hint)
