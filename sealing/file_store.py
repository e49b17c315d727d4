"""The local store: files that are whole or not there, whatever the umask, the power or kill -9 do.

A file is written without a name (O_TMPFILE), synced, and linked in as a last step, so that nothing half-written ever
has a name and nothing is left behind. Where the file system has no such files (NFS, some FUSE and overlays) it has a
passing name until then, `NAME.….new`, and the next writer of NAME removes what a killed one left. Folders are held
open and names are resolved in them without following links.
"""

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from sealing import stream
from sealing.errors import ArtifactCorrupt, ArtifactMissing, ManifestInvalid, StoreUnwritable
from sealing.manifest import MAX_BYTES
from sealing.stream import Buffer

PAYLOADS: Final = "payloads"
MANIFESTS: Final = "manifests"
RECORDS: Final = "records"
LOCKS: Final = "locks"
PASSING: Final = ".new"
NO_UNNAMED_FILES: Final = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)
NAME: Final = re.compile(r"[0-9a-f]{16,128}\Z")
FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # opening a FIFO would wait for ever


class FileStore:
    """Artifacts and records in a folder of the local file system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_payload(self, artifact_id: str, payload: Buffer) -> None:
        self._create(PAYLOADS, artifact_id, payload)

    def put_manifest(self, artifact_id: str, manifest: bytes) -> None:
        self._create(MANIFESTS, artifact_id, manifest)

    def replace_manifest(self, artifact_id: str, manifest: bytes) -> None:
        self._create(MANIFESTS, artifact_id, manifest, replace=True)

    def get_payload(self, artifact_id: str) -> bytes:
        return self._read(PAYLOADS, artifact_id)

    def get_manifest(self, artifact_id: str) -> bytes:
        manifest = self._read(MANIFESTS, artifact_id, MAX_BYTES + 1)
        if len(manifest) > MAX_BYTES:
            raise ManifestInvalid(
                f"the manifest of artifact {artifact_id} is longer than {MAX_BYTES} bytes, which no manifest is",
                f"find out who can write to {self._root}",
            )
        return manifest

    def has_manifest(self, artifact_id: str) -> bool:
        try:
            self.get_manifest(artifact_id)
        except ArtifactMissing:
            return False
        return True

    def verify(self, artifact_id: str, payload_digest: str) -> None:
        if not self._root.exists():  # as when a disk is not mounted: that says nothing about the artifact
            raise StoreUnwritable(
                f"the store {self._root} is not there",
                "mount it or bring it back; if it is lost for good, make an empty folder there: what was in it is then "
                "made anew",
            )
        self.get_manifest(artifact_id)
        if stream.payload_digest(self._read(PAYLOADS, artifact_id)) != payload_digest:
            raise ArtifactCorrupt(
                f"the payload of artifact {artifact_id} is not what was sealed",
                f"find out who can write to {self._root}",
            )

    def delete(self, artifact_id: str) -> None:
        self._unlink(MANIFESTS, artifact_id)
        self._unlink(PAYLOADS, artifact_id)

    def artifact_ids(self) -> list[str]:
        with self._mending(), suppress(FileNotFoundError), self._folder(MANIFESTS) as folder:
            return sorted(entry.name for entry in os.scandir(folder) if NAME.match(entry.name))
        return []

    def get_record(self, name: str) -> bytes | None:
        try:
            return self._read(RECORDS, name)
        except ArtifactMissing:
            return None

    def put_record(self, name: str, record: bytes) -> None:
        self._create(RECORDS, name, record, replace=True)

    @contextmanager
    def lock_record(self, name: str) -> Iterator[None]:
        _check_name(name)
        with self._mending():
            self._make_folders(LOCKS)
            file = self._locked(name)
        try:
            yield
        finally:
            os.close(file)

    def delete_record(self, name: str) -> None:
        self._unlink(RECORDS, name)
        self._unlink(LOCKS, name)

    def _locked(self, name: str) -> int:
        """A descriptor with the lock; one whose file was deleted while we waited locks nothing, so try again."""
        while True:
            with self._folder(LOCKS) as folder:
                file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
                fcntl.flock(file, fcntl.LOCK_EX)
                with suppress(FileNotFoundError):
                    if os.stat(name, dir_fd=folder, follow_symlinks=False).st_ino == os.fstat(file).st_ino:
                        return file
                os.close(file)

    def _create(self, folder_name: str, name: str, content: Buffer, *, replace: bool = False) -> None:
        _check_name(name)
        with self._mending():
            self._make_folders(folder_name)
            with self._folder(folder_name) as folder:
                _remove_stale(folder, name)
                with _NewFile(folder, name) as file:
                    os.fchmod(file.descriptor, 0o600)
                    _write_all(file.descriptor, memoryview(content).cast("B"))
                    os.fsync(file.descriptor)
                    if replace:
                        file.replace()
                    else:
                        self._link(file, content)
                os.fsync(folder)

    def _link(self, file: "_NewFile", content: Buffer) -> None:
        try:
            file.link(file.name)
        except FileExistsError:
            whole = memoryview(content).cast("B")
            if _read_file(file.folder, file.name, len(whole) + 1) != whole:
                raise ArtifactCorrupt(
                    f"another file is already at {file.name} in the store", f"find out who can write to {self._root}"
                ) from None

    def _read(self, folder_name: str, name: str, most: int = -1) -> bytes:
        _check_name(name)
        with self._mending():
            try:
                with self._folder(folder_name) as folder:
                    return _read_file(folder, name, most)
            except FileNotFoundError:
                raise ArtifactMissing(
                    f"{name} is not in {self._root / folder_name}",
                    "check the store's URL; a lost artifact is trained anew by `pulumi refresh` and `pulumi up`",
                ) from None

    def _unlink(self, folder_name: str, name: str) -> None:
        _check_name(name)
        with self._mending(), suppress(FileNotFoundError), self._folder(folder_name) as folder:
            _remove_stale(folder, name)
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    @contextmanager
    def _folder(self, name: str) -> Iterator[int]:
        folder = os.open(self._root / name, FOLDER_FLAGS | os.O_NOFOLLOW)
        try:
            yield folder
        finally:
            os.close(folder)

    def _make_folders(self, name: str) -> None:
        missing = [path for path in (self._root / name, *(self._root / name).parents) if not path.exists()]
        for path in reversed(missing):
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
                path.chmod(0o700)
            _sync_folder(path.parent)

    @contextmanager
    def _mending(self) -> Iterator[None]:
        """Turns what the file system refuses into an error that says where and why."""
        try:
            yield
        except OSError as error:
            raise StoreUnwritable(
                f"the store {self._root} cannot be used: {error.strerror}",
                "make room, give this user the right to write there, or set another storeUrl",
            ) from error


class _NewFile:
    """A file on its way to its name in a folder. Its lock tells others that its writer lives."""

    def __init__(self, folder: int, name: str) -> None:
        self.folder = folder
        self.name = name
        self._passing = f"{name}.{secrets.token_hex(8)}{PASSING}"

    def __enter__(self) -> Self:
        while True:
            self.descriptor, self._named = self._open()
            fcntl.flock(self.descriptor, fcntl.LOCK_EX)
            if not self._named or os.fstat(self.descriptor).st_nlink:
                return self
            os.close(self.descriptor)  # another writer took it for a killed one's, in the moment before the lock

    def _open(self) -> tuple[int, bool]:
        """A descriptor, and whether its file has the passing name."""
        flags = os.O_WRONLY | os.O_CLOEXEC
        try:
            return os.open(".", flags | os.O_TMPFILE, 0o600, dir_fd=self.folder), False
        except OSError as error:
            if error.errno not in NO_UNNAMED_FILES:
                raise
        return os.open(self._passing, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=self.folder), True

    def link(self, name: str) -> None:
        """Gives it this name too. Raises FileExistsError."""
        if self._named:
            os.link(self._passing, name, src_dir_fd=self.folder, dst_dir_fd=self.folder, follow_symlinks=False)
        else:
            os.link(f"/proc/self/fd/{self.descriptor}", name, dst_dir_fd=self.folder, follow_symlinks=True)

    def replace(self) -> None:
        """Gives it its name, whoever has that. A link cannot replace, so a passing name is renamed."""
        if not self._named:
            self.link(self._passing)
            self._named = True
        os.rename(self._passing, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)

    def __exit__(self, *_: object) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._passing, dir_fd=self.folder)
        os.close(self.descriptor)


def _check_name(name: str) -> None:
    if not NAME.match(name):
        raise ArtifactMissing(f"{name[:80]!r} is not the name of anything in a store: names are lower-case hex")


def _write_all(file: int, content: memoryview) -> None:
    while content:
        content = content[os.write(file, content) :]


def _read_file(folder: int, name: str, most: int) -> bytes:
    """Its bytes, and no more than `most` of them; -1: all."""
    file = os.open(name, READ_FLAGS, dir_fd=folder)
    with os.fdopen(file, "rb") as reader:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ArtifactCorrupt(f"{name} in the store is not a file", "find out who can write to the store")
        return reader.read(most)


def _remove_stale(folder: int, name: str) -> None:
    """What writers of `name` left that were killed before they renamed it; a writer that lives holds a lock on it."""
    for passing in os.listdir(folder):
        if not (passing.startswith(f"{name}.") and passing.endswith(PASSING)):
            continue
        with suppress(OSError):  # its writer lives, or was quicker; what cannot be removed now can be next time
            file = os.open(passing, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(passing, dir_fd=folder)
            finally:
                os.close(file)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, FOLDER_FLAGS)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
