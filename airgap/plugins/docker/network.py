"""`docker:index/network:Network`: a network of the real Docker engine."""

import asyncio
from typing import Any

import docker
from airgap.plugins.docker.engine import docker_engine
from airgap.plugins.docker.naming import is_given, with_name
from provider.resource import Check, Checked, Created, Difference, Operation, State, changed_inputs
from provider.values import UNKNOWN, Properties, reveal_all


class Network:
    """Every change replaces."""

    async def check(self, check: Check, olds: Properties, news: Properties) -> Checked:
        return Checked(with_name(check, olds, news))

    def diff(self, olds: Properties, news: Properties) -> Difference:
        changed = changed_inputs(olds, news)
        return Difference(changed, list(changed), of_inputs=False, delete_before_replace=is_given(news))

    async def create(self, operation: Operation, inputs: Properties) -> Created:
        if operation.preview:
            return Created("", inputs | {"scope": UNKNOWN})
        return await asyncio.to_thread(create, reveal_all(inputs), inputs)

    async def update(
        self, operation: Operation, old_inputs: Properties, old_outputs: Properties, inputs: Properties
    ) -> Properties:
        raise AssertionError("internal error: a network has no update")

    async def read(self, operation: Operation, resource_id: str, state: State) -> State | None:
        return state if await asyncio.to_thread(exists, resource_id) else None

    async def delete(self, operation: Operation, inputs: Properties, outputs: Properties) -> None:
        await asyncio.to_thread(remove, str(outputs["name"]))


def create(plain: Properties, inputs: Properties) -> Created:
    """Makes the network; its id is the engine's."""
    labels = {item["label"]: item["value"] for item in _list(plain.get("labels"))}
    with docker_engine() as engine:
        made = engine.create_network(
            plain["name"],
            driver=plain.get("driver") or "bridge",
            internal=bool(plain.get("internal")),
            attachable=bool(plain.get("attachable")),
            enable_ipv6=bool(plain.get("ipv6")),
            labels=labels or None,
            check_duplicate=True,
        )
        found = engine.inspect_network(made["Id"])
    return Created(
        found["Id"], inputs | {"driver": found["Driver"], "scope": found["Scope"], "internal": found["Internal"]}
    )


def exists(network: str) -> bool:
    """Whether the engine knows this network."""
    with docker_engine() as engine:
        try:
            engine.inspect_network(network)
        except docker.errors.NotFound:
            return False
    return True


def remove(name: str) -> None:
    """Removes it; fine where it is gone."""
    with docker_engine() as engine:
        try:
            engine.remove_network(name)
        except docker.errors.NotFound:
            return


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
