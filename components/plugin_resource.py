"""What the program-side classes of custom resources share: their constructor, and how their outputs are named."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import pulumi

from sealift.names import snake_case


class PluginResource(pulumi.CustomResource):
    """A resource of Sealift's plugin. The annotations of its class, and of bases beside it, declare its outputs."""

    def __init__(
        self,
        kind: str,
        name: str,
        args: Mapping[str, Any],
        secret_outputs: Sequence[str],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """What is wrong with `args` is told by the plugin's check. `secret_outputs` are in camelCase."""
        secret = pulumi.ResourceOptions(additional_secret_outputs=[*secret_outputs])
        props = dict.fromkeys(self._output_names()) | dict(args)
        super().__init__(f"sealift:index:{kind}", name, props, pulumi.ResourceOptions.merge(secret, opts))

    def translate_input_property(self, prop: str) -> str:
        """The same: `args` are in camelCase already, and names inside them are the user's."""
        return prop

    def translate_output_property(self, prop: str) -> str:
        """The output's attribute; names inside an output, such as a metric's, are data and stay."""
        name = snake_case(prop)
        return name if name in self._output_names() else prop

    @classmethod
    def _output_names(cls) -> list[str]:
        own = takewhile(lambda one: one is not PluginResource, cls.__mro__)
        return [name for one in own for name in vars(one).get("__annotations__", {})]
