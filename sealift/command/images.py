"""The images of an artifact in registries, as the command line names them."""

import argparse
import os
from collections.abc import Iterator, Sequence

from sealift.command.errors import CommandError
from sealift.registry import (
    RegistryError,
    Repository,
    delete_images,
    find_credentials,
    find_images,
    parse_repository,
)

Images = Sequence[tuple[Repository, list[str]]]
"""Repositories, each with the digests of the artifact's images in it."""


def add_images(parser: argparse.ArgumentParser) -> None:
    """Adds the option that names repositories."""
    image = (
        "repository of images, REGISTRY/NAME, whose images of the artifact are deleted too: those of all tags, or one "
        "with @sha256:…; repeatable"
    )
    parser.add_argument("--image", metavar="REPOSITORY", action="append", default=[], help=image)


def find_named_images(options: argparse.Namespace) -> Images:
    """Returns the images of the options' artifact. Raises CommandError."""
    try:
        names = [parse_repository(given) for given in options.image]
        repositories = [Repository(one, find_credentials(one.registry, os.environ)) for one in names]
        return [(one, find_images(one, options.artifact_id)) for one in repositories]
    except RegistryError as error:
        raise CommandError(error.message, error.hint) from None


def delete_all(images: Images) -> None:
    """Deletes the images. Raises CommandError."""
    try:
        for repository, digests in images:
            delete_images(repository, digests)
    except RegistryError as error:
        raise CommandError(f"nothing of the artifact is left in the store, but {error.message}", error.hint) from None


def list_names(images: Images) -> list[str]:
    """Returns the references of the images, by digest."""
    return [f"{repository.name}@{digest}" for repository, digests in images for digest in digests]


def say_missing(images: Images) -> Iterator[str]:
    """Yields a line for each repository where no image was found."""
    for repository, digests in images:
        name = repository.name
        if not digests and name.digest is not None:
            yield f"{name} does not have the image {name.digest}"
        elif not digests:
            yield (
                f"no tag of {name} holds the artifact; an earlier image may: name it by its digest, "
                f"--image {name}@sha256:…"
            )
