"""The local store: a folder of files that are complete or absent (durable.new_file), private whatever the umask.

Folders are held open, and names are resolved in them without following links.
"""

import errno
import fcntl
import io
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, get_args

from sealift.durable import file_set
from sealift.durable.new_file import PASSING, Buffer, NewFile, remove_stale
from sealift.stores.errors import ArtifactDamaged, ArtifactMissing, Conflict, StoreForbidden, StoreFull, StoreUnwritable
from sealift.stores.store import NAME, Entry, Folder, Stat, Store, Versioned, Writer, check_name

LOCKS: Final = "locks"
_FOLDERS: Final = (*get_args(Folder), LOCKS)
_ANOTHER_PLACE: Final = "allow this user to write there, or set another store.url (in a program: storeUrl)"
REASONS: Final = {
    errno.EACCES: StoreForbidden, errno.EPERM: StoreForbidden, errno.EROFS: StoreForbidden,
    errno.EDQUOT: StoreFull, errno.ENOSPC: StoreFull,
}  # fmt: skip
FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # opening a FIFO would wait indefinitely


MapErrors = Callable[[], AbstractContextManager[None]]
"""Maps errors of the file system to the store's own."""


class FileStore:
    """A store in a folder of the local file system; files are at `FOLDER/NAME` in it."""

    def __init__(self, root: Path, keys: Store | None = None) -> None:
        self._root, self.keys = root, keys

    @property
    def location(self) -> str:
        return str(self._root)

    @property
    def identity(self) -> str:
        return str(self._root.absolute())

    def keeps_versions(self) -> bool:
        return False

    def reach(self) -> None:
        if not self._root.exists():  # as when a disk is not mounted
            raise StoreUnwritable(
                f"the store {self._root} does not exist",
                "mount or restore it; if its content is lost, create an empty folder there, and it is made again",
            )

    def check_writable(self) -> None:
        there = next(path for path in (self._root, *self._root.parents) if path.exists())
        folders = [there, *(there / name for name in _FOLDERS if there == self._root and (there / name).exists())]
        for folder in folders:
            if not folder.is_dir():
                raise StoreUnwritable(f"the store {self._root} cannot be created: {folder} is a file", _ANOTHER_PLACE)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise StoreUnwritable(
                    f"the store {self._root} is not writable: this user may not write to {folder}",
                    _ANOTHER_PLACE,
                )

    def put(self, folder: Folder, name: str, content: Buffer) -> None:
        with self.create(folder, name) as file:
            file.write(content)

    @contextmanager
    def create(self, folder: Folder, name: str) -> Iterator[Writer]:
        with ExitStack() as open_files:
            with self._map_errors(folder, name):
                file = open_files.enter_context(self._new_file(folder, name))
            map_errors = partial(self._map_errors, folder, name)
            yield _Writer(file, map_errors)  # an error of the block is not this store's
            with map_errors():
                self._create(file)

    def stat(self, folder: Folder, name: str) -> Stat:
        with self._there(folder, name) as file:
            version = file_set.of_stream(file)
            return Stat(file.tell(), version)

    def open(self, folder: Folder, name: str) -> BinaryIO:
        with self._there(folder, name) as file:
            return io.BufferedReader(_Content(os.dup(file.fileno()), partial(self._map_errors, folder, name)))

    def get(self, folder: Folder, name: str, at_most: int | None = None) -> bytes:
        with self._there(folder, name) as file:
            size = os.fstat(file.fileno()).st_size
            if at_most is None:
                return file.read()
            content = b"" if size > at_most else file.read(size + 1)  # a byte more, in case it grows meanwhile
        if max(size, len(content)) > at_most:
            raise ArtifactDamaged(
                f"{name} in {self._root / folder} exceeds the limit of {at_most} bytes",
                self._who_can_write(),
            )
        return content

    def get_range(self, folder: Folder, name: str, start: int, size: int) -> bytes:
        return self._read(folder, name, start, size)

    def read(self, folder: Folder, name: str, at_most: int | None = None) -> Versioned:
        content = self.get(folder, name, at_most)
        return Versioned(content, file_set.of_bytes(content))

    def swap(self, folder: Folder, name: str, content: Buffer, expected: str | None) -> str:
        with self._map_errors(folder, name), self._new_file(folder, name) as file, self._lock(name):
            file.write(content)
            self._expect(file.folder, name, expected)
            file.replace()
        return file_set.of_bytes(content)

    def entries(self, folder: Folder) -> list[Entry]:
        with self._map_errors(), suppress(FileNotFoundError), self._folder(folder) as descriptor:
            return sorted(_entries(descriptor), key=lambda entry: entry.name)
        return []

    def names(self, folder: Folder) -> list[str]:
        with self._map_errors(), suppress(FileNotFoundError), self._folder(folder) as descriptor:
            return sorted(entry.name for entry in os.scandir(descriptor) if NAME.match(entry.name))
        return []

    def purge(self, folder: Folder, name: str) -> None:
        self.delete(folder, name)

    def remove_unfinished(self, older_than_seconds: float) -> int:
        removed = 0
        for folder in get_args(Folder):
            with self._map_errors(), suppress(FileNotFoundError), self._folder(folder) as descriptor:
                old = time.time() - older_than_seconds
                found = {entry.name for entry in os.scandir(descriptor) if _is_older(entry, old)}
                for name in {found_name.partition(".")[0] for found_name in found if found_name.endswith(PASSING)}:
                    remove_stale(descriptor, name)
                removed += len(found - {entry.name for entry in os.scandir(descriptor)})
        return removed

    def delete(self, folder: Folder, name: str, expected: str | None = None) -> None:
        check_name(name)
        with self._map_errors(folder, name), suppress(FileNotFoundError), self._folder(folder) as descriptor:
            remove_stale(descriptor, name)
            os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            with self._lock(name):
                if expected is not None:
                    self._expect(descriptor, name, expected)
                os.unlink(name, dir_fd=descriptor)
                os.fsync(descriptor)

    def _expect(self, folder: int, name: str, expected: str | None) -> None:
        """Raises Conflict unless this version is stored. The caller holds the lock."""
        try:
            with _open_file(folder, name) as file:
                found = file_set.of_stream(file)
        except FileNotFoundError:
            found = None
        if found != expected:
            raise Conflict(f"{name} in the store {self._root} was changed by another process", "run `pulumi up` again")

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """Holds the lock during a swap only. A killed process loses its lock; the lock's file stays."""
        self._make_folders(LOCKS)
        with self._folder(LOCKS) as folder:
            file = _lock_file(folder, name)
            try:
                yield
            finally:
                os.unlink(name, dir_fd=folder)
                os.close(file)

    @contextmanager
    def _new_file(self, folder_name: str, name: str) -> Iterator[NewFile]:
        check_name(name)
        self._make_folders(folder_name)
        with self._folder(folder_name) as folder, NewFile(folder, name) as file:
            yield file

    def _create(self, file: NewFile) -> None:
        try:
            file.create()
        except FileExistsError:
            with _open_file(file.folder, file.name) as there:
                same = file.has_content_of(there.fileno())
            if not same:
                raise ArtifactDamaged(
                    f"{file.name} already exists in the store with different content", self._who_can_write()
                ) from None

    def _read(self, folder_name: str, name: str, start: int, most: int) -> bytes:
        with self._there(folder_name, name) as file:
            file.seek(start)
            return file.read(most)

    @contextmanager
    def _there(self, folder_name: str, name: str) -> Iterator[BinaryIO]:
        """Opens the file. Raises ArtifactMissing."""
        check_name(name)
        with self._map_errors(folder_name, name):
            try:
                with self._folder(folder_name) as folder, _open_file(folder, name) as file:
                    yield file
            except FileNotFoundError:
                raise ArtifactMissing(
                    f"{name} is not in {self._root / folder_name}",
                    "check the store's URL; `pulumi refresh` and `pulumi up` train a lost artifact again",
                ) from None

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
    def _map_errors(self, *file: str) -> Iterator[None]:
        """Maps an error of the file system to one that names the store, the file and the reason."""
        try:
            yield
        except OSError as error:
            raise REASONS.get(error.errno or 0, StoreUnwritable)(
                f"the store {self._root} cannot be used: {'/'.join(file)}{': ' if file else ''}{error.strerror}",
                f"free some space, {_ANOTHER_PLACE}",
            ) from error

    def _who_can_write(self) -> str:
        return f"find out who can write to {self._root}"


class _Writer:
    """A new file. Its errors are mapped to the store's."""

    def __init__(self, file: NewFile, map_errors: MapErrors) -> None:
        self._file, self._map_errors = file, map_errors

    def write(self, piece: Buffer) -> None:
        with self._map_errors():
            self._file.write(piece)


class _Content(io.FileIO):
    """A file open for reading. Its errors are mapped to the store's."""

    def __init__(self, descriptor: int, map_errors: MapErrors) -> None:
        super().__init__(descriptor, "rb")
        self._map_errors = map_errors

    def readinto(self, buffer: Any, /) -> int | None:
        with self._map_errors():
            return super().readinto(buffer)

    def readall(self) -> bytes:
        with self._map_errors():
            return super().readall()


def _entries(folder: int) -> Iterator[Entry]:
    for entry in os.scandir(folder):
        if NAME.match(entry.name):
            with suppress(FileNotFoundError):  # it was deleted meanwhile
                status = entry.stat(follow_symlinks=False)
                yield Entry(entry.name, status.st_size, status.st_mtime)


def _is_older(entry: "os.DirEntry[str]", than: float) -> bool:
    with suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False).st_mtime < than
    return False


@contextmanager
def _open_file(folder: int, name: str) -> Iterator[BinaryIO]:
    not_a_file = ArtifactDamaged(f"{name} in the store is not a file", "find out who can write to the store")
    try:
        descriptor = os.open(name, READ_FLAGS, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link, which is not followed
            raise not_a_file from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise not_a_file
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _lock_file(folder: int, name: str) -> int:
    """Returns a locked descriptor. If the file was deleted while we waited, the lock is void and we try again."""
    while True:
        file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
        fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.stat(name, dir_fd=folder, follow_symlinks=False).st_ino == os.fstat(file).st_ino:
                return file
        os.close(file)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, FOLDER_FLAGS)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
