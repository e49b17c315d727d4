"""`SealingKey`: the program's side of the resource that generates a key pair (components/plugin/sealing_key.py)."""

from collections.abc import Sequence

import pulumi

from components.args import SealingKeyArgs
from components.plugin_resource import PluginResource
from sealift.durable import core_dumps


class SealingKey(PluginResource):
    """An RSA-4096 key pair, which can be rotated, and a store key, kept in the stack's state as secrets."""

    public_key: pulumi.Output[str]
    """PEM (SubjectPublicKeyInfo)."""
    private_key: pulumi.Output[str]
    """PEM (PKCS #8). Secret."""
    key_id: pulumi.Output[str]
    """SHA-256, in hex, of the public key's DER form."""
    store_key: pulumi.Output[str]
    """Base64 of 32 random bytes; no rotation changes it. Secret."""
    opening_keys: pulumi.Output[Sequence[str]]
    """PEM of the private key, then of retired ones that an artifact in the store was sealed to. Secret."""

    def __init__(self, resource_name: str, args: SealingKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """What is wrong with `args` is told by the plugin's check."""
        core_dumps.forbid()  # the keys come to the program too
        super().__init__("SealingKey", resource_name, args, ["privateKey", "storeKey", "openingKeys"], opts)
