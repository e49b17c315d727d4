"""Settings of an ArtifactSignature."""

from dataclasses import dataclass

from components.settings.server import ARTIFACT_ID, PAYLOAD_DIGEST
from components.settings.signers import SIGNING_KEY
from components.settings.store import STORE_URL
from sealift.settings import setting


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
