"""`sealift verify`: whether artifacts are what was sealed, without releasing anything of them."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sealift.command.artifact import Location, add_digest, add_locations, check_pin, find_locations
from sealift.command.errors import CommandError, WrongUsage
from sealift.command.keys import Key, add_identities, data_key_of, find_keys
from sealift.command.provenance import check_document, read_subject
from sealift.command.subcommand import DONE, REFUSED, Subcommand
from sealift.command.terminal import Terminal
from sealift.sealing import SealingError, stream_digest
from sealift.sealing.manifest import Manifest
from sealift.stores import StoreError, StoreUnwritable


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_locations(parser)
    add_identities(parser, required=False)
    add_digest(parser)
    document = "document that `sealift provenance` wrote, which must say what the artifact says; needs -i"
    parser.add_argument("--provenance", type=Path, metavar="FILE", help=document)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    locations = find_locations(options)
    if options.payload_digest is not None and len(locations) != 1:
        raise WrongUsage("--payload-digest is of one artifact", "name one artifact")
    if options.provenance is not None and (len(locations) != 1 or not options.identity):
        raise WrongUsage(
            "--provenance is of one artifact, and needs its key", "name one artifact, and give -i IDENTITY"
        )
    keys = find_keys(options)
    outcomes = [_report(location, keys, options, terminal) for location in locations]
    return DONE if all(outcomes) else REFUSED


def _report(location: Location, keys: Sequence[Key], options: argparse.Namespace, terminal: Terminal) -> bool:
    """Says whether one artifact is intact. Raises StoreUnwritable, which concerns them all."""
    try:
        manifest = location.manifest()
        check_pin(manifest, options.payload_digest)
        if options.provenance is not None:
            check_document(options.provenance, read_subject(location, keys, options.payload_digest, terminal))
        else:
            _verify(location, manifest, keys, terminal)
    except StoreUnwritable:
        raise
    except (CommandError, SealingError, StoreError) as error:
        if terminal.as_json:
            terminal.say({"artifactId": location.artifact_id, "intact": False, "error": error.message})
        else:
            terminal.complain(f"{location.name}: {error.message}", error.hint)
        return False
    what = "intact and authentic" if keys else "intact"
    result = {
        "artifactId": manifest.artifact_id, "intact": True, "authentic": bool(keys) or None,
        "payloadDigest": manifest.payload_digest,
    }  # fmt: skip
    terminal.say(result, f"{manifest.artifact_id}: {what}")
    return True


def _verify(location: Location, manifest: Manifest, keys: Sequence[Key], terminal: Terminal) -> None:
    if keys:
        manifest.open_description(data_key_of(manifest.encode(), keys))
    with location.payload_stream() as payload, terminal.meter("verifying", manifest.payload_size) as meter:
        digest = stream_digest(meter.stream(payload))
    if (digest, meter.done_bytes) != (manifest.payload_digest, manifest.payload_size):
        raise CommandError(
            "the payload differs from what was sealed",
            "find out who can write to the place of the artifact, and restore it from a copy",
        )


COMMAND: Final = Subcommand(
    "verify",
    "check whole artifacts: the payload's digest, and with a key the manifest too",
    "Reads whole artifacts and compares size and digest of each payload with its manifest. With -i it also "
    "authenticates the manifest, which only a holder of the data key can have written. Without -i, whoever can write "
    "both files can exchange them together: then give --payload-digest, or -i. Nothing is decrypted to a disk.",
    "sealift verify 0123456789abcdef0123456789abcdef --store s3://my-bucket/models -i key.pem\n"
    "sealift verify --all --store file://~/.sealift/store --json\n"
    "sealift verify --payload out/model.payload --manifest out/model.manifest\n"
    "sealift verify 0123456789abcdef0123456789abcdef --store s3://my-bucket/models -i key.pem --provenance model.json",
    _add_options,
    _run,
)
