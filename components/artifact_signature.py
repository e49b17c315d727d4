"""`ArtifactSignature`: the program's side of the resource that signs an artifact.

The plugin's side is components/plugin/artifact_signature.py.
"""

import pulumi

from components.args import ArtifactSignatureArgs
from components.plugin_resource import PluginResource
from sealift.durable import core_dumps


class ArtifactSignature(PluginResource):
    """Signature of an artifact, in the format of OpenSSF's model-signing. It is kept in the store, beside the artifact,
    and goes when the artifact is deleted or erased.
    """

    signature: pulumi.Output[str]
    """Signature: a Sigstore bundle, as text. `sealift verify --signer` and `model_signing verify key` check it."""
    public_key: pulumi.Output[str]
    """Public key of the signer, in PEM, with which everybody can check the signature."""
    key_id: pulumi.Output[str]
    """Id of the signer's key, 64 hex digits."""

    def __init__(
        self, resource_name: str, args: ArtifactSignatureArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """The plugin's check validates `args`."""
        core_dumps.forbid()  # the program gets the key too
        super().__init__("ArtifactSignature", resource_name, args, ["signingKey"], opts)
