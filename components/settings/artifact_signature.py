"""Settings of an ArtifactSignature, and the kinds of signers' keys."""

from dataclasses import dataclass
from typing import Final

from components.settings.server import ARTIFACT_ID, PAYLOAD_DIGEST
from components.settings.store import STORE_URL
from sealift.settings import Kind, Problem, RefusedInside, setting
from sealift.signing import SigningError, SigningKey


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


@dataclass(frozen=True)
class ArtifactSignatureInputs:
    """Inputs of an ArtifactSignature resource."""

    store_url: str = setting(STORE_URL, "", "URL of the store that has the artifact.", required=True)
    artifact_id: str = setting(ARTIFACT_ID, "", "Id of the artifact to sign.", required=True)
    payload_digest: str = setting(
        PAYLOAD_DIGEST,
        "",
        "Payload digest of the artifact. An artifact with another payload is not signed.",
        required=True,
    )
    signing_key: str = setting(
        SIGNING_KEY,
        "",
        "Private key of the signer. Make one with `sealift keygen --signing -o signer.pem`. The state keeps it as a "
        "secret.",
        required=True,
        secret=True,
    )
