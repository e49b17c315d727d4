"""`docker:index/remoteImage:RemoteImage`: an image pulled from a registry."""

import asyncio

import docker
from airgap.plugins.docker.engine import docker_engine
from sealift.provider import (
    UNKNOWN,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    PluginError,
    ReadRequest,
    ReadResponse,
    UpdateRequest,
    UpdateResponse,
    changed_inputs,
    detail_diff,
    reveal,
)


class RemoteImage:
    """An image that is pulled, again if the name or a trigger changes. `keepLocally` keeps it on deletion."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        return CheckResponse(request.new_inputs)

    def diff(self, request: DiffRequest) -> DiffResponse:
        changed = changed_inputs(request.old_inputs, request.new_inputs)
        return DiffResponse(detail_diff(changed, replaces=changed.keys() - {"keepLocally"}, input_diff=False))

    async def create(self, request: CreateRequest) -> CreateResponse:
        if request.preview:
            return CreateResponse("", request.inputs | {"imageId": UNKNOWN, "repoDigest": UNKNOWN})
        name = str(reveal(request.inputs["name"]))
        await request.log.status(f"pulling {name}")
        image_id, digest = await asyncio.to_thread(pull, name)
        return CreateResponse(f"{image_id}{name}", request.inputs | {"imageId": image_id, "repoDigest": digest})

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        return UpdateResponse({**request.state, **request.new_inputs})

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        there = await asyncio.to_thread(exists, str(reveal(request.state["imageId"])))
        return ReadResponse(request.inputs, request.state) if there else None

    async def delete(self, request: DeleteRequest) -> None:
        if not reveal(request.state.get("keepLocally")):
            await asyncio.to_thread(remove, str(reveal(request.state["name"])))


def pull(name: str) -> tuple[str, str]:
    """Pulls the image and returns its id and `repository@sha256:…`. Raises PluginError with the registry's message."""
    with docker_engine() as engine:
        for message in engine.pull(name, stream=True, decode=True):
            if "error" in message:
                raise PluginError(
                    f"{name} cannot be pulled: {message['error']}",
                    "check its name; for a private image, run `docker login`",
                )
        found = engine.inspect_image(name)
    return found["Id"], next(iter(found.get("RepoDigests") or []), "")


def exists(image_id: str) -> bool:
    """Whether the engine has this image."""
    with docker_engine() as engine:
        try:
            engine.inspect_image(image_id)
        except docker.errors.NotFound:
            return False
    return True


def remove(name: str) -> None:
    """Removes the image. It is no error if it is missing or a container still uses it."""
    with docker_engine() as engine:
        try:
            engine.remove_image(name)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            if error.response is None or error.response.status_code != 409:
                raise
