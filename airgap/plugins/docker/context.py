"""Input of an image build: the context's files without those in .dockerignore, and a digest of them.

The digest covers each file's path, mode and bytes, and the Dockerfile. It does not cover times or the context's place.
It equals the official plugin's value, so that changing the plugin builds nothing again.
"""

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from docker.utils.build import PatternMatcher
from sealift.provider import PluginError

NO_MODE: Final = "----------"  # the Dockerfile always counts with the same name and mode
KINDS: Final = {stat.S_IFLNK: "L", stat.S_IFIFO: "p", stat.S_IFSOCK: "S", stat.S_IFBLK: "D", stat.S_IFCHR: "Dc"}
SPECIAL: Final = {stat.S_ISUID: "u", stat.S_ISGID: "g", stat.S_ISVTX: "t"}
MAX_LINKS: Final = 255


def context_digest(context: str, dockerfile: str) -> str:
    """Returns the SHA-256 in hex. Raises PluginError if the folder or the Dockerfile does not exist."""
    root = Path(context)
    if not root.is_dir():
        raise PluginError(
            f"build.context is {context!r}, which is not a folder", "set a path relative to the project's folder"
        )
    if not Path(dockerfile).is_file():
        raise PluginError(
            f"build.dockerfile is {dockerfile!r}, which is not a file", "set its path relative to the project's folder"
        )
    whole = hashlib.sha256(_entry("Dockerfile", NO_MODE, Path(dockerfile).read_bytes()))
    for name in sorted(
        _files(context, dockerfile), key=lambda name: name.split("/")
    ):  # in the order of a walk through the folders
        path = root / name
        mode = path.lstat().st_mode
        whole.update(_entry(name, mode_text(mode), _content(path, mode)))
    return whole.hexdigest()


def dockerfile_in_context(context: str, dockerfile: str) -> str:
    """Returns the Dockerfile's path relative to the context, which the engine needs."""
    try:
        return str(Path(dockerfile).resolve().relative_to(Path(context).resolve()))
    except ValueError:
        return str(Path(dockerfile).resolve())


def mode_text(mode: int) -> str:
    """Returns a mode in Go's form: a letter for each special kind and bit, or `-`, and then `rwxr-xr-x`."""
    letters = KINDS.get(stat.S_IFMT(mode), "") + "".join(letter for bit, letter in SPECIAL.items() if mode & bit)
    return (letters or "-") + stat.filemode(mode & 0o777)[1:]


def _files(context: str, dockerfile: str) -> list[str]:
    matcher = PatternMatcher(_read_ignored(context, dockerfile))
    matcher.patterns.pop()  # removes `!.dockerignore`, which only this client adds
    return [name for name in matcher.walk(context) if not _is_folder(Path(context, name))]


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _read_ignored(context: str, dockerfile: str) -> list[str]:
    file = next(filter(Path.is_file, (Path(f"{dockerfile}.dockerignore"), Path(context, ".dockerignore"))), None)
    lines = [line.strip() for line in file.read_text().splitlines() if not line.startswith("#")] if file else []
    return [line for line in lines if line]


def _entry(name: str, mode: str, content: bytes) -> bytes:
    return f"{name}{mode}".encode() + hashlib.sha256(content).digest() + b"\0"


def _content(path: Path, mode: int) -> bytes:
    if stat.S_ISLNK(mode):
        return os.fsencode(_follow(str(path)))
    return path.read_bytes() if stat.S_ISREG(mode) else b""


def _follow(path: str) -> str:
    """Resolves a link. The result stays relative unless a link is absolute; no function of Python does that."""
    root, done, left, links = "/" * path.startswith("/"), list[str](), path.split("/")[::-1], 0
    while left:
        part = left.pop()
        here = Path(root, *done, part)
        if part == "..":
            done = done[:-1] if done and done[-1] != ".." else [*done, part][bool(root) :]
        elif part not in ("", ".") and not here.is_symlink():
            done.append(part)
        elif part not in ("", "."):
            links += 1
            if links > MAX_LINKS or not here.exists():
                raise PluginError(f"the link {path} has no target", "remove it, or add it to .dockerignore")
            target = str(here.readlink())
            root, done = ("/", []) if target.startswith("/") else (root, done)
            left += target.split("/")[::-1]
    return root + "/".join(done) or "."
