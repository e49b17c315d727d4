"""Where an artifact is: in a store under its id, or in two files, a payload and its manifest."""

import argparse
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from sealift.command.errors import CommandError, WrongUsage
from sealift.sealing import FileSource, PinMismatch
from sealift.sealing.manifest import MAX_BYTES, Manifest, parse_manifest
from sealift.stores import ArtifactMissing, Store, get_manifest, open_payload, open_store

ARTIFACT_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
STORE_HELP: Final = "URL of the store, such as file://~/.sealift/store or s3://my-bucket/models"
ID_HELP: Final = "id of the artifact in the store; beside --payload and --manifest, the id that they must have"


@dataclass(frozen=True)
class Location:
    """The place of one artifact. `artifact_id` is the expected one."""

    artifact_id: str | None
    store: Store | None
    payload_file: Path | None
    manifest_file: Path | None

    def manifest(self) -> Manifest:
        """Reads the manifest without authenticating it. Raises CommandError, ManifestInvalid, PinMismatch or
        StoreError."""
        if self.store is not None and self.artifact_id is not None:
            try:
                encoded = get_manifest(self.store, self.artifact_id)
            except ArtifactMissing:
                raise CommandError(
                    f"the store {self.store.location} has no artifact {self.artifact_id}",
                    "check the URL; `sealift list --store URL` shows all ids",
                ) from None
        else:
            encoded = _read(self.manifest_file)
        manifest = parse_manifest(encoded)
        if self.artifact_id not in (None, manifest.artifact_id):
            raise PinMismatch(
                f"the manifest is of artifact {manifest.artifact_id}, not of {self.artifact_id}",
                "use the manifest and the payload of the same artifact",
            )
        return manifest

    @contextmanager
    def payload(self) -> Iterator[FileSource | BinaryIO]:
        """Opens the payload: a file as a source of known size, anything else as a stream."""
        if self.store is not None and self.artifact_id is not None:
            with open_payload(self.store, self.artifact_id) as stream:
                yield _as_file(stream)
        else:
            with open_input(_needed(self.payload_file)) as file:
                yield _as_file(file)


def add_store(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Adds the option of the store."""
    parser.add_argument("--store", metavar="URL", required=required, help=STORE_HELP)


def add_location(parser: argparse.ArgumentParser, *, payload: bool = True) -> None:
    """Adds the options that name one artifact."""
    parser.add_argument("artifact_id", metavar="ARTIFACT-ID", nargs="?", type=artifact_id, help=ID_HELP)
    add_store(parser)
    for name in ("payload", "manifest") if payload else ("manifest",):
        parser.add_argument(
            f"--{name}", type=Path, metavar="FILE", help=f"file of the artifact's {name}, instead of --store"
        )


def find_location(options: argparse.Namespace) -> Location:
    """Returns the artifact that the options name. Raises WrongUsage or StoreUrlInvalid."""
    payload = getattr(options, "payload", None)
    if options.store is not None:
        if payload or options.manifest:
            raise WrongUsage("--store is not allowed beside files", "give ARTIFACT-ID --store URL, or the files alone")
        if options.artifact_id is None:
            raise WrongUsage("the artifact's id is missing", "`sealift list --store URL` shows all ids")
        return Location(options.artifact_id, open_store(options.store), None, None)
    if options.manifest is None or (hasattr(options, "payload") and payload is None):
        files = "--payload FILE and --manifest FILE" if hasattr(options, "payload") else "--manifest FILE"
        raise WrongUsage("the artifact's place is missing", f"give ARTIFACT-ID and --store URL, or {files}")
    return Location(options.artifact_id, None, payload, options.manifest)


@contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """Opens a file of the user's. Raises CommandError."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", "check its name and its permissions") from None
    with file:
        yield file


def artifact_id(text: str) -> str:
    """Reads an artifact's id. Raises ArgumentTypeError."""
    return _hexadecimal(text, ARTIFACT_ID, 32)


def payload_digest(text: str) -> str:
    """Reads a payload's digest. Raises ArgumentTypeError."""
    return _hexadecimal(text, DIGEST, 64)


def _hexadecimal(text: str, form: "re.Pattern[str]", digits: int) -> str:
    if not form.match(text):
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is not an id; allowed: {digits} lower-case hex digits")
    return text


def _as_file(stream: BinaryIO) -> FileSource | BinaryIO:
    """A regular file is read by several threads, anything else in order."""
    try:
        source = FileSource(stream.fileno())
    except (OSError, io.UnsupportedOperation):
        return stream
    return source if stream.seekable() else stream


def _read(path: Path | None) -> bytes:
    with open_input(_needed(path)) as file:
        return file.read(MAX_BYTES + 1)


def _needed(path: Path | None) -> Path:
    if path is None:
        raise AssertionError("internal error: an artifact without a place")
    return path
