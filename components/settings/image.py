"""Settings of a ModelImage: its base image, its platform and its registry."""

from dataclasses import dataclass
from typing import Final

from components.image_reference import is_reference, is_registry
from sealift.settings import Kind, Refused, kinds, setting

DEFAULT_REGISTRY: Final = "localhost:5000"


def _registry(value: object) -> str:
    if isinstance(value, str) and is_registry(value):
        return value
    raise Refused(f"allowed: HOST[:PORT][/PATH] without a scheme, such as '{DEFAULT_REGISTRY}'")


def _base_image(value: object) -> str:
    if isinstance(value, str) and is_reference(value):
        return value
    found = "; to use the one that set-up finds, run `make setup`, then `source .tools/activate`"
    raise Refused(f"allowed: an image with python3 3.11 or later, such as 'python:3.12-slim'{'' if value else found}")


REGISTRY: Final = Kind("string", "`HOST[:PORT][/PATH]`", _registry)
BASE_IMAGE: Final = Kind("string", "an image with python3 3.11 or later", _base_image)


@dataclass(frozen=True)
class ImageSettings:
    """Image that contains the server and the sealed model."""

    registry: str = setting(
        REGISTRY,
        DEFAULT_REGISTRY,
        "Registry that images are pushed to. If not set in a stack's config, the registry that `make setup` found or "
        "started.",
    )
    base_image: str = setting(
        BASE_IMAGE,
        "",
        "Base image of the server's image. If not set in a stack's config, the one that `make setup` found or built.",
        required=True,
    )
    wheels: str = setting(
        kinds.text,
        ".tools/wheels",
        "Folder of the Python packages that the server needs, unpacked from their wheels. If not set in a stack's "
        "config, the folder that `make setup` filled.",
    )
    platform: str = setting(
        kinds.one_of("linux/amd64", "linux/arm64"), "linux/amd64", "Platform that the image is built for."
    )


@dataclass(frozen=True)
class ModelImageInputs(ImageSettings):
    """Inputs of a ModelImage: its settings and the artifact to put in."""

    artifact_id: str = setting(kinds.text, "", "Id of the sealed artifact that the image contains.", required=True)
    payload_digest: str = setting(
        kinds.text, "", "Digest of the artifact's payload. A payload with another digest is refused.", required=True
    )
    store_url: str = setting(kinds.text, "", "URL of the store that holds the payload.", required=True)
