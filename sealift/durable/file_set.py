"""The digest of a set of files: their names, their contents and, optionally, their modes.

Every part is framed by its length as a netstring (https://cr.yp.to/proto/netstrings.txt), so that parts cannot merge.
The order of the files, their folder and their times do not matter. Standard library only.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

from sealift.durable.new_file import Buffer

PIECE_BYTES: Final = 2**20


def digest(contents: Mapping[str, str], modes: Mapping[str, int] | None = None) -> str:
    """Returns the hex SHA-256 of a set of files. `contents` has the digest of each content by name."""
    whole = hashlib.sha256()
    for name in sorted(contents):
        mode = "" if modes is None else f"{modes[name]:o}"
        whole.update(_frame(name) + _frame(mode) + _frame(contents[name]))
    return whole.hexdigest()


def of_bytes(content: Buffer) -> str:
    """Returns the hex SHA-256 of one file's content."""
    return hashlib.sha256(content).hexdigest()


def of_stream(stream: IO[bytes]) -> str:
    """Returns the hex SHA-256 of the rest of a stream, which need not fit into memory."""
    whole = hashlib.sha256()
    while piece := stream.read(PIECE_BYTES):
        whole.update(piece)
    return whole.hexdigest()


def of_file(path: Path) -> str:
    """Returns the hex SHA-256 of a file's content. Raises OSError."""
    with path.open("rb") as stream:
        return of_stream(stream)


def _frame(text: str) -> bytes:
    encoded = text.encode("utf-8", "surrogateescape")
    return f"{len(encoded)}:".encode() + encoded + b","
