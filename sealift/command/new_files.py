"""New files of the command: complete or absent, private, and never in place of another file."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sealift.command.errors import CommandError
from sealift.durable.new_file import NewFile


@contextmanager
def new_file(path: Path, mode: int = 0o600) -> Iterator[NewFile]:
    """Yields a file that gets its name by `create`, and is gone otherwise. Raises CommandError if the name is taken."""
    if path.is_symlink() or path.exists():
        raise taken(path)
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise CommandError(f"the folder {path.parent} cannot be used: {error.strerror}", "make it first") from None
    try:
        with NewFile(folder, path.name, mode) as file:
            yield file
    except FileExistsError:  # another process was quicker
        raise taken(path) from None
    finally:
        os.close(folder)


def create_all(files: Sequence[NewFile]) -> None:
    """Gives all files their names, or none."""
    created: list[NewFile] = []
    try:
        for file in files:
            file.create()
            created.append(file)
    except BaseException:
        for file in created:
            with suppress(FileNotFoundError):
                os.unlink(file.name, dir_fd=file.folder)
        raise


def taken(path: Path) -> CommandError:
    """An existing file, which is never overwritten."""
    return CommandError(f"{path} exists already", "choose another name, or remove it first: files are not overwritten")
