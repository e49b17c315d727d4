"""`ApiKey`: the program's side of the resource that makes a key for clients (components/plugin/api_key.py)."""

from collections.abc import Sequence

import pulumi

from components.args import ApiKeyArgs
from components.plugin_resource import PluginResource


class ApiKey(PluginResource):
    """A key that a client of a served model presents. It can be rotated; the state keeps it as a secret."""

    key: pulumi.Output[str]
    """`sealift_` and 43 characters of base64url, 256 random bits. Secret."""
    digests: pulumi.Output[Sequence[str]]
    """SHA-256, in hex, of each key that is good: the last one, then the one before it, in an overlap. No secret."""

    def __init__(self, resource_name: str, args: ApiKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """What is wrong with `args` is told by the plugin's check."""
        super().__init__("ApiKey", resource_name, args, ["key"], opts)
