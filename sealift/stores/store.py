"""The contract of a store: bytes by folder and name. A backend is one class that keeps it, in a file of its own.

A store knows no keys, and cannot tell ciphertext from plaintext: that only the former comes to it is its callers' care.
What an artifact is, and whether it is whole, is said once, above this contract, in artifacts.py.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, Protocol

from sealift.durable.new_file import Buffer
from sealift.stores.errors import ArtifactMissing

Folder = Literal["payloads", "manifests", "records", "leases"]
PAYLOADS: Final = "payloads"
MANIFESTS: Final = "manifests"
RECORDS: Final = "records"
LEASES: Final = "leases"

NAME: Final = re.compile(r"[0-9a-f]{16,128}\Z")


@dataclass(frozen=True)
class Versioned:
    """Bytes, and a tag of the store's own that differs whenever they do."""

    content: bytes
    version: str


@dataclass(frozen=True)
class Stat:
    """What is known of something in a store."""

    size_bytes: int
    version: str


class Writer(Protocol):
    """Takes the content of something new, in pieces."""

    def write(self, piece: Buffer, /) -> object:
        """Appends a piece. Raises StoreError."""


class Store(Protocol):
    """`get`, `put`, `read` and `swap` hold a content whole: they are for what is small, or for one who opens it.

    Methods raise StoreError; whatever is no name is ArtifactMissing and reaches no file.
    """

    @property
    def location(self) -> str:
        """Where it is, for messages."""

    def reach(self) -> None:
        """Raises StoreUnwritable if the store itself is not there, which says nothing about what was put into it."""

    def check_writable(self) -> None:
        """Raises StoreUnwritable if a `put` would fail for want of a right, as far as that shows without one."""

    def create(self, folder: Folder, name: str) -> AbstractContextManager[Writer]:
        """Takes its content in pieces. At the end of the block it is there, whole; after an error, not at all.

        The same content again is fine; another is refused: ArtifactDamaged.
        """

    def put(self, folder: Folder, name: str, content: Buffer) -> None:
        """Creates it with this content, as `create` does."""

    def stat(self, folder: Folder, name: str) -> Stat:
        """Its size, and its version as `read` gives it. Raises ArtifactMissing."""

    def open(self, folder: Folder, name: str) -> BinaryIO:
        """Its content as a stream; to be closed. Raises ArtifactMissing."""

    def get(self, folder: Folder, name: str, at_most: int | None = None) -> bytes:
        """Its bytes. Raises ArtifactMissing; ArtifactDamaged if there are more than `at_most`, without reading them."""

    def get_range(self, folder: Folder, name: str, start: int, size: int) -> bytes:
        """`size` bytes from `start`, fewer where it ends before. Raises ArtifactMissing."""

    def read(self, folder: Folder, name: str, at_most: int | None = None) -> Versioned:
        """As `get`, with the version that a later `swap` or `delete` expects. Meant for what is small."""

    def swap(self, folder: Folder, name: str, content: Buffer, expected: str | None) -> str:
        """Replaces the version `expected`, or creates it (None), atomically, and returns the new version.

        Raises Conflict if another version is there, or none.
        """

    def names(self, folder: Folder) -> list[str]:
        """Sorted; none where the store is not there: whoever concludes anything from that calls `reach` first."""

    def delete(self, folder: Folder, name: str, expected: str | None = None) -> None:
        """Removes it, or only this version of it; fine where there is none. Raises Conflict on another version."""


def check_name(name: str) -> None:
    """Raises ArtifactMissing on anything but lower-case hex: no name leads out of a store."""
    if not NAME.match(name):
        raise ArtifactMissing(f"{name[:80]!r} is not the name of anything in a store: names are lower-case hex")
