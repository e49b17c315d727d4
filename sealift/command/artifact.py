"""Where an artifact is: in a store under its id, or in two files, a payload and its manifest."""

import argparse
import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from sealift.command.errors import CommandError, WrongUsage
from sealift.sealing import FileSource, PinMismatch
from sealift.sealing.manifest import MAX_BYTES, Manifest, parse_manifest
from sealift.stores import (
    Action,
    ArtifactErased,
    ArtifactMissing,
    AuditEntry,
    Store,
    artifact_ids,
    audited,
    get_manifest,
    open_payload,
    open_store,
)

ARTIFACT_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
STORE_HELP: Final = "URL of the store, such as file://~/.sealift/store or s3://my-bucket/models"
ID_HELP: Final = "id of the artifact in the store; beside --payload and --manifest, the id that they must have"

ARTIFACTS_HELP: Final = "ids of artifacts in the store, one or several"


@dataclass(frozen=True)
class Location:
    """The place of one artifact. `artifact_id` is the expected one. `keys` is the store of keys."""

    artifact_id: str | None
    store: Store | None
    payload_file: Path | None
    manifest_file: Path | None
    keys: Store | None

    def manifest(self) -> Manifest:
        """Reads the manifest without authenticating it. Raises CommandError, ManifestInvalid, PinMismatch or
        StoreError.
        """
        if self.store is not None and self.artifact_id is not None:
            try:
                encoded = get_manifest(self.store, self.artifact_id)
            except ArtifactErased:
                raise
            except ArtifactMissing:
                raise ArtifactMissing(
                    f"the store {self.store.location} has no artifact {self.artifact_id}",
                    "check the URL; `sealift list --store URL` shows all ids",
                ) from None
        else:
            encoded = read_input(_needed(self.manifest_file), MAX_BYTES)
        manifest = parse_manifest(encoded)
        if self.artifact_id not in (None, manifest.artifact_id):
            raise PinMismatch(
                f"the manifest is of artifact {manifest.artifact_id}, not of {self.artifact_id}",
                "use the manifest and the payload of the same artifact",
            )
        return manifest

    @contextmanager
    def audited(self, action: Action) -> Iterator[AuditEntry | None]:
        """Yields the action's entry in the store's audit log, which the block begins. Files have no log: None."""
        if self.store is None or self.artifact_id is None:
            yield None
            return
        with audited(self.store, action, self.artifact_id) as entry:
            yield entry

    @property
    def name(self) -> str:
        """The artifact's id, or its manifest's file, for messages."""
        return self.artifact_id or str(self.manifest_file)

    @contextmanager
    def payload_stream(self) -> Iterator[BinaryIO]:
        """Opens the payload as a stream. Raises CommandError or StoreError."""
        if self.store is not None and self.artifact_id is not None:
            try:
                stream = open_payload(self.store, self.artifact_id)
            except ArtifactMissing:
                raise ArtifactMissing(
                    f"the store {self.store.location} has the manifest of artifact {self.artifact_id}, but no payload",
                    "restore the payload from a copy of the store",
                ) from None
            with stream:
                yield stream
        else:
            with open_input(_needed(self.payload_file)) as file:
                yield file

    @contextmanager
    def payload(self) -> Iterator[FileSource | BinaryIO]:
        """Opens the payload: a regular file as a source, which several threads read; anything else as a stream."""
        with self.payload_stream() as stream:
            try:
                regular = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
            except (OSError, io.UnsupportedOperation):  # object storage
                regular = False
            yield FileSource(stream.fileno()) if regular else stream


def add_store(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Adds the option of the store."""
    parser.add_argument("--store", metavar="URL", required=required, help=STORE_HELP)


def find_store(options: argparse.Namespace) -> Store:
    """Returns the store that the options name, with its store of keys. Raises StoreUrlInvalid."""
    return open_store(options.store, getattr(options, "keys", None))


def add_digest(parser: argparse.ArgumentParser) -> None:
    """Adds the option of the expected digest."""
    digest = "payload digest that the artifact must have, as `sealift seal` printed it (default: the manifest's own)"
    parser.add_argument("--payload-digest", metavar="HEX", type=payload_digest, help=digest)


def add_location(parser: argparse.ArgumentParser, *, payload: bool = True, many: bool = False) -> None:
    """Adds the options that name one artifact, or `many` of a store."""
    count = "*" if many else "?"
    parser.add_argument("artifact_id", metavar="ARTIFACT-ID", nargs=count, type=artifact_id, help=ID_HELP)
    add_store(parser)
    for name in ("payload", "manifest") if payload else ("manifest",):
        parser.add_argument(
            f"--{name}", type=Path, metavar="FILE", help=f"file of the artifact's {name}, instead of --store"
        )


def add_locations(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name several artifacts of a store, or one in files."""
    add_location(parser, many=True)
    add_all(parser)


def add_all(parser: argparse.ArgumentParser) -> None:
    """Adds the option for a whole store."""
    parser.add_argument("--all", action="store_true", help="choice of all artifacts of the store, instead of ids")


def find_location(options: argparse.Namespace) -> Location:
    """Returns the artifact that the options name. Raises WrongUsage or StoreUrlInvalid."""
    if options.store is not None:
        _refuse_files(options)
        if options.artifact_id is None:
            raise WrongUsage("the artifact's id is missing", "`sealift list --store URL` shows all ids")
        store = find_store(options)
        return Location(options.artifact_id, store, None, None, store.keys)
    return _in_files(options, options.artifact_id)


def find_locations(options: argparse.Namespace) -> list[Location]:
    """Returns the artifacts that the options of `add_locations` name. Raises WrongUsage or StoreError."""
    if options.store is None:
        if options.all or len(options.artifact_id) > 1:
            raise WrongUsage("files hold one artifact only", "give --store URL for several")
        return [_in_files(options, next(iter(options.artifact_id), None))]
    _refuse_files(options)
    store = find_store(options)
    return [Location(one, store, None, None, store.keys) for one in chosen_ids(options, store)]


def chosen_ids(options: argparse.Namespace, store: Store) -> list[str]:
    """Returns the ids that the options name in this store. Raises WrongUsage or StoreError."""
    if options.all == bool(options.artifact_id):
        raise WrongUsage("the choice of artifacts is missing or double", "give either ids or --all")
    return artifact_ids(store) if options.all else list(dict.fromkeys(options.artifact_id))


def check_pin(manifest: Manifest, pinned: str | None) -> None:
    """Raises PinMismatch unless the manifest names the pinned digest, if there is one."""
    if pinned not in (None, manifest.payload_digest):
        raise PinMismatch(
            f"artifact {manifest.artifact_id} has the payload digest {manifest.payload_digest}, not the expected one",
            "find out who can write to the place that it came from",
        )


def _refuse_files(options: argparse.Namespace) -> None:
    if getattr(options, "payload", None) or options.manifest:
        raise WrongUsage("--store is not allowed beside files", "give ARTIFACT-ID --store URL, or the files alone")


def _in_files(options: argparse.Namespace, expected_id: str | None) -> Location:
    has_payload = hasattr(options, "payload")
    if options.manifest is None or (has_payload and options.payload is None):
        files = "--payload FILE and --manifest FILE" if has_payload else "--manifest FILE"
        raise WrongUsage("the artifact's place is missing", f"give ARTIFACT-ID and --store URL, or {files}")
    keys = None if getattr(options, "keys", None) is None else open_store(options.keys)
    return Location(expected_id, None, options.payload if has_payload else None, options.manifest, keys)


@contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """Opens a file of the user's. Raises CommandError.

    It has no buffer, because a buffer's large reads of a pipe cannot be interrupted between two system calls.
    """
    try:
        file = cast(BinaryIO, path.open("rb", buffering=0))
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


def read_input(path: Path, most: int) -> bytes:
    """Reads a small file of the user's. Of a larger one it reads one byte more than `most`, so that the caller refuses
    it. Raises CommandError.
    """
    with open_input(path) as file, io.BufferedReader(cast(io.RawIOBase, file)) as buffered:
        return buffered.read(most + 1)


def _needed(path: Path | None) -> Path:
    if path is None:
        raise AssertionError("internal error: an artifact without a place")
    return path
