"""Components for programs in other languages: the engine requests one (Construct), and the Python class makes it here.

Pulumi's own servicer converts the request to Outputs, and the component's outputs to the response. It uses the SDK's
process-wide settings, so only one component is made at a time.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import pulumi
from pulumi.provider.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2

from sealift.provider.errors import PluginError

Made: TypeAlias = tuple[pulumi.ComponentResource, dict[str, Any]]
"""A component, and its outputs by the engine's names."""
MakeComponent: TypeAlias = Callable[[str, dict[str, Any], pulumi.ResourceOptions], Made]
"""A function with the arguments of a component's class: `(name, args, opts)`."""


class Constructor:
    """Makes components, by type token."""

    def __init__(
        self, components: Mapping[str, MakeComponent], engine_address: str, resources: Collection[str] = ()
    ) -> None:
        """`resources` are the type tokens of the custom resources, which programs in any language can use too."""
        self._components, self._engine_address, self._resources = components, engine_address, resources
        self._one_at_a_time = asyncio.Lock()

    async def construct(self, request: provider_pb2.ConstructRequest, context: Any) -> Any:
        """Makes the requested component. Raises PluginError with the message of the component's class."""
        async with self._one_at_a_time:
            try:
                servicer = ProviderServicer(_Components(self._components, self._resources), [], self._engine_address)
                return await servicer.Construct(request, context)
            except pulumi.RunError as error:
                raise PluginError(str(error)) from None


class _Components(Provider):
    """The provider that Pulumi's servicer calls."""

    def __init__(self, components: Mapping[str, MakeComponent], resources: Collection[str]) -> None:
        super().__init__("", "{}")  # our own servicer gives the version and the schema
        self._components, self._resources = components, resources

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        if resource_type not in self._components:
            known = ", ".join(sorted({*self._components, *self._resources}))
            raise pulumi.RunError(
                f"only a Python program that imports `components` can create {resource_type}; programs in other "
                f"languages can create {known}"
            )
        given = {key: _as_output(value) for key, value in inputs.items()}
        component, outputs = self._components[resource_type](name, given, options or pulumi.ResourceOptions())
        return ConstructResult(component.urn, outputs)


def _as_output(value: Any) -> Any:
    """Returns the value, or an unknown Output if anything in the value is unknown."""
    return pulumi.Output.from_input(value) if pulumi.contains_unknowns(value) else value
