"""`ApiKey`: the program's side of the resource that makes a key for clients (components/plugin/api_key.py)."""

from collections.abc import Sequence

import pulumi

from components.args import ApiKeyArgs
from sealift.names import snake_case


class ApiKey(pulumi.CustomResource):
    """A key that a client of a served model presents. It can be rotated; the state keeps it as a secret."""

    key: pulumi.Output[str]
    """`sealift_` and 43 characters of base64url, 256 random bits. Secret."""
    digests: pulumi.Output[Sequence[str]]
    """SHA-256, in hex, of each key that is good: the last one, then the one before it, in an overlap. No secret."""

    def __init__(self, resource_name: str, args: ApiKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """What is wrong with `args` is told by the plugin's check."""
        secret = pulumi.ResourceOptions(additional_secret_outputs=["key"])
        props = dict.fromkeys(ApiKey.__annotations__) | dict(args)
        super().__init__("sealift:index:ApiKey", resource_name, props, pulumi.ResourceOptions.merge(secret, opts))

    def translate_input_property(self, prop: str) -> str:
        """As it is: `args` are camelCase already."""
        return prop

    def translate_output_property(self, prop: str) -> str:
        """Back again."""
        return snake_case(prop)
