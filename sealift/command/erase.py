"""`sealift erase`: destruction of artifacts, with a tombstone for each."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from sealift.command.artifact import ID_HELP, add_store, artifact_id, find_store
from sealift.command.errors import CommandError
from sealift.command.images import Images, add_images, delete_all, find_named_images, list_names, say_missing
from sealift.command.keys import Key, add_identities, data_key_of, find_keys
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal
from sealift.own_keys import check_erasable
from sealift.sealing import SealingError
from sealift.sealing.manifest import parse_manifest
from sealift.stores import (
    ArtifactErased,
    ArtifactMissing,
    Store,
    StoreError,
    Tombstone,
    erase_artifact,
    get_manifest,
    map_artifacts,
)

DATA_DIGEST: Final = "dataDigest"
OF: Final = "of"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("artifact_id", metavar="ARTIFACT-ID", type=artifact_id, help=ID_HELP.partition(";")[0])
    add_store(parser, required=True)
    reason = "reason that the tombstone shows to everybody who reads the store, such as a request's number"
    parser.add_argument("--reason", metavar="TEXT", required=True, help=reason)
    add_identities(parser, required=False)
    add_images(parser)
    lost = "erase an artifact whose own key no store of keys has any more; a copy of that key would still open backups"
    parser.add_argument("--key-lost", action="store_true", help=lost)
    yes = "consent to the erasure, which nothing can undo; without it, nothing is erased"
    parser.add_argument("--yes", action="store_true", help=yes)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    store, keys = find_store(options), find_keys(options)
    check_erasable(store, options.artifact_id, key_lost=options.key_lost)
    derived = _find_derived(store, options.artifact_id, keys) if keys else None
    images = find_named_images(options)
    if not options.yes:
        if not list_names(images):
            get_manifest(store, options.artifact_id)
        raise CommandError(
            f"artifact {options.artifact_id} is not erased, because --yes is missing",
            "nothing can undo an erasure: add --yes to go on. "
            + "".join(f"It deletes the image {one} too. " for one in list_names(images))
            + _say_derived(derived),
        )
    tombstone = _erase_stored(store, options, images)
    delete_all(images)
    erased_at, reason = (None, None) if tombstone is None else (tombstone.erased_at, tombstone.reason)
    result = {"artifactId": options.artifact_id, "erasedAt": erased_at, "reason": reason}
    lines = [f"{one}: deleted, and can no longer be pulled" for one in list_names(images)]
    if tombstone is not None:
        lines.insert(0, f"{options.artifact_id}: erased on {erased_at}, and no longer readable in this store")
    others = None if derived is None else sorted(derived)
    terminal.say({**result, "derived": others, "images": list_names(images)}, *lines)
    if not terminal.as_json:
        for line in (*_say_kept(options, tombstone), *say_missing(images), _say_derived(derived)):
            terminal.note(line)
    return DONE


def _erase_stored(store: Store, options: argparse.Namespace, images: Images) -> Tombstone | None:
    """Erases the artifact in its store. Returns None if only images of it are left, as after an update with
    `retention: delete`. Raises StoreError.
    """
    try:
        return erase_artifact(store, options.artifact_id, options.reason)
    except ArtifactErased:
        raise
    except ArtifactMissing:
        if not list_names(images):
            raise
        return None


def _say_kept(options: argparse.Namespace, tombstone: Tombstone | None) -> Iterator[str]:
    if tombstone is None:
        yield f"the store does not have artifact {options.artifact_id}, so it keeps no tombstone"
    elif tombstone.reason != options.reason:
        yield f"it was erased earlier, and its tombstone keeps the reason: {tombstone.reason}"


def _say_derived(derived: Mapping[str, str | None] | None) -> str:
    if derived is None:
        return "To see which other artifacts were made from the same data, give a key that opens them with -i"
    if not derived:
        return "No other artifact that the given key opens was made from the same data"
    named = ", ".join(one if of is None else f"{one} (report of {of})" for one, of in sorted(derived.items()))
    return (
        f"Other artifacts of the same data: {named}. One of them may be served: `pulumi stack output artifactId` "
        "names a stack's own"
    )


def _find_derived(store: Store, erased: str, keys: Sequence[Key]) -> dict[str, str | None]:
    """Returns the other artifacts of the same data, as far as the keys open them: each id with the id of the model that
    it reports on, or None if it is a model.
    """

    def describe(artifact_id: str) -> dict[str, Any]:
        with suppress(SealingError, StoreError):
            return _describe(get_manifest(store, artifact_id), keys, store)
        return {}

    told = dict(map_artifacts(store, describe))
    data = told.get(erased, {}).get(DATA_DIGEST)
    models = {erased} | {one for one, fields in told.items() if data is not None and fields.get(DATA_DIGEST) == data}
    found: dict[str, str | None] = dict.fromkeys(models - {erased})
    return found | {one: str(fields[OF]) for one, fields in told.items() if fields.get(OF) in models}


def _describe(manifest: bytes, keys: Sequence[Key], store: Store) -> dict[str, Any]:
    return parse_manifest(manifest).open_description(data_key_of(manifest, keys, store.keys))


COMMAND: Final = Subcommand(
    "erase",
    "destroy an artifact, and leave a tombstone with date and reason",
    "Destroys payload, manifest and signature of an artifact in all versions that the store keeps, checks that "
    "nothing is left, and leaves a tombstone. An artifact with a key-encryption key of its own needs --keys: that key"
    " is destroyed first, and then no copy of the artifact opens with a private key. With -i it lists the other "
    "artifacts that were made from the same data. With --image it deletes the artifact's images of a repository, with"
    " the credentials of `docker login`; the registry's garbage collection then frees their layers. Copies elsewhere "
    "are not touched: images on nodes, the manifest in a stack's state and cluster, backups, and what a bucket's soft"
    " delete retains. Whoever has a payload, its manifest and a private key can still open them, unless the artifact "
    "had a key of its own.",
    "sealift erase 0123456789abcdef0123456789abcdef --store s3://my-bucket/models --reason 'request 17' -i key.pem\n"
    "sealift erase 0123456789abcdef0123456789abcdef --store s3://my-bucket/models --reason 'request 17' --yes\n"
    "sealift erase 0123456789abcdef0123456789abcdef --store s3://my-bucket/models --reason 'request 17' --yes "
    "--image ghcr.io/acme/sealift-model",
    _add_options,
    _run,
)
