"""`sealift open`: an artifact becomes the plain file again, or nothing does.

A file gets its name after everything is authenticated. A pipe gets its first byte after that too, so the plaintext is
in memory until then: a program that reads the pipe could otherwise use a model that was cut off.
"""

import argparse
from pathlib import Path
from typing import BinaryIO, Final

from sealift.command.artifact import Location, add_digest, add_location, check_pin, find_location
from sealift.command.errors import WrongUsage
from sealift.command.keys import STANDARD_INPUT, add_identities, data_key_of, find_keys
from sealift.command.new_files import new_file
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal, secret_output
from sealift.sealing import open_artifact, open_into
from sealift.sealing.manifest import Manifest
from sealift.stores import AuditEntry

INSTEAD: Final = "give -o FILE, or redirect the output to a file or a program"


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_location(parser)
    add_identities(parser, required=True)
    output = "new file for the plain content, with mode 0600; - is standard output, no terminal (default: -)"
    parser.add_argument("-o", "--output", metavar="FILE", default=STANDARD_INPUT, help=output)
    add_digest(parser)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    location = find_location(options)
    if options.output == STANDARD_INPUT:
        if terminal.as_json:
            raise WrongUsage("standard output cannot have both the content and JSON", "give -o FILE beside --json")
        with secret_output("the plain content", INSTEAD) as output:
            _to_pipe(options, location, output, terminal)
        return DONE
    path = Path(options.output)
    with location.audited("open") as entry, new_file(path) as file:
        manifest, data_key, digest = _unwrapped(options, location, entry, terminal)
        with location.payload() as payload, terminal.meter("opening", manifest.payload_size) as meter:
            description = open_into(
                file,
                manifest.encode(),
                meter.source(payload),
                data_key,
                artifact_id=manifest.artifact_id,
                payload_digest=digest,
            )
    result = {"artifactId": manifest.artifact_id, "file": str(path), "description": description}
    terminal.say(result, f"wrote {path}")
    return DONE


def _to_pipe(options: argparse.Namespace, location: Location, output: BinaryIO, terminal: Terminal) -> None:
    with location.audited("open") as entry:
        manifest, data_key, digest = _unwrapped(options, location, entry, terminal)
        with location.payload() as payload, terminal.meter("opening", manifest.payload_size) as meter:
            opened = open_artifact(
                manifest.encode(),
                meter.source(payload),
                data_key,
                artifact_id=manifest.artifact_id,
                payload_digest=digest,
            )
        output.write(opened.model)


def _unwrapped(
    options: argparse.Namespace, location: Location, entry: AuditEntry | None, terminal: Terminal
) -> tuple[Manifest, bytes, str]:
    """Returns the manifest, its data key and the digest that the payload must have, and begins the entry in the log."""
    manifest = location.manifest()
    if entry is not None:
        entry.payload_digest = manifest.payload_digest
    check_pin(manifest, options.payload_digest)
    data_key = data_key_of(manifest.encode(), find_keys(options), location.keys)
    warning = None if entry is None else entry.begin_reading()
    if warning is not None:
        terminal.note(f"warning: {warning}")
    return manifest, data_key, manifest.payload_digest


COMMAND: Final = Subcommand(
    "open",
    "decrypt an artifact with a private key, into a new file or a pipe",
    "Opens an artifact with a private key. It checks the manifest, every segment and the payload's digest before the "
    "plain content is released. A file is complete or absent, has mode 0600 and needs a few megabytes of memory. To a "
    "pipe, the content is first held in memory as a whole. A terminal is refused. Without --payload-digest, anyone who "
    "has the public key and can write to the artifact's place can exchange the artifact for another one.",
    "sealift open 0123456789abcdef0123456789abcdef --store s3://my-bucket/models -i key.pem -o model.onnx\n"
    "sealift open --payload out/model.payload --manifest out/model.manifest -i key.pem | sha256sum\n"
    "pass show sealift | sealift open 0123456789abcdef0123456789abcdef --store file:///srv/models -i - -o model.onnx",
    _add_options,
    _run,
)
