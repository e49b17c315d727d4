"""`ArtifactSignature`: the program's side of the resource that signs an artifact
(components/plugin/artifact_signature.py), and the signature that somebody else put into the store.
"""

import asyncio
from typing import Any

import pulumi

from components.args import ArtifactSignatureArgs
from components.plugin_resource import PluginResource
from sealift.durable import core_dumps
from sealift.stores import StoreError, get_signature, open_store


class ArtifactSignature(PluginResource):
    """Signature of an artifact in its store, in the format of OpenSSF's model-signing."""

    signature: pulumi.Output[str]
    """Signature: a Sigstore bundle, as JSON. Everybody may read it."""
    signer: pulumi.Output[str]
    """Public key of the signer, in PEM, for `requireSignature`."""
    signer_key_id: pulumi.Output[str]
    """Id of the signer's key, 64 hex digits."""

    def __init__(
        self, resource_name: str, args: ArtifactSignatureArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """The plugin's check validates `args`."""
        core_dumps.forbid()  # the program gets the key too
        given: dict[str, Any] = {**args, "signingKey": pulumi.Output.secret(args["signingKey"])}
        super().__init__("ArtifactSignature", resource_name, given, [], opts)


def find_signature(store_url: pulumi.Input[str], artifact_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Returns the signature that the store has of an artifact, or "" if it has none. Warns in a preview that cannot
    know. Raises pulumi.RunError.
    """
    known = pulumi.Output.all(store_url, artifact_id)
    known.apply(_warn_of_unknown, run_with_unknowns=True)
    return known.apply(lambda pair: asyncio.to_thread(_read, *pair))


def _warn_of_unknown(pair: list[str]) -> None:
    if pulumi.contains_unknowns(pair):
        pulumi.log.warn(
            "requireSignature is set, and this update makes a new artifact, which nobody has signed: it will stop "
            "before the server changes; sign the artifact with `sealift sign` and run `pulumi up` again, or let the "
            "stack sign it: store.signingKey"
        )


def _read(url: str, artifact_id: str) -> str:
    try:
        return (get_signature(open_store(url), artifact_id) or b"").decode("ascii", "replace")
    except StoreError as error:
        raise pulumi.RunError(f"the signature of artifact {artifact_id} cannot be read: {error}") from None
