"""The signature of the artifact that a stack serves: made by the stack, or found in the store."""

import asyncio
from typing import Any

import pulumi

from components.artifact_signature import ArtifactSignature
from sealift.stores import StoreError, get_signature, open_store


def run_signature(
    name: str, *, store_url: Any, artifact_id: Any, payload_digest: Any, signing_key: Any, required: bool
) -> pulumi.Output[Any] | None:
    """Returns the artifact's signature. With a signing key, the artifact is signed; otherwise a required signature is
    looked up in the store, where `sealift sign` puts it. The value is None if it is not there.
    """
    if signing_key is not None:
        args = {"storeUrl": store_url, "artifactId": artifact_id, "payloadDigest": payload_digest}
        return ArtifactSignature(name, {**args, "signingKey": signing_key}).signature  # type: ignore[typeddict-item]
    if not required:
        return None
    return pulumi.Output.all(store_url, artifact_id).apply(lambda known: asyncio.to_thread(_find, *known))


def _find(store_url: str, artifact_id: str) -> Any:
    try:
        found = get_signature(open_store(store_url), artifact_id)
    except StoreError as error:
        raise pulumi.RunError(f"the signature of artifact {artifact_id} cannot be read: {error}") from None
    return None if found is None else found.decode("utf-8", "replace")
