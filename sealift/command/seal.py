"""`sealift seal`: a file or a pipe becomes an artifact, in a store or in two files."""

import argparse
import io
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from sealift.command.artifact import add_store, find_store, open_input
from sealift.command.errors import WrongUsage
from sealift.command.keys import STANDARD_INPUT, add_key_store, add_recipients, find_recipients
from sealift.command.new_files import create_all, new_file
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal
from sealift.sealing import FileSource, Recipient, Sealed, new_artifact_id, seal_into, under_key
from sealift.sealing.sources import ByteSource
from sealift.stores import Store, create_artifact

Plain = ByteSource | BinaryIO


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="file to seal, of any kind and size; - is standard input")
    add_recipients(parser)
    add_store(parser)
    keys = "URL of a store of keys, where the artifact gets a key-encryption key of its own, for `sealift erase`"
    add_key_store(parser, keys)
    output = "path of two new files, PATH.payload and PATH.manifest, instead of a store"
    parser.add_argument("-o", "--output", type=Path, metavar="PATH", help=output)
    description = "JSON object that describes the model, as text or as @FILE; it is encrypted (default: {})"
    parser.add_argument("--description", type=_description, metavar="JSON", default={}, help=description)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    if (options.store is None) == (options.output is None):
        raise WrongUsage("the artifact needs one place", "give either --store URL or -o PATH")
    if options.keys is not None and options.store is None:
        raise WrongUsage("--keys is for artifacts in a store", "give --store URL beside it")
    if not options.recipient and not options.recipients:
        raise WrongUsage("there is no recipient, so nobody could open the artifact", "give -r RECIPIENT or -R FILE")
    recipients = find_recipients(options)
    with _plain(options.file) as plain:
        total = plain.size_bytes if isinstance(plain, FileSource) else None
        with terminal.meter("sealing", total) as meter:
            content = meter.source(plain)
            if options.store is not None:
                sealed = _into_store(find_store(options), content, options.description, recipients)
            else:
                sealed = _into_files(options.output, content, options.description, recipients)
    result = {
        "artifactId": sealed.artifact_id, "payloadDigest": sealed.payload_digest, "payloadSize": sealed.payload_size,
        "recipients": sorted(one.key_id for one in recipients),
    }  # fmt: skip
    terminal.say(result, f"artifact id: {sealed.artifact_id}", f"payload digest: {sealed.payload_digest}")
    return DONE


def _into_store(store: Store, plain: Plain, description: dict[str, Any], recipients: list[Recipient]) -> Sealed:
    artifact_id = new_artifact_id()
    return create_artifact(
        store,
        artifact_id,
        lambda write, kek: seal_into(write, plain, description, under_key(recipients, kek), artifact_id),
    )


def _into_files(path: Path, plain: Plain, description: dict[str, Any], recipients: list[Recipient]) -> Sealed:
    names = (path.with_name(f"{path.name}.{part}") for part in ("payload", "manifest"))
    with new_file(next(names)) as payload, new_file(next(names)) as manifest:
        sealed = seal_into(payload.write, plain, description, recipients)
        manifest.write(sealed.manifest)
        create_all((payload, manifest))
    return sealed


@contextmanager
def _plain(given: str) -> Iterator[Plain]:
    """Opens what is sealed. A regular file is read by several threads, anything else in order."""
    if given == STANDARD_INPUT:
        yield cast(BinaryIO, cast(io.BufferedReader, sys.stdin.buffer).raw)  # see open_input
        return
    with open_input(Path(given)) as file:
        yield FileSource(file.fileno()) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else file


def _description(text: str) -> dict[str, Any]:
    """Reads the description. Raises ArgumentTypeError, or CommandError if its file cannot be read."""
    if text.startswith("@"):
        with open_input(Path(text[1:])) as file:
            text = file.read().decode("utf-8", "replace")
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError('the description is not a JSON object; allowed: such as {"name": "digits"}')
    return found


def _refuse(name: str) -> None:
    raise ValueError(name)


COMMAND: Final = Subcommand(
    "seal",
    "encrypt a file to recipients: a payload and its manifest, in a store or in two files",
    "Seals a file, or what comes on standard input, into an artifact: an encrypted payload, and a manifest with the "
    "data key wrapped for each recipient. It needs public keys only. It holds a few megabytes in memory, whatever the "
    "size. The printed payload digest pins the artifact: whoever has only the public key can seal another file, but "
    "not one with this digest.",
    "sealift seal model.onnx -r key.pem.pub --store file://~/.sealift/store\n"
    "sealift seal model.onnx -r key.pem.pub -r hashivault://sealift -o out/model\n"
    "tar c model | sealift seal - -R recipients.txt --store s3://my-bucket/models",
    _add_options,
    _run,
)
