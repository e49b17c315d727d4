"""`docker:index/remoteImage:RemoteImage`: an image pulled from a registry."""

import asyncio

import docker
from airgap.plugins.docker.engine import docker_engine
from provider.errors import PluginError
from provider.resource import Check, Checked, Created, Difference, Operation, State, changed_inputs
from provider.values import UNKNOWN, Properties, reveal


class RemoteImage:
    """Another name or trigger pulls anew; `keepLocally` leaves the image when the resource goes."""

    async def check(self, check: Check, olds: Properties, news: Properties) -> Checked:
        return Checked(news)

    def diff(self, olds: Properties, news: Properties) -> Difference:
        changed = changed_inputs(olds, news)
        return Difference(changed, [name for name in changed if name != "keepLocally"], of_inputs=False)

    async def create(self, operation: Operation, inputs: Properties) -> Created:
        if operation.preview:
            return Created("", inputs | {"imageId": UNKNOWN, "repoDigest": UNKNOWN})
        name = str(reveal(inputs["name"]))
        await operation.log.status(f"pulling {name}")
        image_id, digest = await asyncio.to_thread(pull, name)
        return Created(f"{image_id}{name}", inputs | {"imageId": image_id, "repoDigest": digest})

    async def update(
        self, operation: Operation, old_inputs: Properties, old_outputs: Properties, inputs: Properties
    ) -> Properties:
        return {**old_outputs, **inputs}

    async def read(self, operation: Operation, resource_id: str, state: State) -> State | None:
        return state if await asyncio.to_thread(exists, str(reveal(state.outputs["imageId"]))) else None

    async def delete(self, operation: Operation, inputs: Properties, outputs: Properties) -> None:
        if not reveal(outputs.get("keepLocally")):
            await asyncio.to_thread(remove, str(reveal(outputs["name"])))


def pull(name: str) -> tuple[str, str]:
    """Id and `repository@sha256:…` of the image. Raises PluginError with the registry's own words."""
    with docker_engine() as engine:
        for message in engine.pull(name, stream=True, decode=True):
            if "error" in message:
                raise PluginError(
                    f"{name} cannot be pulled: {message['error']}",
                    "check its name, and `docker login` for a private one",
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
    """Removes it; fine where it is gone or a container still uses it."""
    with docker_engine() as engine:
        try:
            engine.remove_image(name)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            if error.response is None or error.response.status_code != 409:
                raise
