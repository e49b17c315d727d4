"""What a store of sealed artifacts can do, and the way from a URL to one. Stores hold ciphertext and know no keys."""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote

from sealing.errors import StoreUrlInvalid
from sealing.stream import Buffer


class ArtifactStore(Protocol):
    """Payloads and manifests by artifact id, records by name; all names lower-case hex. Methods raise SealingError."""

    def put_payload(self, artifact_id: str, payload: Buffer) -> None:
        """Creates it, whole or not at all; the same bytes again are fine, others are refused."""

    def put_manifest(self, artifact_id: str, manifest: bytes) -> None:
        """The commit point: an artifact is there once its manifest is."""

    def replace_manifest(self, artifact_id: str, manifest: bytes) -> None:
        """Atomically: the artifact is there throughout."""

    def get_payload(self, artifact_id: str) -> bytes: ...

    def get_manifest(self, artifact_id: str) -> bytes: ...

    def has_manifest(self, artifact_id: str) -> bool: ...

    def verify(self, artifact_id: str, payload_digest: str) -> None:
        """Raises ArtifactMissing or ArtifactCorrupt unless manifest and payload are there and have this digest."""

    def delete(self, artifact_id: str) -> None:
        """Manifest first, then payload; fine where there is none."""

    def artifact_ids(self) -> list[str]:
        """Sorted ids of the artifacts with a manifest."""

    def get_record(self, name: str) -> bytes | None: ...

    def put_record(self, name: str, record: bytes) -> None:
        """Creates or replaces it, atomically."""

    def delete_record(self, name: str) -> None:
        """Removes it, and its lock, which the caller holds; fine where there is none."""

    def lock_record(self, name: str) -> AbstractContextManager[None]:
        """Waits until no other process works on this record; the lock goes with the process."""


def open_store(url: str) -> ArtifactStore:
    """The store at `file://` and a path: absolute, `~/…` or relative to the working directory. Touches nothing yet.

    Raises StoreUrlInvalid.
    """
    from sealing.file_store import FileStore

    return FileStore(_folder(url))


def absolute_url(url: str, folder: Path) -> str:
    """The URL of the same store for a process with another working directory. Raises StoreUrlInvalid."""
    path = _path(url)
    if path.is_absolute() or str(path).startswith("~"):
        return url
    return f"file://{quote(os.path.normpath(folder / path))}"


def is_same_store(one: str, other: str) -> bool:
    """Whether two URLs, however spelt and through whatever links, lead to one store. Raises StoreUrlInvalid."""
    return os.path.realpath(_folder(one)) == os.path.realpath(_folder(other))


def _folder(url: str) -> Path:
    try:
        return _path(url).expanduser()
    except RuntimeError:
        raise StoreUrlInvalid(
            f"{url!r} is in the home of a user that is not on this machine", "put an absolute path after file://"
        ) from None


def _path(url: str) -> Path:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme != "file":
        raise StoreUrlInvalid(
            f"{url!r} is not the URL of a store",
            "allowed: file:// and a path, such as file:///var/lib/sealift or file://~/.sealift/store",
        )
    path = unquote(rest)
    if not path or "\0" in path:
        raise StoreUrlInvalid(f"{url!r} names no folder", "put a path after file://, such as file://~/.sealift/store")
    return Path(path)
