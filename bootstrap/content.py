"""Content keys: a part is made again only if its sources changed.

A stamp is written last, after the part has its final name. A part without its stamp was not finished and is made again.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from sealift.durable.new_file import write_file


def key(*, files: Iterable[Path] = (), words: Iterable[str] = ()) -> str:
    """Returns the hex digest over the files' names and bytes and the words, in the given order."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"file\0{file.name}\0{len(content)}\0".encode())
        digest.update(content)
    for word in words:
        digest.update(f"word\0{len(word.encode())}\0{word}".encode())
    return digest.hexdigest()


def has_stamp(stamp: Path, expected: str) -> bool:
    """Whether the part was finished with this key."""
    try:
        return stamp.read_text().strip() == expected
    except FileNotFoundError:
        return False


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Writes the whole file or nothing, with exactly this mode, whatever the umask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, text.encode(), mode)
