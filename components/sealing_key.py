"""`SealingKey`: the program's side of the resource that generates a key pair (components/plugin/sealing_key.py)."""

from collections.abc import Sequence

import pulumi

from components.args import SealingKeyArgs
from components.plugin_resource import PluginResource
from sealift.durable import core_dumps


class SealingKey(PluginResource):
    """A key pair, which can be rotated, and a store key, kept in the stack's state as secrets."""

    public_key: pulumi.Output[str]
    """Public key that artifacts are sealed to: whoever has it can seal, not open."""
    private_key: pulumi.Output[str]
    """Private key, which opens them: a text that says by itself of which kind it is. Secret."""
    key_id: pulumi.Output[str]
    """Id of the key pair, 64 hex digits."""
    store_key: pulumi.Output[str]
    """Base64 of 32 random bytes; no rotation changes it. Secret."""
    opening_keys: pulumi.Output[Sequence[str]]
    """Private key, then retired ones that an artifact in the store was sealed to. Secret."""

    def __init__(self, resource_name: str, args: SealingKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """What is wrong with `args` is told by the plugin's check."""
        core_dumps.forbid()  # the keys come to the program too
        super().__init__("SealingKey", resource_name, args, ["privateKey", "storeKey", "openingKeys"], opts)
