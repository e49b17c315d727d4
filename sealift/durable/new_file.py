"""A new file that is complete or absent, whatever happens to the umask, the power or the process (kill -9).

It is written without a name (O_TMPFILE), synced, and linked as the last step, so that incomplete files never have a
name and nothing is left behind. On file systems without unnamed files (NFS, some FUSE and overlays) it has a temporary
name, `NAME.….new`, and the next writer of NAME removes what a killed writer left.
"""

import errno
import fcntl
import mmap
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

Buffer = bytes | bytearray | memoryview | mmap.mmap

PASSING: Final = ".new"
PIECE_BYTES: Final = 1 << 20
NO_UNNAMED_FILES: Final = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)


def write_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Creates or replaces a file, with exactly this mode whatever the umask. It is private until complete."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with NewFile(folder, path.name, mode) as file:
            file.write(content)
            file.replace()
    finally:
        os.close(folder)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Puts the file's name into errors of the system, which name a descriptor or nothing."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = name, None
        raise


class NewFile:
    """A file that is written before it gets its name in a folder. Its lock shows that its writer is alive."""

    def __init__(self, folder: int, name: str, mode: int = 0o600) -> None:
        self.folder, self.name = folder, name
        self._mode = mode
        self._named = False
        self._passing = f"{name}.{secrets.token_hex(8)}{PASSING}"

    def __enter__(self) -> Self:
        """Opens an empty file without a name."""
        remove_stale(self.folder, self.name)
        with _naming(self.name):
            self._open_locked()
        try:
            os.fchmod(self._descriptor, self._mode)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._passing, dir_fd=self.folder)
        os.close(self._descriptor)

    def write(self, piece: Buffer) -> None:
        """Appends a piece of the content."""
        left = memoryview(piece).cast("B")
        with _naming(self.name):
            while left:
                left = left[os.write(self._descriptor, left) :]

    def has_content_of(self, file: int) -> bool:
        """Whether another open file has the same content."""
        at = 0
        while True:
            ours, others = os.pread(self._descriptor, PIECE_BYTES, at), os.pread(file, PIECE_BYTES, at)
            if ours != others or not ours:
                return ours == others
            at += len(ours)

    def create(self) -> None:
        """Syncs the file and gives it its name. Raises FileExistsError."""
        with _naming(self.name):
            os.fsync(self._descriptor)
            self._link(self.name)
            os.fsync(self.folder)

    def replace(self) -> None:
        """Syncs the file and gives it its name, replacing another file. A link cannot replace, so it renames
        instead."""
        with _naming(self.name):
            os.fsync(self._descriptor)
            if not self._named:
                self._link(self._passing)
                self._named = True
            os.rename(self._passing, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
            os.fsync(self.folder)

    def _open_locked(self) -> None:
        while True:
            self._descriptor, self._named = self._open()
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            if not self._named or os.fstat(self._descriptor).st_nlink:
                return
            os.close(self._descriptor)  # another writer removed it as stale, just before the lock

    def _open(self) -> tuple[int, bool]:
        """Opens the file. Returns its descriptor and whether it has the temporary name."""
        flags = os.O_RDWR | os.O_CLOEXEC
        try:
            return os.open(".", flags | os.O_TMPFILE, 0o600, dir_fd=self.folder), False
        except OSError as error:
            if error.errno not in NO_UNNAMED_FILES:
                raise
        return os.open(self._passing, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=self.folder), True

    def _link(self, name: str) -> None:
        if self._named:
            os.link(self._passing, name, src_dir_fd=self.folder, dst_dir_fd=self.folder, follow_symlinks=False)
        else:
            os.link(f"/proc/self/fd/{self._descriptor}", name, dst_dir_fd=self.folder, follow_symlinks=True)


def remove_stale(folder: int, name: str) -> None:
    """Removes files of killed writers of `name`. Live writers hold a lock on theirs."""
    for passing in os.listdir(folder):
        if not (passing.startswith(f"{name}.") and passing.endswith(PASSING)):
            continue
        with suppress(OSError):  # its writer is alive, or was quicker; the next call can remove it
            file = os.open(passing, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(passing, dir_fd=folder)
            finally:
                os.close(file)
