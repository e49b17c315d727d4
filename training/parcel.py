"""The parcel: the files of a run, sealed as one file for the machine that trains. It has the user's modules and data
files, by their paths in the program's folder, as a ZIP archive.

It has the payload format of artifacts, under the run's key. Its associated data differs from that of the run's record.
"""

import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from sealift.sealing.memory import Buffer
from sealift.sealing.stream import open_unreleased, seal_undigested_stream
from training.errors import DataError
from training.job import Job, read_files

CONTEXT: Final = b"sealift/v1\0parcel\0"


def find_files(job: Job, folder: Path) -> dict[str, Path]:
    """Returns the existing files that the run reads, by their paths relative to `folder`. Raises ModelError, or
    DataError for a file outside the folder.
    """
    found = {}
    for file in sorted(path for path in read_files(job, folder) if path.is_file()):
        name = os.path.relpath(file, folder)
        if name.startswith(os.pardir):
            raise DataError(
                f"{file} is outside the program's folder {folder}, so it cannot be sent to another machine",
                "put it into the program's folder, or set compute.kind to 'local'",
            )
        found[name] = file
    return found


def pack(files: dict[str, Path], key: bytes, run_id: str, write: Callable[[Buffer], object]) -> int:
    """Seals the files and passes the parcel to `write` in pieces. Returns its size in bytes. Raises OSError."""
    with tempfile.TemporaryFile() as archive:
        with zipfile.ZipFile(archive, "w", strict_timestamps=False) as packed:
            for name, file in files.items():
                packed.write(file, name)
        archive.seek(0)
        return seal_undigested_stream(archive, key, CONTEXT + run_id.encode(), write)


def unpack(parcel: BinaryIO, size_bytes: int, key: bytes, run_id: str, folder: Path) -> None:
    """Opens a parcel into `folder`. Nothing is written there before the whole parcel is authenticated. Raises
    ArtifactCorrupt, OSError.
    """
    with tempfile.TemporaryFile(dir=folder) as archive:
        open_unreleased(archive.write, parcel, key, CONTEXT + run_id.encode(), payload_bytes=size_bytes)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
