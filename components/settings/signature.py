"""Settings of an ArtifactSignature."""

from dataclasses import dataclass

from components.settings.signers import SIGNING_KEY
from components.settings.store import STORE_URL
from sealift.settings import kinds, setting


@dataclass(frozen=True)
class ArtifactSignatureInputs:
    """Inputs of an ArtifactSignature resource."""

    store_url: str = setting(STORE_URL, "", "URL of the artifact's store.", required=True)
    artifact_id: str = setting(kinds.text, "", "Id of the artifact: TrainingRun's output `artifactId`.", required=True)
    payload_digest: str = setting(
        kinds.text,
        "",
        "Digest of the artifact's payload: TrainingRun's output `payloadDigest`. Another payload is not signed.",
        required=True,
    )
    signing_key: str = setting(
        SIGNING_KEY, "", "Private key that signs. Changing it signs the artifact again.", required=True, secret=True
    )
