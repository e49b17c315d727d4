"""Files that Kubernetes mounts from a Secret, and detection of their changes.

Kubernetes writes new content beside the old and then switches one symbolic link, `..data`: all paths change at once,
and every read returns a complete file. So it is enough to compare the identity of the file, not its content.
"""

import os
from pathlib import Path

from sealift.serving.errors import AccessInvalid

_Identity = tuple[int, int, int, int]


class WatchedFiles:
    """The files that were read, by path, with their identity at that time."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Identity | None] = {}

    def read(self, path: Path, limit_bytes: int) -> bytes:
        """Reads a whole file. Raises AccessInvalid."""
        self._seen[path] = None
        try:
            with path.open("rb") as file:
                self._seen[path] = _identity(os.fstat(file.fileno()))
                content = file.read(limit_bytes + 1)
        except OSError as error:
            raise AccessInvalid(
                f"{path} cannot be read: {error.strerror}", "mount it so that this user can read it"
            ) from None
        if len(content) > limit_bytes:
            raise AccessInvalid(f"{path} exceeds the limit of {limit_bytes} bytes")
        return content

    def have_changed(self) -> bool:
        """Whether any path now has another file than at the last read, or none."""
        return any(_identity_at(path) != seen for path, seen in self._seen.items())


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _identity_at(path: Path) -> _Identity | None:
    try:
        return _identity(path.stat())
    except OSError:
        return None
