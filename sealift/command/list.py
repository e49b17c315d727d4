"""`sealift list`: the artifacts of a store, from their manifests alone, or the lines of its audit log."""

import argparse
from functools import partial
from typing import Final

from sealift.command.artifact import add_store
from sealift.command.meter import size_text
from sealift.command.subcommand import DONE, REFUSED, Subcommand
from sealift.command.terminal import Terminal
from sealift.sealing import ManifestInvalid
from sealift.sealing.manifest import Manifest, parse_manifest
from sealift.stores import ArtifactDamaged, ArtifactMissing, Store, get_manifest, map_artifacts, open_store, read_log

SHORT_ID: Final = 16

Entry = Manifest | str | None
"""A manifest, what is wrong with it, or None if it was deleted meanwhile."""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_store(parser, required=True)
    audit = "list of the lines of the store's audit log, oldest first, instead of the artifacts"
    parser.add_argument("--audit", action="store_true", help=audit)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    store = open_store(options.store)
    return _list_log(store, terminal) if options.audit else _list_artifacts(store, terminal)


def _list_log(store: Store, terminal: Terminal) -> int:
    code = DONE
    for found in read_log(store):
        if isinstance(found.line, str):
            code = REFUSED
            terminal.say({"number": found.number, "error": found.line}, f"{found.number}  damaged: {found.line}")
        else:
            line = found.line
            outcome = f"{line.outcome}: {line.error}" if line.error else line.outcome
            terminal.say(
                line.fields,
                f"{line.number}  {line.time}  {line.who}  {line.action}  {line.artifact_id}  {outcome}",
            )
    return code


def _list_artifacts(store: Store, terminal: Terminal) -> int:
    code = DONE
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
    "list the artifacts of a store, with sizes and recipients, or its audit log",
    "Lists the artifacts of a store in the order of their ids: the id, the payload's size, and the first digits of the "
    "recipients' key ids; --json has them in full. It reads manifests only and needs no key, so nothing that it shows "
    "is authenticated. A damaged manifest has a line of its own, and the exit code is then 1. With --audit it lists "
    "who did what to which artifact, when, and how it ended; `sealift verify --audit` checks these lines.",
    "sealift list --store file://~/.sealift/store\n"
    "sealift list --store s3://my-bucket/models --json | jq -r .artifactId\n"
    "sealift list --audit --store s3://my-bucket/models",
    _add_options,
    _run,
)
