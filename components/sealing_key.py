"""`SealingKey`: the program's side of the resource that generates a key pair (components/plugin/sealing_key.py)."""

from collections.abc import Sequence

import pulumi

from components.args import SealingKeyArgs
from components.plugin_resource import PluginResource
from sealift.durable import core_dumps


class SealingKey(PluginResource):
    """Key pair that artifacts are sealed to, and a store key. The key pair can be rotated. The stack's state keeps both
    as secrets, except a private key in a KMS.
    """

    public_key: pulumi.Output[str]
    """Public key that artifacts are sealed to. It can seal artifacts but not open them."""
    private_key: pulumi.Output[str]
    """Private key that opens the artifacts, or its address in a KMS. The text itself states the kind of key. Secret."""
    key_id: pulumi.Output[str]
    """Id of the key pair, 64 hex digits."""
    store_key: pulumi.Output[str]
    """Store key, 32 random bytes in base64. A rotation does not change it. Secret."""
    opening_keys: pulumi.Output[Sequence[str]]
    """Opening keys: the private key, then retired keys that an artifact in the store was sealed to. Secret."""

    def __init__(self, resource_name: str, args: SealingKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """The plugin's check validates `args`."""
        core_dumps.forbid()  # the program gets the keys too
        super().__init__("SealingKey", resource_name, args, ["privateKey", "storeKey", "openingKeys"], opts)
