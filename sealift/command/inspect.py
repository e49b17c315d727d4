"""`sealift inspect`: what a manifest says without a key, and with one."""

import argparse
import json
from typing import Final

from sealift.command.artifact import add_location, find_location
from sealift.command.keys import add_identities, data_key_of, find_keys
from sealift.command.meter import size_text
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal
from sealift.sealing.manifest import VERSION


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_location(parser, payload=False)
    add_identities(parser, required=False)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    location = find_location(options)
    manifest = location.manifest()
    description = None
    if options.identity:
        data_key = data_key_of(manifest.encode(), find_keys(options), location.keys)
        description = manifest.open_description(data_key)
    recipients = [{"kind": one.kind, "keyId": one.key_id} for one in manifest.recipients]
    result = {
        "artifactId": manifest.artifact_id, "formatVersion": VERSION, "payloadDigest": manifest.payload_digest,
        "payloadSize": manifest.payload_size, "recipients": recipients, "authentic": description is not None or None,
        "description": description,
    }  # fmt: skip
    shown = "encrypted; -i opens it" if description is None else json.dumps(description, indent=2)
    terminal.say(
        result,
        f"artifact id: {manifest.artifact_id}",
        f"format version: {VERSION}",
        f"payload digest: {manifest.payload_digest}",
        f"payload size: {manifest.payload_size} bytes ({size_text(manifest.payload_size)})",
        *(f"recipient: {one.key_id} ({one.kind})" for one in manifest.recipients),
        f"authentic: {'not known without a key' if description is None else 'yes'}",
        f"description: {shown}",
    )
    return DONE


COMMAND: Final = Subcommand(
    "inspect",
    "show what a manifest says: ids, size, recipients and, with a key, the description",
    "Shows the plain fields of an artifact's manifest. Without a key nothing shows whether they are authentic. With -i "
    "the manifest is authenticated and the description is decrypted. The payload is not read: `sealift verify` reads "
    "it.",
    "sealift inspect 0123456789abcdef0123456789abcdef --store file://~/.sealift/store\n"
    "sealift inspect --manifest out/model.manifest -i key.pem --json",
    _add_options,
    _run,
)
