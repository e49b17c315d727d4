"""`ApiKey`: the program's side of the resource that makes a key for clients (components/plugin/api_key.py)."""

from collections.abc import Sequence

import pulumi

from components.args import ApiKeyArgs
from components.plugin_resource import PluginResource


class ApiKey(PluginResource):
    """API key for the clients of a served model. It can be rotated. The stack's state keeps it as a secret."""

    key: pulumi.Output[str]
    """API key: `sealift_` and 43 characters of base64url (256 random bits). Secret."""
    digests: pulumi.Output[Sequence[str]]
    """SHA-256 digests of the valid keys, in hex: the current key, then the previous key while `overlap` is true. They
    are not secret."""

    def __init__(self, resource_name: str, args: ApiKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """The plugin's check validates `args`."""
        super().__init__("ApiKey", resource_name, args, ["key"], opts)
