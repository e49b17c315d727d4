"""`sealift:index:ArtifactSignature`: the signature of an artifact in a store, by a key of the user's.

The payload is read and compared before it is signed. The signature stays in the store when the resource is deleted: it
goes with its artifact.
"""

import asyncio
from typing import Final

from components.plugin import validation
from components.plugin.training_inputs import find_changed, find_store
from components.settings.signature import ArtifactSignatureInputs
from sealift.artifact_signatures import sign_stored
from sealift.provider import (
    UNKNOWN,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    Operation,
    Properties,
    ReadRequest,
    ReadResponse,
    Secret,
    UpdateRequest,
    UpdateResponse,
    detail_diff,
    reveal,
)
from sealift.sealing.manifest import parse_manifest
from sealift.signing import SignedArtifact, SigningKey
from sealift.stores import ArtifactDamaged, get_manifest, get_signature, put_signature

REPLACES: Final = {"storeUrl", "artifactId", "payloadDigest"}
OUTPUTS: Final = ("signature", "signer", "signerKeyId")


class ArtifactSignatureResource:
    """Signature of one artifact. Another artifact is another signature; another key signs the same artifact again."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Checks all inputs at once. Unknown inputs are checked by the update. The key is always a secret."""
        checked = validation.check(ArtifactSignatureInputs, request.new_inputs, "an ArtifactSignature")
        key = checked.inputs.get("signingKey")
        if isinstance(key, str):
            checked.inputs["signingKey"] = Secret(key)
        return checked

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Compares the inputs."""
        return DiffResponse(detail_diff(find_changed(request.old_inputs, request.new_inputs), replaces=REPLACES))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Signs the artifact. In a preview the signature is unknown. Raises StoreError."""
        if request.preview:
            return CreateResponse("", request.inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        state = await _sign(request, request.inputs)
        return CreateResponse(str(reveal(request.inputs["artifactId"])), state)

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Signs the artifact again, with another key. Raises StoreError."""
        if request.preview:
            return UpdateResponse(request.new_inputs | dict.fromkeys(OUTPUTS, UNKNOWN))
        return UpdateResponse(await _sign(request, request.new_inputs))

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """Returns the state, or None if the store has another signature or none: the next update then signs again.

        Raises PluginError on import, and StoreError.
        """
        if "signature" not in request.state:
            raise validation.refuse_import("an ArtifactSignature", request.id)
        stored = await asyncio.to_thread(get_signature, find_store(request.inputs), request.id)
        if stored != str(reveal(request.state["signature"])).encode():
            return None
        return ReadResponse(request.inputs, request.state)

    async def delete(self, request: DeleteRequest) -> None:
        """Does nothing: the signature goes with its artifact."""


async def _sign(operation: Operation, inputs: Properties) -> Properties:
    await operation.log.status("signing the artifact")
    key = SigningKey(str(reveal(inputs["signingKey"])))
    signature = await asyncio.to_thread(_sign_and_store, inputs, key)
    return inputs | {"signature": signature, "signer": key.signer.pem, "signerKeyId": key.signer.key_id}


def _sign_and_store(inputs: Properties, key: SigningKey) -> str:
    artifact_id, digest = (str(reveal(inputs[name])) for name in ("artifactId", "payloadDigest"))
    store = find_store(inputs)
    manifest = parse_manifest(get_manifest(store, artifact_id))
    if (manifest.artifact_id, manifest.payload_digest) != (artifact_id, digest):
        raise ArtifactDamaged(
            f"the manifest of artifact {artifact_id} names another payload than {digest}, so it is not signed",
            f"find out who can write to {store.location}",
        )
    signature = sign_stored(store, SignedArtifact(artifact_id, digest, manifest.payload_size), key)
    put_signature(store, artifact_id, signature)
    return signature.decode()
