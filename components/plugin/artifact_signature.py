"""`sealift:index:ArtifactSignature`: the signature of an artifact in a store.

The signing key stays in this process and in the inputs, as a secret. The state has the signature and the public key.
A signature stays true: deleting the resource leaves it beside its artifact, with which it goes.
"""

import asyncio
from typing import Final

from components.plugin import validation
from components.settings.artifact_signature import ArtifactSignatureInputs
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
    PluginError,
    Properties,
    ReadRequest,
    ReadResponse,
    Secret,
    UpdateRequest,
    UpdateResponse,
    detail_diff,
    has_unknown,
    random_id,
    reveal,
)
from sealift.signed_artifacts import sign_stored
from sealift.signing import SigningKey
from sealift.stores import get_signature, open_store

KEY: Final = "signingKey"
REPLACES: Final = {"storeUrl", "artifactId"}


class ArtifactSignatureResource:
    """A signature that is made again when the key or the payload changes."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Checks all inputs at once, and hides the key. Unknown inputs are checked by the update."""
        checked = validation.check(ArtifactSignatureInputs, request.new_inputs, "an artifact's signature")
        if KEY in checked.inputs:
            checked.inputs[KEY] = Secret(reveal(checked.inputs[KEY]))
        return checked

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Compares the inputs. Another artifact or store is another resource; another key signs again."""
        changed = validation.find_changed(request.old_inputs, request.new_inputs)
        return DiffResponse(detail_diff(changed, replaces=REPLACES))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Signs the artifact. In a preview the signature is unknown."""
        return CreateResponse(random_id(request), await _sign(request, request.inputs))

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Signs the artifact again."""
        return UpdateResponse(await _sign(request, request.new_inputs))

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """Returns None if the stored signature is missing or another one, so that the next update signs again.

        Raises PluginError on import.
        """
        if "signature" not in request.state:
            raise PluginError(
                f"an ArtifactSignature cannot be imported as {request.id!r}: signing needs the signing key",
                "let `pulumi up` sign the artifact",
            )
        url, artifact_id = (str(reveal(request.state[name])) for name in ("storeUrl", "artifactId"))
        stored = await asyncio.to_thread(lambda: get_signature(open_store(url), artifact_id))
        if stored != str(reveal(request.state["signature"])).encode():
            return None
        return ReadResponse(request.inputs, request.state)

    async def delete(self, request: DeleteRequest) -> None:
        """Does nothing: the signature goes with its artifact."""


async def _sign(operation: Operation, inputs: Properties) -> Properties:
    """Returns the state, without the signing key."""
    state = {name: value for name, value in inputs.items() if name != KEY}
    if has_unknown(inputs[KEY]):
        return state | {"signature": UNKNOWN, "publicKey": UNKNOWN, "keyId": UNKNOWN}
    key = SigningKey(str(reveal(inputs[KEY])))
    state |= {"publicKey": key.signer.pem, "keyId": key.signer.key_id}
    if operation.preview:
        return state | {"signature": UNKNOWN}
    url, artifact_id, digest = (str(reveal(inputs[name])) for name in ("storeUrl", "artifactId", "payloadDigest"))
    await operation.log.status(f"signing artifact {artifact_id}")
    signature = await asyncio.to_thread(lambda: sign_stored(open_store(url), artifact_id, digest, key))
    return state | {"signature": signature.decode()}
