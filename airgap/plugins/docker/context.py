"""What an image build reads: the context's files, less what .dockerignore leaves out, and a digest of them.

The digest covers each file's path, mode and bytes, and the Dockerfile's; not the times and not where the context is.
"""

import hashlib
import stat
from pathlib import Path

from components.plugin.errors import PluginError
from docker.utils.build import exclude_paths


def context_digest(context: str, dockerfile: str) -> str:
    """Hex SHA-256. Raises PluginError if the folder or the Dockerfile is not there."""
    root = Path(context)
    if not root.is_dir():
        raise PluginError(
            f"build.context is {context!r}, which is no folder", "give a path relative to the project's folder"
        )
    if not Path(dockerfile).is_file():
        raise PluginError(
            f"build.dockerfile is {dockerfile!r}, which is no file", "give its path relative to the project's folder"
        )
    whole = hashlib.sha256()
    _add(whole, "Dockerfile", Path(dockerfile))
    for name in sorted(exclude_paths(context, _ignored(root), dockerfile=str(Path(dockerfile).name))):
        _add(whole, name, root / name)
    return whole.hexdigest()


def dockerfile_in_context(context: str, dockerfile: str) -> str:
    """The Dockerfile's path relative to the context, as the engine wants it."""
    try:
        return str(Path(dockerfile).resolve().relative_to(Path(context).resolve()))
    except ValueError:
        return str(Path(dockerfile).resolve())


def _ignored(root: Path) -> list[str]:
    file = root / ".dockerignore"
    if not file.is_file():
        return []
    lines = (line.strip() for line in file.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _add(whole: "hashlib._Hash", name: str, path: Path) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        content = str(path.readlink()).encode()
    elif stat.S_ISREG(mode):
        content = path.read_bytes()
    else:
        content = b""
    whole.update(f"{name}\0{mode:o}\0{len(content)}\0".encode() + content)
