"""Rights that the serving process gives up before it reads a request: its working directory and the key's file.

The process that opens the artifact (opening.py) reads the key and ends. The serving process could still open the same
file, if a model or a request misled one of its libraries. So the kernel denies it: Landlock
(docs.kernel.org/userspace-api/landlock.html) needs no privilege and cannot be undone.
"""

import contextlib
import ctypes
import os
import secrets
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System calls, with the same numbers on every architecture."""
RULE_PATH_BENEATH: Final = 1
READ_FILE: Final = 1 << 2
PR_SET_NO_NEW_PRIVS: Final = 38
MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108 - a folder is made and removed there, which every pod can


def leave_folder() -> None:
    """Changes to an empty folder, where no relative name leads to a file. Stays if no folder can be made."""
    folder = MEMORY_FOLDER / secrets.token_hex(16)
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700)
        try:
            os.chdir(folder)
        finally:
            folder.rmdir()


def hide(secret: Path, watched: Sequence[Path] = ()) -> bool:
    """Makes the file permanently unreadable to this process and its children. Returns whether it succeeded.

    Must be called before there are threads. It lists the folders on the way to the file and allows reading everything
    else in them, so files that are added to these folders later cannot be read either. Therefore it does nothing if one
    of the `watched` files or folders, which are read repeatedly, lies directly in such a folder.
    """
    try:
        real = secret.resolve(strict=True)
        if real.stat().st_nlink > 1:  # it has a second name, which would stay readable
            return False
        if any(folder in real.parents for path in watched for folder in _find_changing_folders(path)):
            return False
        ruleset = _call(CREATE_RULESET, struct.pack("=Q", READ_FILE), 8, 0)
    except OSError:  # a kernel without Landlock, or with Landlock disabled
        return False
    try:
        for beside in _all_but(real):
            with contextlib.suppress(OSError):  # it no longer exists, or this user may not reach it
                _allow(ruleset, beside)
        if ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
        _call(RESTRICT_SELF, ruleset, 0)
    except OSError:
        return False
    finally:
        os.close(ruleset)
    return True


def _find_changing_folders(path: Path) -> set[Path]:
    """The folders in which a watched folder or file gets new entries: its own folder, and that of a link's target."""
    return {path.resolve()} if path.is_dir() else {path.parent.resolve(), path.resolve().parent}


def _all_but(real: Path) -> Iterator[Path]:
    """Yields every file and folder beside the path from the root to this file."""
    for folder, on_the_way in zip(reversed(real.parents), (*list(reversed(real.parents))[1:], real), strict=True):
        with contextlib.suppress(PermissionError):  # a folder that cannot be listed: nothing in it is allowed
            yield from (entry for entry in folder.iterdir() if entry != on_the_way and not entry.is_symlink())


def _allow(ruleset: int, path: Path) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _call(ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", READ_FILE, descriptor), 0)
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: int | bytes) -> int:
    """Makes one system call. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    result: int = library.syscall(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
