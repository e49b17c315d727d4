"""`sealift list`: the artifacts of a store, from their manifests alone."""

import argparse
from functools import partial
from typing import Final

from sealift.command.artifact import add_store
from sealift.command.meter import size_text
from sealift.command.subcommand import DONE, REFUSED, Subcommand
from sealift.command.terminal import Terminal
from sealift.sealing import ManifestInvalid
from sealift.sealing.manifest import Manifest, parse_manifest
from sealift.stores import ArtifactDamaged, ArtifactMissing, Store, get_manifest, map_artifacts, open_store

SHORT_ID: Final = 16

Entry = Manifest | str | None
"""A manifest, what is wrong with it, or None if it was deleted meanwhile."""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_store(parser, required=True)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    code = DONE
    store = open_store(options.store)
    for artifact_id, entry in map_artifacts(store, partial(_read, store)):
        if isinstance(entry, str):
            code = REFUSED
            terminal.say({"artifactId": artifact_id, "error": entry}, f"{artifact_id}  damaged: {entry}")
        elif entry is not None:
            ids = [one.key_id for one in entry.recipients]
            result = {
                "artifactId": artifact_id, "payloadSize": entry.payload_size, "payloadDigest": entry.payload_digest,
                "recipients": ids,
            }  # fmt: skip
            short = ", ".join(f"{one[:SHORT_ID]}…" for one in ids)
            terminal.say(result, f"{artifact_id}  {size_text(entry.payload_size):>8}  {short}")
    return code


def _read(store: Store, artifact_id: str) -> Entry:
    try:
        manifest = parse_manifest(get_manifest(store, artifact_id))
    except ArtifactMissing:
        return None
    except (ArtifactDamaged, ManifestInvalid) as error:
        return error.message
    return manifest if manifest.artifact_id == artifact_id else f"the manifest is of artifact {manifest.artifact_id}"


COMMAND: Final = Subcommand(
    "list",
    "list the artifacts of a store, with sizes and recipients",
    "Lists the artifacts of a store in the order of their ids: the id, the payload's size, and the first digits of the "
    "recipients' key ids; --json has them in full. It reads manifests only and needs no key, so nothing that it shows "
    "is authenticated. A damaged manifest has a line of its own, and the exit code is then 1.",
    "sealift list --store file://~/.sealift/store\n"
    "sealift list --store s3://my-bucket/models --json | jq -r .artifactId",
    _add_options,
    _run,
)
