"""`docker:index/network:Network`: a network of the real Docker engine."""

import asyncio
from typing import Any

import docker
from airgap.plugins.docker.engine import docker_engine
from airgap.plugins.docker.naming import with_name
from airgap.plugins.docker.replacement import always_replaced
from sealift.provider import (
    UNKNOWN,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    Properties,
    ReadRequest,
    ReadResponse,
    UpdateRequest,
    UpdateResponse,
    reveal_all,
)


class Network:
    """A network. Every change replaces it."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        return CheckResponse(with_name(request))

    def diff(self, request: DiffRequest) -> DiffResponse:
        return always_replaced(request)

    async def create(self, request: CreateRequest) -> CreateResponse:
        if request.preview:
            return CreateResponse("", request.inputs | {"scope": UNKNOWN})
        return await asyncio.to_thread(create, reveal_all(request.inputs), request.inputs)

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        raise AssertionError("internal error: a network has no update")

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        there = await asyncio.to_thread(exists, request.id)
        return ReadResponse(request.inputs, request.state) if there else None

    async def delete(self, request: DeleteRequest) -> None:
        await asyncio.to_thread(remove, str(request.state["name"]))


def create(plain: Properties, inputs: Properties) -> CreateResponse:
    """Creates the network. Its id is the engine's."""
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
    return CreateResponse(
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
    """Removes the network. A missing one is no error."""
    with docker_engine() as engine:
        try:
            engine.remove_network(name)
        except docker.errors.NotFound:
            return


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
