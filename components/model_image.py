"""`ModelImage`: the server and one sealed payload as an image in a registry, referenced by digest.

The build context is written from the store's payload, in pieces, before the Docker plugin hashes it. It has the same
bytes on every machine. While the artifact is unknown (in a preview that will train), nothing is written and the image
is unknown too.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import pulumi
import pulumi_docker as docker

from components.args import ModelImageArgs
from components.image_context import materialise
from components.reach import silent_registry
from components.settings.image import ModelImageInputs
from components.validated_args import Checked
from sealift.sealing import stream_digest
from sealift.stores import StoreError, open_payload, open_store

PIECE_BYTES: Final = 1 << 20
CONTEXTS: Final = Path(".sealift/images")  # relative: the Docker plugin's digest covers the literal path


class ModelImage(pulumi.ComponentResource):
    """Image of the server and one sealed model, built and pushed to a registry."""

    ref: pulumi.Output[str]
    """Reference of the image by its digest, `repository@sha256:…`. Pods run it."""
    name: pulumi.Output[str]
    """Reference of the image by its tag, `repository:tag`."""

    def __init__(self, name: str, args: ModelImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Raises pulumi.RunError with all problems of `args`."""
        checked = Checked(f'ModelImage "{name}"', ModelImageInputs, args)
        super().__init__("sealift:index:ModelImage", name, {}, opts)
        contexts = CONTEXTS / pulumi.get_stack() / name

        def build(known: ModelImageInputs) -> docker.DockerBuildArgs:
            labels = {
                "org.opencontainers.image.title": f"sealift-{name}",
                "dev.sealift.artifact-id": known.artifact_id,
                "dev.sealift.payload-digest": known.payload_digest,
            }

            def write_payload(file: BinaryIO) -> None:
                copy_payload(known.store_url, known.artifact_id, known.payload_digest, file)

            context = write_context(contexts, write_payload, known.base_image, Path(known.wheels), labels)
            return docker.DockerBuildArgs(
                context=str(context), dockerfile=str(context / "Dockerfile"), platform=known.platform
            )

        registry = pulumi.Output.from_input(args.get("registry", checked.plain.registry))
        self._answers: pulumi.Output[bool] = registry.apply(self._ask)
        image = docker.Image(
            name,
            image_name=registry.apply(lambda host: f"{host}/sealift-{name}:{pulumi.get_stack()}"),
            build=checked.settings().apply(build),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.ref = image.repo_digest
        self.name = image.image_name
        self.register_outputs({"ref": self.ref, "name": self.name})

    async def _ask(self, registry: str) -> bool:
        """Whether the registry answers. Warns before training, because the model's image could not be pushed."""
        silent = await asyncio.to_thread(silent_registry, registry, os.environ)
        if silent is not None:
            pulumi.log.warn(silent, self)
        return silent is None


def write_context(
    contexts: Path,
    write_payload: Callable[[BinaryIO], object],
    base_image: str,
    wheels: Path,
    labels: Mapping[str, str],
) -> Path:
    """Writes the build context into its own folder below `contexts`. Raises pulumi.RunError with a hint."""
    try:
        return materialise(contexts, write_payload=write_payload, base_image=base_image, wheels=wheels, labels=labels)
    except FileNotFoundError as error:
        raise pulumi.RunError(str(error)) from error
    except OSError as error:
        raise pulumi.RunError(
            f"the build context cannot be written below {contexts}: {error.strerror or error}\n"
            "hint: free some disk space, or give this user write permission there"
        ) from error


def copy_payload(url: str, artifact_id: str, digest: str, file: BinaryIO) -> None:
    """Copies the sealed payload from the store into `file` and checks its digest. Raises pulumi.RunError."""
    try:
        with open_payload(open_store(url), artifact_id) as payload:
            shutil.copyfileobj(payload, file, PIECE_BYTES)
    except StoreError as error:
        raise pulumi.RunError(
            f"{error}\nhint: run `pulumi refresh`, which detects lost artifacts; the next `pulumi up` then trains again"
        ) from error
    file.seek(0)
    if stream_digest(file) != digest:
        raise pulumi.RunError(
            f"the payload of artifact {artifact_id} in {url} differs from the sealed one\n"
            "hint: run `pulumi refresh`; the next `pulumi up` then trains again; find out who can write to the store"
        )
