"""The images of one artifact in a repository: found by the label that the image's build set, and deleted by digest."""

from typing import Any, Final

from sealift.registry.connection import Repository, list_children
from sealift.registry.errors import ImageMissing, RegistryError
from sealift.registry.reference import DIGEST

ARTIFACT_LABEL: Final = "dev.sealift.artifact-id"
CONFIG_TYPES: Final = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
"""Kinds of configurations that images have. What else is kept in repositories is no image."""


def find_images(repository: Repository, artifact_id: str) -> list[str]:
    """Returns the digests of images with this artifact, an index before its images: of the digest that the repository's
    name has, or of all tags. Raises RegistryError, and ImageMissing if the repository does not exist.
    """
    name = repository.name
    if name.digest is not None:
        try:
            found = _digests_with(repository, name.digest, artifact_id)
        except ImageMissing:
            return []
        if not found:
            raise RegistryError(
                f"the image {name}@{name.digest} does not hold artifact {artifact_id}",
                f"`docker inspect` shows the label {ARTIFACT_LABEL} of an image",
            )
        return found
    found = []
    for tag in repository.tags():
        try:
            found += _digests_with(repository, tag, artifact_id)
        except ImageMissing:  # deleted meanwhile
            continue
    return list(dict.fromkeys(found))


def delete_images(repository: Repository, digests: list[str]) -> None:
    """Deletes the images, and reads the repository again. Raises RegistryError if one can still be pulled."""
    for digest in digests:
        repository.delete(digest)
    for digest in digests:
        try:
            repository.manifest(digest)
        except ImageMissing:
            continue
        raise RegistryError(
            f"{repository.name}@{digest} can still be pulled after its deletion",
            "find out who pushes it, then erase the artifact again",
        )


def _digests_with(repository: Repository, reference: str, artifact_id: str) -> list[str]:
    digest, manifest = repository.manifest(reference)
    children = list(list_children(manifest))
    if children:
        inside = [one for child in children for one in _digests_with_child(repository, child, artifact_id)]
        return [digest, *inside] if inside else []
    return [digest] if _label(repository, manifest) == artifact_id else []


def _digests_with_child(repository: Repository, digest: str, artifact_id: str) -> list[str]:
    """An index of an index does not exist in what Docker writes, and is not followed."""
    try:
        _, manifest = repository.manifest(digest)
    except ImageMissing:
        return []
    return [digest] if _label(repository, manifest) == artifact_id else []


def _label(repository: Repository, manifest: dict[str, Any]) -> object:
    config = manifest.get("config")
    if not isinstance(config, dict) or config.get("mediaType") not in CONFIG_TYPES:  # a chart, or a signature
        return None
    digest = config.get("digest")
    if not isinstance(digest, str) or not DIGEST.match(digest):
        return None
    content = repository.blob(digest).get("config")
    labels = content.get("Labels") if isinstance(content, dict) else None
    return labels.get(ARTIFACT_LABEL) if isinstance(labels, dict) else None
