"""`sealift provenance`: a document about an artifact, for programs of others."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sealift.command.artifact import add_digest, add_location, check_pin, find_location, read_input
from sealift.command.errors import CommandError
from sealift.command.keys import add_identities, data_key_of, find_keys
from sealift.command.new_files import new_file
from sealift.command.payload_check import payload_sha256
from sealift.command.subcommand import DONE, Subcommand
from sealift.command.terminal import Terminal
from sealift.contents.description import read_description
from sealift.contents.errors import ContentsError
from sealift.provenance import Subject, make_cyclonedx, make_slsa
from sealift.provenance.slsa import PREDICATE_TYPE
from sealift.sealing.manifest import Manifest
from sealift.signing.strict_json import load_strictly

FORMS: Final[Mapping[str, Callable[[Subject], dict[str, Any]]]] = {"slsa": make_slsa, "cyclonedx": make_cyclonedx}
LARGEST_DOCUMENT: Final = 1 << 22
PUBLIC_MODE: Final = 0o644


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_location(parser)
    add_identities(parser, required=True)
    add_digest(parser)
    form = "form of the document: slsa is an in-toto statement, cyclonedx a bill of materials (default: slsa)"
    parser.add_argument("--format", choices=sorted(FORMS), default="slsa", help=form)
    output = "name of the new file for the document (default: standard output)"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=output)


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    location = find_location(options)
    manifest = location.manifest()
    check_pin(manifest, options.payload_digest)
    description = manifest.open_description(data_key_of(manifest.encode(), find_keys(options), location.keys))
    subject = make_subject(manifest, description, payload_sha256(location, manifest, terminal, "reading"))
    document = json.dumps(FORMS[options.format](subject), indent=None if terminal.as_json else 2, sort_keys=True)
    if options.output is None:
        print(document)
        return DONE
    with new_file(options.output, PUBLIC_MODE) as file:
        file.write(f"{document}\n".encode())
        file.create()
    result = {"artifactId": subject.artifact_id, "format": options.format, "output": str(options.output)}
    terminal.say(result, f"wrote {options.output}")
    return DONE


def make_subject(manifest: Manifest, description: Mapping[str, Any], sha256: str) -> Subject:
    """Returns what a document is about. `sha256` is of the payload's file. Raises CommandError."""
    try:
        described = read_description(description)
    except ContentsError as error:
        raise CommandError(
            f"the description of artifact {manifest.artifact_id} is not one that training wrote: {error}",
            "documents are about artifacts that a training run sealed; `sealift inspect -i KEY` shows what it says",
        ) from None
    return Subject(manifest.artifact_id, manifest.payload_digest, manifest.payload_size, sha256, described)


def check_document(path: Path, subject: Subject) -> None:
    """Raises CommandError unless the file is what `sealift provenance` writes about the artifact."""
    text = read_input(path, LARGEST_DOCUMENT)
    try:
        given = load_strictly(text) if len(text) <= LARGEST_DOCUMENT else None
    except (ValueError, RecursionError):
        given = None
    marks = given if isinstance(given, dict) else {}
    for name, value, make in (("predicateType", PREDICATE_TYPE, make_slsa), ("bomFormat", "CycloneDX", make_cyclonedx)):
        if marks.get(name) == value:
            _compare(path, marks, make(subject))
            return
    raise CommandError(
        f"{path} is no document about an artifact", "give a file that `sealift provenance` wrote, of at most 4 MiB"
    )


def _compare(path: Path, given: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    differing = sorted(name for name in given.keys() | expected.keys() if given.get(name) != expected.get(name))
    if differing or json.dumps(given, sort_keys=True) != json.dumps(expected, sort_keys=True):
        raise CommandError(
            f"{path} says something else than the artifact, in {', '.join(differing) or 'its numbers'}",
            "`sealift provenance` writes what the artifact says; find out who wrote this file",
        )


COMMAND: Final = Subcommand(
    "provenance",
    "write where a model comes from: an in-toto statement (SLSA), or a bill of materials (CycloneDX)",
    "Reads and authenticates a whole artifact and writes a document about it: its digests, the digests of its data and "
    "code, its hyperparameters, metrics and libraries. slsa is an in-toto statement with SLSA's provenance, cyclonedx "
    "is a bill of materials of CycloneDX 1.6. The document is not encrypted: it shows what the artifact's description "
    "says, in the clear. Equal artifacts have equal documents, so `sealift verify --provenance FILE` can compare one.",
    "sealift provenance 0123456789abcdef0123456789abcdef --store s3://my-bucket/models -i key.pem -o model.slsa.json\n"
    "sealift provenance --payload out/model.payload --manifest out/model.manifest -i key.pem --format cyclonedx",
    _add_options,
    _run,
)
