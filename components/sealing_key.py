"""`SealingKey`: the program's side of the resource that generates a key pair (components/plugin/sealing_key.py)."""

from collections.abc import Sequence

import pulumi

from components.args import SealingKeyArgs
from sealift.durable import core_dumps
from sealift.names import snake_case


class SealingKey(pulumi.CustomResource):
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
        secret = pulumi.ResourceOptions(additional_secret_outputs=["privateKey", "storeKey", "openingKeys"])
        props = dict.fromkeys(SealingKey.__annotations__) | dict(args)
        super().__init__("sealift:index:SealingKey", resource_name, props, pulumi.ResourceOptions.merge(secret, opts))

    def translate_input_property(self, prop: str) -> str:
        """As it is: `args` are camelCase already."""
        return prop

    def translate_output_property(self, prop: str) -> str:
        """Back again; names inside an output, such as a metric's, are data and stay."""
        name = snake_case(prop)
        return name if name in self.__annotations__ else prop
