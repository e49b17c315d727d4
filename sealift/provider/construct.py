"""Components for programs in other languages: the engine asks for one (Construct), and the Python class makes it here.

Pulumi's own servicer turns the request into Outputs and the component's outputs into the answer; it is built on the
SDK's process-wide settings, so one component is made after the other.
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
"""A component and its outputs, by the engine's names."""
MakeComponent: TypeAlias = Callable[[str, dict[str, Any], pulumi.ResourceOptions], Made]
"""`(name, args, opts)`, as a component's class has it."""


class Constructor:
    """Makes components, by type token."""

    def __init__(
        self, components: Mapping[str, MakeComponent], engine_address: str, resources: Collection[str] = ()
    ) -> None:
        """`resources` are the type tokens of what a program in any language can have beside them."""
        self._components, self._engine_address, self._resources = components, engine_address, resources
        self._one_at_a_time = asyncio.Lock()

    async def construct(self, request: provider_pb2.ConstructRequest, context: Any) -> Any:
        """Raises PluginError with what the component's class says is wrong."""
        async with self._one_at_a_time:
            try:
                servicer = ProviderServicer(_Components(self._components, self._resources), [], self._engine_address)
                return await servicer.Construct(request, context)
            except pulumi.RunError as error:
                raise PluginError(str(error)) from None


class _Components(Provider):
    """What Pulumi's servicer asks."""

    def __init__(self, components: Mapping[str, MakeComponent], resources: Collection[str]) -> None:
        super().__init__("", "{}")  # version and schema are our servicer's to tell
        self._components, self._resources = components, resources

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        if resource_type not in self._components:
            known = ", ".join(sorted({*self._components, *self._resources}))
            raise pulumi.RunError(
                f"only a Python program, which imports `components`, can create {resource_type}; programs in other "
                f"languages can create {known}"
            )
        given = {key: _as_output(value) for key, value in inputs.items()}
        component, outputs = self._components[resource_type](name, given, options or pulumi.ResourceOptions())
        return ConstructResult(component.urn, outputs)


def _as_output(value: Any) -> Any:
    """A value with something unknown in it as an Output that is not known."""
    return pulumi.Output.from_input(value) if pulumi.contains_unknowns(value) else value
