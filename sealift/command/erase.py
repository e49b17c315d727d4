"""`sealift erase`: destruction of artifacts, with a tombstone for each."""

import argparse
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from sealift.command.artifact import ID_HELP, add_store, artifact_id
from sealift.command.errors import CommandError
from sealift.command.keys import Key, add_identities, data_key_of, find_keys
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal
from sealift.registry import (
    RegistryError,
    Repository,
    delete_images,
    find_credentials,
    find_images,
    parse_repository,
)
from sealift.sealing import SealingError
from sealift.sealing.manifest import parse_manifest
from sealift.stores import Store, StoreError, erase_artifact, get_manifest, map_artifacts, open_store

DATA_DIGEST: Final = "dataDigest"
OF: Final = "of"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("artifact_id", metavar="ARTIFACT-ID", type=artifact_id, help=ID_HELP.partition(";")[0])
    add_store(parser, required=True)
    reason = "reason that the tombstone shows to everybody who reads the store, such as a request's number"
    parser.add_argument("--reason", metavar="TEXT", required=True, help=reason)
    add_identities(parser, required=False)
    image = (
        "repository of images, REGISTRY/NAME, whose images of the artifact are deleted too: those of all tags, or one "
        "with @sha256:…; repeatable"
    )
    parser.add_argument("--image", metavar="REPOSITORY", action="append", default=[], help=image)
    yes = "consent to the erasure, which nothing can undo; without it, nothing is erased"
    parser.add_argument("--yes", action="store_true", help=yes)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    store, keys = open_store(options.store), find_keys(options)
    derived = _find_derived(store, options.artifact_id, keys) if keys else None
    images = _find_images(options)
    if not options.yes:
        get_manifest(store, options.artifact_id)
        raise CommandError(
            f"artifact {options.artifact_id} is not erased, because --yes is missing",
            "nothing can undo an erasure: add --yes to go on. "
            + "".join(f"It deletes the image {one} too. " for one in _names(images))
            + _say_derived(derived),
        )
    tombstone = erase_artifact(store, options.artifact_id, options.reason)
    _delete_images(images)
    result = {"artifactId": options.artifact_id, "erasedAt": tombstone.erased_at, "reason": tombstone.reason}
    terminal.say(
        {**result, "derived": derived, "images": _names(images)},
        f"{options.artifact_id}: erased on {tombstone.erased_at}, and no longer readable in this store",
        *(f"{one}: deleted, and can no longer be pulled" for one in _names(images)),
    )
    for repository, digests in images:
        if not digests and not terminal.as_json:
            terminal.note(f"no tag of {repository.name} holds the artifact; name earlier images by their digests")
    if not terminal.as_json:
        terminal.note(_say_derived(derived))
    return DONE


def _find_images(options: argparse.Namespace) -> list[tuple[Repository, list[str]]]:
    """Returns the images of the artifact by their repositories. Raises CommandError."""
    try:
        names = [parse_repository(given) for given in options.image]
        repositories = [Repository(one, find_credentials(one.registry, os.environ)) for one in names]
        return [(one, find_images(one, options.artifact_id)) for one in repositories]
    except RegistryError as error:
        raise CommandError(error.message, error.hint) from None


def _delete_images(images: Sequence[tuple[Repository, list[str]]]) -> None:
    """Raises CommandError."""
    try:
        for repository, digests in images:
            delete_images(repository, digests)
    except RegistryError as error:
        raise CommandError(f"the artifact is erased in the store, but {error.message}", error.hint) from None


def _names(images: Sequence[tuple[Repository, list[str]]]) -> list[str]:
    return [f"{repository.name}@{digest}" for repository, digests in images for digest in digests]


def _say_derived(derived: Sequence[str] | None) -> str:
    if derived is None:
        return "To see which other artifacts were made from the same data, give a key that opens them with -i"
    if not derived:
        return "No other artifact that the given key opens was made from the same data"
    return f"Other artifacts of the same data, and their reports: {', '.join(derived)}"


def _find_derived(store: Store, erased: str, keys: Sequence[Key]) -> list[str]:
    """Returns the ids of the other artifacts of the same data, and of their reports, as far as the keys open them."""

    def describe(artifact_id: str) -> dict[str, Any]:
        with suppress(SealingError, StoreError):
            return _describe(get_manifest(store, artifact_id), keys)
        return {}

    told = dict(map_artifacts(store, describe))
    data = told.get(erased, {}).get(DATA_DIGEST)
    models = {erased} | {one for one, fields in told.items() if data is not None and fields.get(DATA_DIGEST) == data}
    return sorted((models | {one for one, fields in told.items() if fields.get(OF) in models}) - {erased})


def _describe(manifest: bytes, keys: Sequence[Key]) -> dict[str, Any]:
    return parse_manifest(manifest).open_description(data_key_of(manifest, keys))


COMMAND: Final = Subcommand(
    "erase",
    "destroy an artifact, and leave a tombstone with date and reason",
    "Destroys payload, manifest and signature of an artifact in all versions that the store keeps, checks that nothing "
    "is left, and leaves a tombstone. With -i it lists the other artifacts that were made from the same data. With "
    "--image it deletes the artifact's images of a repository, with the credentials of `docker login`; the registry's "
    "garbage collection then frees their layers. Copies elsewhere are not touched: images on nodes, the manifest in a "
    "stack's state and cluster, backups, and what a bucket's soft delete retains. Whoever has a payload, its manifest "
    "and a private key can still open them.",
    "sealift erase 0123456789abcdef0123456789abcdef --store s3://my-bucket/models --reason 'request 17' -i key.pem\n"
    "sealift erase 0123456789abcdef0123456789abcdef --store s3://my-bucket/models --reason 'request 17' --yes\n"
    "sealift erase 0123456789abcdef0123456789abcdef --store s3://my-bucket/models --reason 'request 17' --yes "
    "--image ghcr.io/acme/sealift-model",
    _add_options,
    _run,
)
