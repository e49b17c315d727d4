"""`docker:index/container:Container`: a container of the real Docker engine. Most changes replace it."""

import asyncio
from typing import Any, Final

import docker
from airgap.plugins.docker import container_form, health
from airgap.plugins.docker.differences import differences
from airgap.plugins.docker.engine import docker_engine
from airgap.plugins.docker.naming import is_given, with_name
from airgap.plugins.docker.upload import archive
from sealift.provider import (
    UNKNOWN,
    CheckFailure,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    PluginError,
    Properties,
    ReadRequest,
    ReadResponse,
    UpdateRequest,
    UpdateResponse,
    reveal,
    reveal_all,
)

STOP_SECONDS: Final = 10
CHANGED_BY_DOCKER: Final = {
    "cpuSet": "cpuset_cpus", "cpuShares": "cpu_shares", "memory": "mem_limit", "memorySwap": "memswap_limit",
}  # fmt: skip
"""Inputs that Docker can change while the container runs, with the names in its client."""


class Container:
    """A container, created and started. It is removed again if it does not start, or does not become healthy although
    `wait` is set.
    """

    async def check(self, request: CheckRequest) -> CheckResponse:
        failures = []
        if request.new_inputs.get("image") is None:
            failures.append(CheckFailure("image", "is required: an image's name or digest"))
        failures += health.duration_failures(request.new_inputs)
        inputs = container_form.complete(with_name(request))
        return CheckResponse(
            inputs if request.new_inputs.get("name") is not None else container_form.note_name(inputs), failures
        )

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Compares the values that were read back with the new inputs."""
        old_inputs, new_inputs = map(container_form.complete, (request.old_inputs, request.new_inputs))
        read_back = {name: request.state.get(name, value) for name, value in old_inputs.items()}
        changes = differences(
            container_form.complete(read_back), new_inputs, lambda name: name not in container_form.IN_PLACE
        )
        return DiffResponse(changes, delete_before_replace=is_given(request.new_inputs))

    async def create(self, request: CreateRequest) -> CreateResponse:
        if request.preview:
            unknown = dict.fromkeys(container_form.COMPUTED, UNKNOWN)
            return CreateResponse("", unknown | container_form.without_notes(request.inputs))
        return await asyncio.to_thread(run, reveal_all(request.inputs), request.inputs)

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        if request.preview:
            return UpdateResponse(request.state | container_form.without_notes(request.new_inputs))
        found = await asyncio.to_thread(change, request.id, reveal_all(request.new_inputs))
        return UpdateResponse(container_form.state(request.new_inputs, found))

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        found = await asyncio.to_thread(inspect, request.id)
        runs = found is not None and (found["State"]["Running"] or not reveal(request.inputs.get("mustRun")))
        return ReadResponse(request.inputs, request.state) if runs else None

    async def delete(self, request: DeleteRequest) -> None:
        seconds = reveal(request.state.get("destroyGraceSeconds")) or STOP_SECONDS
        await asyncio.to_thread(remove, str(reveal(request.state["name"])), int(str(seconds)))


def run(plain: dict[str, Any], inputs: Properties) -> CreateResponse:
    """Creates and starts a container, and waits until it is healthy if `wait` is set."""
    with docker_engine() as engine:
        made = engine.create_container(
            plain["image"],
            name=plain["name"],
            command=plain.get("command"),
            entrypoint=plain.get("entrypoints"),
            environment=plain.get("envs"),
            user=plain.get("user"),
            working_dir=plain.get("workingDir"),
            hostname=plain.get("hostname"),
            labels={item["label"]: item["value"] for item in plain.get("labels") or []},
            ports=[(port["internal"], port.get("protocol", "tcp")) for port in plain.get("ports") or []],
            healthcheck=health.check(plain.get("healthcheck")),
            host_config=_host_config(engine, plain),
            networking_config=_networking(engine, plain),
        )
        try:
            for upload in plain.get("uploads") or []:
                engine.put_archive(made["Id"], "/", archive(upload))
            engine.start(made["Id"])
            if plain.get("wait"):
                health.wait(engine, made["Id"], plain)
            found = engine.inspect_container(made["Id"])
        except (docker.errors.APIError, PluginError):
            engine.remove_container(made["Id"], force=True)
            raise
    return CreateResponse(found["Id"], container_form.state(inputs, found))


def change(container: str, plain: dict[str, Any]) -> dict[str, Any]:
    """Changes the properties that Docker can change in a running container. Returns its new state."""
    told = {ours: plain[name] for name, ours in CHANGED_BY_DOCKER.items() if plain.get(name)}
    told |= {name: _mebibytes(told[name]) for name in ("mem_limit", "memswap_limit") if name in told}
    with docker_engine() as engine:
        engine.update_container(container, restart_policy=_restart(plain), **told)
        found: dict[str, Any] = engine.inspect_container(container)
    return found


def inspect(container: str) -> dict[str, Any] | None:
    """Returns the engine's data about the container, or None if it does not exist."""
    with docker_engine() as engine:
        try:
            found: dict[str, Any] = engine.inspect_container(container)
        except docker.errors.NotFound:
            return None
    return found


def remove(name: str, seconds: int) -> None:
    """Stops and removes a container, which has `seconds` to stop. A missing one is no error."""
    with docker_engine() as engine:
        try:
            engine.stop(name, timeout=seconds)
            engine.remove_container(name, force=True, v=True)
        except docker.errors.NotFound:
            return


def _host_config(engine: docker.APIClient, plain: dict[str, Any]) -> dict[str, Any]:
    capabilities = plain.get("capabilities") or {}
    ports = {
        f"{port['internal']}/{port.get('protocol', 'tcp')}": (port.get("ip", "0.0.0.0"), port.get("external"))  # noqa: S104
        for port in plain.get("ports") or []
    }
    binds = [
        ":".join((v.get("hostPath") or v["volumeName"], v["containerPath"], "ro" if v.get("readOnly") else "rw"))
        for v in plain.get("volumes") or []
    ]
    mounts = [
        docker.types.Mount(item["target"], item.get("source"), type=item["type"], read_only=bool(item.get("readOnly")))
        for item in plain.get("mounts") or []
    ]
    config: dict[str, Any] = engine.create_host_config(
        port_bindings=ports,
        binds=binds or None,
        mounts=mounts or None,
        network_mode=_network_mode(plain),
        restart_policy=_restart(plain),
        read_only=bool(plain.get("readOnly")),
        privileged=bool(plain.get("privileged")),
        mem_limit=_mebibytes(plain.get("memory")),
        memswap_limit=_mebibytes(plain.get("memorySwap")),
        nano_cpus=int(float(plain["cpus"]) * 1e9) if plain.get("cpus") else None,
        security_opt=plain.get("securityOpts"),
        cap_add=capabilities.get("adds"),
        cap_drop=capabilities.get("drops"),
        tmpfs=plain.get("tmpfs"),
    )
    return config


def _network_mode(plain: dict[str, Any]) -> str | None:
    """Returns the network mode: the first given network, otherwise the given mode."""
    networks = plain.get("networksAdvanced") or []
    given = plain.get("networkMode")
    return str(networks[0]["name"]) if networks and given in (None, "bridge") else given


def _restart(plain: dict[str, Any]) -> dict[str, Any]:
    return {"Name": plain.get("restart") or "no", "MaximumRetryCount": plain.get("maxRetryCount") or 0}


def _networking(engine: docker.APIClient, plain: dict[str, Any]) -> dict[str, Any] | None:
    networks = plain.get("networksAdvanced") or []
    if not networks:
        return None
    ends = {item["name"]: engine.create_endpoint_config(aliases=item.get("aliases")) for item in networks}
    config: dict[str, Any] = engine.create_networking_config(ends)
    return config


def _mebibytes(number: object) -> int | None:
    return int(str(number)) * 2**20 if number else None
