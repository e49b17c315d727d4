"""Base class of the program-side classes of custom resources: their constructor and the names of their outputs."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import pulumi

from sealift.names import snake_case


class PluginResource(pulumi.CustomResource):
    """A resource of Sealift's plugin. The annotations of its class and of that class's bases declare its outputs."""

    def __init__(
        self,
        kind: str,
        name: str,
        args: Mapping[str, Any],
        secret_outputs: Sequence[str],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """The plugin's check validates `args`. `secret_outputs` are in camelCase."""
        secret = pulumi.ResourceOptions(additional_secret_outputs=[*secret_outputs])
        props = dict.fromkeys(self._output_names()) | dict(args)
        super().__init__(f"sealift:index:{kind}", name, props, pulumi.ResourceOptions.merge(secret, opts))

    def translate_input_property(self, prop: str) -> str:
        """Returns `prop` unchanged: `args` are already in camelCase, and names inside them are the user's."""
        return prop

    def translate_output_property(self, prop: str) -> str:
        """Returns the output's attribute name. Names inside an output, such as metrics' names, stay unchanged."""
        name = snake_case(prop)
        return name if name in self._output_names() else prop

    @classmethod
    def _output_names(cls) -> list[str]:
        own = takewhile(lambda one: one is not PluginResource, cls.__mro__)
        return [name for one in own for name in vars(one).get("__annotations__", {})]
