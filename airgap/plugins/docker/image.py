"""`docker:index/image:Image`: an image built by the real Docker engine, pushed, and identified by its digest.

Inputs and outputs are those of the official plugin's Image (SDK 5.2). BuildKit is not used, whatever `builderVersion`
is.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

import docker
from airgap.plugins.docker.build_log import BuildLog
from airgap.plugins.docker.context import context_digest, dockerfile_in_context
from airgap.plugins.docker.engine import docker_engine
from sealift.provider import (
    UNKNOWN,
    Cancelled,
    CheckFailure,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    Operation,
    PluginError,
    Properties,
    ReadRequest,
    ReadResponse,
    Secret,
    UpdateRequest,
    UpdateResponse,
    Value,
    changed_inputs,
    detail_diff,
    has_unknown,
    reveal,
    reveal_all,
)

OUTPUTS: Final = ("baseImageName", "repoDigest", "registryServer", "context", "dockerfile", "platform")


class Image:
    """An image. It is built on create and on every change. Deletion leaves it in the registry."""

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Adds the official plugin's defaults and the context's digest. An unknown build is not changed."""
        inputs: Properties = {"buildOnPreview": False, "skipPush": False, **request.new_inputs}
        failures = []
        if not isinstance(reveal(inputs.get("imageName")), str) and not has_unknown(inputs.get("imageName")):
            failures.append(CheckFailure("imageName", "must be REPOSITORY:TAG"))
        build = inputs.get("build")
        if not has_unknown(build):
            try:
                inputs["build"] = await asyncio.to_thread(_complete_build, build)
            except PluginError as error:
                failures.append(CheckFailure("build", str(error)))
        return CheckResponse(inputs, failures)

    def diff(self, request: DiffRequest) -> DiffResponse:
        """Compares the inputs. No change replaces the resource: a new build is pushed with the same name."""
        changed = changed_inputs(request.old_inputs, request.new_inputs)
        return DiffResponse(detail_diff(changed, input_diff=False), with_reasons=False)

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Builds and pushes. In a preview the outputs are unknown."""
        if request.preview:
            return CreateResponse("", _unknown(request.inputs))
        return CreateResponse(str(reveal(request.inputs["imageName"])), await _make(request, request.inputs))

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Builds and pushes again, like create."""
        inputs = request.new_inputs
        return UpdateResponse(_unknown(inputs) if request.preview else await _make(request, inputs))

    async def read(self, request: ReadRequest) -> ReadResponse | None:
        """Returns the state unchanged: a pushed image is identified by its digest, so it cannot drift."""
        return ReadResponse(request.inputs, request.state)

    async def delete(self, request: DeleteRequest) -> None:
        """Leaves the image in the registry, like the official plugin."""


def _unknown(inputs: Properties) -> Properties:
    return {"imageName": inputs["imageName"], **dict.fromkeys(OUTPUTS, UNKNOWN)}


def _complete_build(build: Value) -> Value:
    given = dict(build) if isinstance(build, dict) else {}
    given.setdefault("context", ".")
    given.setdefault("dockerfile", os.path.normpath(f"{reveal(given['context'])}/Dockerfile"))
    given["contextDigest"] = context_digest(str(reveal(given["context"])), str(reveal(given["dockerfile"])))
    return given


async def _make(operation: Operation, inputs: Properties) -> Properties:
    """Runs the blocking build and push in a thread, and shows the progress as the resource's status."""
    loop = asyncio.get_running_loop()

    def status(line: str) -> None:
        asyncio.run_coroutine_threadsafe(operation.log.status(line), loop)

    def debug(line: str) -> None:
        asyncio.run_coroutine_threadsafe(operation.log.say("debug", line), loop)

    plain = reveal_all(inputs)
    digest = await asyncio.to_thread(build_and_push, plain, BuildLog(status, debug), operation.cancelled.is_set)
    build, name = _as_mapping(plain["build"]), str(plain["imageName"])
    return {
        "__inputs": Secret(inputs),
        "baseImageName": name,
        "context": build["context"],
        "dockerfile": dockerfile_in_context(str(build["context"]), str(build["dockerfile"])),
        "imageName": name,
        "platform": build.get("platform", ""),
        "registryServer": _as_mapping(plain.get("registry")).get("server", ""),
        "repoDigest": digest,
    }


def build_and_push(inputs: Mapping[str, Value], log: BuildLog, cancelled: Callable[[], bool]) -> str:
    """Returns `repository@sha256:…` of the pushed image, or with the local image's id if nothing is pushed."""
    name, build = str(inputs["imageName"]), _as_mapping(inputs["build"])
    repository, tag = split_name(name)
    with docker_engine() as engine:
        log.say("Starting Docker build")
        image_id = _build(engine, name, build, log, cancelled)
        log.say(f'Image built successfully, local id "{image_id}"')
        if inputs.get("skipPush"):
            return f"{repository}@{image_id}"
        log.say("Pushing Image to the registry")
        digest = _push(engine, repository, tag, _as_mapping(inputs.get("registry")), log, cancelled)
        log.say(f"Pushed image with digest {digest}")
        return f"{repository}@{digest}"


def split_name(name: str) -> tuple[str, str]:
    """Splits a name into repository and tag. A colon before the last slash belongs to the registry's port."""
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def _build(
    engine: docker.APIClient, name: str, build: Mapping[str, Any], log: BuildLog, cancelled: Callable[[], bool]
) -> str:
    stream = engine.build(
        path=str(build["context"]),
        dockerfile=dockerfile_in_context(str(build["context"]), str(build["dockerfile"])),
        tag=name,
        buildargs={key: str(value) for key, value in _as_mapping(build.get("args")).items()},
        platform=build.get("platform"),
        target=build.get("target"),
        cache_from=list(_as_mapping(build.get("cacheFrom")).get("images", [])) or None,
        network_mode=build.get("network"),
        rm=True, forcerm=True, decode=True,
    )  # fmt: skip
    image_id = ""
    for message in stream:
        _unless_cancelled(cancelled)
        if "error" in message:
            reason = message["error"].strip()
            raise PluginError(
                f"the image build failed at {log.step}: {reason}\n{log.whole}",
                f"read the Dockerfile {build['dockerfile']}",
            )
        image_id = message.get("aux", {}).get("ID", image_id)
        log.built(message)
    if not image_id:
        raise PluginError(f"the image build ended at {log.step} without an image", "run `pulumi up` again")
    return image_id


def _push(
    engine: docker.APIClient,
    repository: str,
    tag: str,
    registry: Mapping[str, Any],
    log: BuildLog,
    cancelled: Callable[[], bool],
) -> str:
    auth = {"username": registry["username"], "password": registry["password"]} if registry.get("username") else None
    digest = ""
    for message in engine.push(repository, tag=tag, stream=True, decode=True, auth_config=auth):
        _unless_cancelled(cancelled)
        if "error" in message:
            raise PluginError(
                f"the image cannot be pushed to {repository}: {message['error'].strip()}",
                "check that the registry runs and that the setting `registry` names it; if it needs a password, run "
                "`docker login`",
            )
        digest = message.get("aux", {}).get("Digest", digest)
        log.pushed(message)
    if not digest:
        raise PluginError(f"the registry reported no digest for {repository}:{tag}", "run `pulumi up` again")
    return digest


def _unless_cancelled(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled("the image build was cancelled", "the next `pulumi up` continues from the layers built so far")


def _as_mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
