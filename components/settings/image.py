"""What a ModelImage can be told: what it is built on, for which machines, and where it is pushed."""

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
    found = "; without one it is what set-up has found: run `make setup`, then `source .tools/activate`"
    raise Refused(f"allowed: an image with python3 3.11 or later, such as 'python:3.12-slim'{'' if value else found}")


REGISTRY: Final = Kind("string", "`HOST[:PORT][/PATH]`", _registry)
BASE_IMAGE: Final = Kind("string", "an image with python3 3.11 or later", _base_image)


@dataclass(frozen=True)
class ImageSettings:
    """How the image of the server and the sealed model is built."""

    registry: str = setting(
        REGISTRY, DEFAULT_REGISTRY, "Where images are pushed. In a stack's config, none is what set-up has found."
    )
    base_image: str = setting(
        BASE_IMAGE,
        "",
        "What images are built on. In a stack's config, none is what set-up has found or made.",
        required=True,
    )
    wheels: str = setting(
        kinds.text,
        ".tools/wheels",
        "Folder of the packages that the server needs, as `make setup` unpacks them from their wheels. In a stack's "
        "config, none is where set-up has put them.",
    )
    platform: str = setting(kinds.one_of("linux/amd64", "linux/arm64"), "linux/amd64", "Of the image.")


@dataclass(frozen=True)
class ModelImageInputs(ImageSettings):
    """All of a ModelImage's inputs: its settings, and what is built."""

    artifact_id: str = setting(kinds.text, "", "Of the sealed artifact that the image carries.", required=True)
    payload_digest: str = setting(kinds.text, "", "Of its payload; another payload is refused.", required=True)
    store_url: str = setting(kinds.text, "", "Where the payload is.", required=True)
