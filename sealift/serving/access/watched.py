"""Files that Kubernetes mounts from a Secret, and whether they are still the ones that were read.

Kubernetes writes new content beside the old and then swings one symbolic link, `..data`, to it: a path has another file
all at once, and every read is of a whole one. So it is enough to look at the path's file, never at what is in it.
"""

import os
from pathlib import Path

from sealift.serving.errors import AccessInvalid

_Identity = tuple[int, int, int, int]


class WatchedFiles:
    """What was read, by path, and what the file was then."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Identity | None] = {}

    def read(self, path: Path, limit_bytes: int) -> bytes:
        """All of it. Raises AccessInvalid."""
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
        """Whether a path that was read, or could not be, now has another file, or none."""
        return any(_identity_at(path) != seen for path, seen in self._seen.items())


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _identity_at(path: Path) -> _Identity | None:
    try:
        return _identity(path.stat())
    except OSError:
        return None
