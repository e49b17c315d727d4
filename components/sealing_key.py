"""`SealingKey`: the program's side of the resource that generates a key pair (components/plugin/sealing_key.py)."""

from collections.abc import Sequence

import pulumi

from settings.names import camel_case, snake_case


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

    def __init__(
        self,
        resource_name: str,
        *,
        algorithm: pulumi.Input[str] = "RSA-4096",
        rotation: pulumi.Input[str] = "",
        store_url: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        :param algorithm: "RSA-4096", the only one so far.
        :param rotation: any text; a new text makes a new key pair and retires the old one.
        :param store_url: where retired keys may still be needed; unset: they are kept for ever.
        """
        secret = pulumi.ResourceOptions(additional_secret_outputs=["privateKey", "storeKey", "openingKeys"])
        props = {
            "algorithm": algorithm,
            "rotation": rotation,
            "store_url": store_url,
            "public_key": None,
            "private_key": None,
            "key_id": None,
            "store_key": None,
            "opening_keys": None,
        }
        super().__init__("sealift:index:SealingKey", resource_name, props, pulumi.ResourceOptions.merge(secret, opts))

    def translate_input_property(self, prop: str) -> str:
        """The engine speaks camelCase."""
        return camel_case(prop)

    def translate_output_property(self, prop: str) -> str:
        """Back again; names inside an output, such as a metric's, are data and stay."""
        name = snake_case(prop)
        return name if name in self.__annotations__ else prop
