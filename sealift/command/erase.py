"""`sealift erase`: destruction of artifacts, with a tombstone for each."""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from sealift.command.artifact import ID_HELP, add_store, artifact_id
from sealift.command.errors import CommandError
from sealift.command.keys import Key, add_identities, data_key_of, find_keys
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal
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
    yes = "consent to the erasure, which nothing can undo; without it, nothing is erased"
    parser.add_argument("--yes", action="store_true", help=yes)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    store, keys = open_store(options.store), find_keys(options)
    derived = _find_derived(store, options.artifact_id, keys) if keys else None
    if not options.yes:
        get_manifest(store, options.artifact_id)
        raise CommandError(
            f"artifact {options.artifact_id} is not erased, because --yes is missing",
            "nothing can undo an erasure: add --yes to go on. " + _say_derived(derived),
        )
    tombstone = erase_artifact(store, options.artifact_id, options.reason)
    result = {"artifactId": options.artifact_id, "erasedAt": tombstone.erased_at, "reason": tombstone.reason}
    terminal.say(
        {**result, "derived": derived},
        f"{options.artifact_id}: erased on {tombstone.erased_at}, and no longer readable in this store",
    )
    if not terminal.as_json:
        terminal.note(_say_derived(derived))
    return DONE


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
    "Destroys payload and manifest of an artifact in all versions that the store keeps, checks that both are gone, and "
    "leaves a tombstone. With -i it lists the other artifacts that were made from the same data. Copies elsewhere are "
    "not touched: the payload in layers of an image, the manifest in a stack's state and cluster, backups, and what a "
    "bucket's soft delete retains. Whoever has both copies and a private key can still open them.",
    "sealift erase 0123456789abcdef0123456789abcdef --store s3://my-bucket/models --reason 'request 17' -i key.pem\n"
    "sealift erase 0123456789abcdef0123456789abcdef --store s3://my-bucket/models --reason 'request 17' --yes",
    _add_options,
    _run,
)
