"""The contract of a store: bytes by folder and name. Each backend is one class in its own file.

A store knows no keys and cannot distinguish ciphertext from plaintext: its callers must store ciphertext only. A store
of keys (artifact_keys.py) is a store beside it.
artifacts.py, above this contract, defines what an artifact is and when it is complete.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, Protocol

from sealift.durable.new_file import Buffer
from sealift.stores.errors import ArtifactDamaged, ArtifactMissing

Folder = Literal["payloads", "manifests", "records", "leases", "tombstones", "audit", "signatures", "keys", "inputs"]
PAYLOADS: Final = "payloads"
MANIFESTS: Final = "manifests"
RECORDS: Final = "records"
LEASES: Final = "leases"
TOMBSTONES: Final = "tombstones"
AUDIT: Final = "audit"
SIGNATURES: Final = "signatures"
KEYS: Final = "keys"
"""Folder of a store of keys: see artifact_keys.py."""
INPUTS: Final = "inputs"

NAME: Final = re.compile(r"[0-9a-f]{16,128}\Z")


@dataclass(frozen=True)
class Versioned:
    """Bytes, and a version tag that changes whenever they do."""

    content: bytes
    version: str


@dataclass(frozen=True)
class Stat:
    """Size and version of a file in a store."""

    size_bytes: int
    version: str


@dataclass(frozen=True)
class Entry:
    """A file in a listing: its name, its size, and the time of its last change by the store's clock, in seconds since
    the epoch.
    """

    name: str
    size_bytes: int
    modified: float


class Writer(Protocol):
    """Takes the content of a new file in pieces."""

    def write(self, piece: Buffer, /) -> object:
        """Appends a piece. Raises StoreError."""


class Store(Protocol):
    """Files by folder and name. `get`, `put`, `read` and `swap` hold a whole content in memory: use them for small
    files.

    Methods raise StoreError. An invalid name raises ArtifactMissing and reaches no file.
    """

    @property
    def location(self) -> str:
        """Location of the store, for messages."""

    @property
    def identity(self) -> str:
        """Location with all options: no other store that this process opens has the same."""

    @property
    def keys(self) -> "Store | None":
        """Store of the artifacts' own keys, if they have some: see artifact_keys.py."""

    def keeps_versions(self) -> bool:
        """Whether the service says that it keeps what is deleted or replaced. False if it says nothing."""

    def reach(self) -> None:
        """Raises StoreUnwritable if the store itself does not exist, as opposed to a file in it."""

    def check_writable(self) -> None:
        """Raises StoreUnwritable if permissions would make a `put` fail, as far as that shows without writing."""

    def create(self, folder: Folder, name: str) -> AbstractContextManager[Writer]:
        """Creates a file from pieces. It exists, complete, at the end of the block; after an error, it does not exist.

        The same content again is allowed. Different content raises ArtifactDamaged.
        """

    def put(self, folder: Folder, name: str, content: Buffer) -> None:
        """Creates a file with this content, like `create`."""

    def stat(self, folder: Folder, name: str) -> Stat:
        """Returns the size and the version, the same version as from `read`. Raises ArtifactMissing."""

    def open(self, folder: Folder, name: str) -> BinaryIO:
        """Opens the content as a stream, which the caller closes. Raises ArtifactMissing."""

    def get(self, folder: Folder, name: str, at_most: int | None = None) -> bytes:
        """Reads all bytes. Raises ArtifactMissing, or ArtifactDamaged, without reading further, if more than
        `at_most`."""

    def get_range(self, folder: Folder, name: str, start: int, size: int) -> bytes:
        """Reads `size` bytes from `start`, fewer at the end. Raises ArtifactMissing."""

    def read(self, folder: Folder, name: str, at_most: int | None = None) -> Versioned:
        """Reads like `get`, with the version that a later `swap` or `delete` expects. For small files."""

    def swap(self, folder: Folder, name: str, content: Buffer, expected: str | None) -> str:
        """Atomically replaces the version `expected`, or creates the file (None). Returns the new version.

        Raises Conflict if the stored version is another one, or does not exist.
        """

    def entries(self, folder: Folder) -> list[Entry]:
        """Returns the files of a folder, sorted by name, without reading them. The list is empty if the store does not
        exist: call `reach` first to distinguish.
        """

    def names(self, folder: Folder) -> list[str]:
        """Returns the names of `entries`."""

    def delete(self, folder: Folder, name: str, expected: str | None = None) -> None:
        """Deletes a file, or only its version `expected`. Does nothing if it does not exist. Raises Conflict."""

    def purge(self, folder: Folder, name: str) -> None:
        """Deletes a file and all earlier versions of it that the store keeps. Does nothing if it does not exist."""

    def remove_unfinished(self, older_than_seconds: float) -> int:
        """Removes what killed writers left of files that do not exist, if it is older than this. Returns its count."""


def check_name(name: str) -> None:
    """Raises ArtifactMissing unless the name is lower-case hex, so that no name leads out of a store."""
    if not NAME.match(name):
        raise ArtifactMissing(f"{name[:80]!r} is not a valid name in a store; allowed: 16 to 128 lower-case hex digits")


def exists(store: Store, folder: Folder, name: str) -> bool:
    """Whether something has this name. Reads a byte at most. Raises StoreError."""
    try:
        store.get_range(folder, name, 0, 1)
    except ArtifactMissing:
        return False
    except ArtifactDamaged:  # it is not a file
        return True
    return True
