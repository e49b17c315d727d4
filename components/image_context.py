"""The build context of a model image. The same inputs give the same bytes on every machine.

The build is hermetic: packages come from an archive of wheels that were checked by hash, and the build runs no command
and needs no network. Layers are ordered by how often they change: base → packages → server → sealed payload. The
context never contains the manifest or a key. File modes and times are fixed, because the digests of the Docker plugin
and of the layers cover them. No Pulumi, no Docker: files and text only.

A context's folder is named after its content, so that a `preview` during an `up` never changes the other one's build
context.
"""

import fcntl
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from sealift import rooms
from sealift.durable import file_set
from sealift.serving import image_layout

SOURCES: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = "sealift"
SUFFIXES: Final = (".py", ".html", ".css", ".js")
FILE_MODE: Final = 0o644
FOLDER_MODE: Final = 0o755
CONTEXT_NAME: Final = re.compile(r"[0-9a-f]{16}\Z")
PAYLOAD: Final = "payload"
DRAFT: Final = ".draft"
LEAVING: Final = ".leaving"
LOCK_FILE: Final = ".lock"


def dockerfile(base_image: str, labels: Mapping[str, str]) -> str:
    """Returns the Dockerfile: copies only, and ADD unpacks an archive. Labels come last and make no layer."""
    python_path = f"{image_layout.CODE_FOLDER}:{image_layout.PACKAGES_FOLDER}"
    label_lines = "".join(f'LABEL "{_quote(name)}"="{_quote(value)}"\n' for name, value in sorted(labels.items()))
    return f"""\
FROM {base_image}
ADD {image_layout.PACKAGES_FILE} {image_layout.PACKAGES_FOLDER}/
COPY server {image_layout.CODE_FOLDER}
ENV PYTHONPATH={python_path} PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1
USER {image_layout.USER_ID}:{image_layout.USER_ID}
EXPOSE {image_layout.PORT}
ENTRYPOINT {json.dumps(image_layout.ENTRY_POINT)}
{label_lines}COPY {PAYLOAD} {image_layout.PAYLOAD_PATH}
"""


def materialise(
    contexts: Path,
    *,
    write_payload: Callable[[BinaryIO], object],
    base_image: str,
    wheels: Path,
    labels: Mapping[str, str],
    sources: Path = SOURCES,
) -> Path:
    """Writes the context and returns its folder in `contexts`. The same content has the same folder name.
    `write_payload` writes the sealed payload into a file that is open for reading too.

    The folder stays complete while this process lives. Contexts that no living process uses are removed. Raises
    FileNotFoundError with a hint if the wheels have not been collected.
    """
    packages = wheels / image_layout.PACKAGES_FILE
    if not packages.is_file():
        raise FileNotFoundError(
            f"the folder {wheels} has no packages for the image; `make setup` collects them and sets SEALIFT_WHEELS"
        )
    all_labels = {**labels, "dev.sealift.source-digest": source_digest(sources)}
    files = {Path("Dockerfile"): dockerfile(base_image, all_labels).encode()}
    files |= {Path("server") / name: content for name, content in _server_files(sources).items()}
    contexts.mkdir(parents=True, exist_ok=True)
    with _only_writer(contexts):
        draft = _draft(contexts, write_payload)
        copied = {packages.name: file_set.of_file(packages), PAYLOAD: file_set.of_file(draft / PAYLOAD)}
        contents = _contents(files) | copied
        digest = file_set.digest(contents, dict.fromkeys(contents, stat.S_IFREG | FILE_MODE))
        context = contexts / digest[:16]
        if context.is_dir() and context_digest(context) != digest:
            _remove(context)
        if context.is_dir():
            shutil.rmtree(draft)
        else:
            _write_all(draft, files, packages)
            draft.rename(context)
        _hold(context)
        _remove_unused(contexts)
    return context


def source_digest(sources: Path = SOURCES) -> str:
    """Returns the SHA-256, in hex, over the names and bytes of the server's code."""
    return file_set.digest(_contents(_server_files(sources)))


def context_digest(context: Path) -> str:
    """Returns the SHA-256, in hex, over names, modes and bytes of all files of a context."""
    paths = {path.relative_to(context).as_posix(): path for path in context.rglob("*") if path.is_file()}
    contents = {name: file_set.of_file(path) for name, path in paths.items()}
    return file_set.digest(contents, {name: path.stat().st_mode for name, path in paths.items()})


def _server_files(sources: Path) -> dict[Path, bytes]:
    package = sources / PACKAGE
    found = [path for room in rooms.IN_IMAGE for path in (package / room).rglob("*") if path.suffix in SUFFIXES]
    found += [package / module for module in rooms.MODULES_IN_IMAGE]
    return {path.relative_to(sources): path.read_bytes() for path in found}


def _contents(files: Mapping[Path, bytes]) -> dict[str, str]:
    return {name.as_posix(): file_set.of_bytes(content) for name, content in files.items()}


@contextmanager
def _only_writer(contexts: Path) -> Iterator[None]:
    """Waits until no other process writes here. The lock of a killed process is released."""
    file = os.open(contexts / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _hold(context: Path) -> None:
    """Locks the context until this process ends: the Docker plugin reads the folder until the image is built."""
    fcntl.flock(os.open(context, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), fcntl.LOCK_SH)


def _remove_unused(contexts: Path) -> None:
    """Removes contexts that no living process holds. Only the one writer may call it."""
    for context in [path for path in contexts.iterdir() if CONTEXT_NAME.match(path.name)]:
        folder = os.open(context, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with suppress(OSError):  # held, or the file system has no locks on folders: the context stays
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(context)
        os.close(folder)


def _remove(context: Path) -> None:
    """Removes the context. If the process is killed meanwhile, no incomplete context keeps the name."""
    leaving = context.with_name(LEAVING)
    shutil.rmtree(leaving, ignore_errors=True)
    context.rename(leaving)
    shutil.rmtree(leaving)


def _draft(contexts: Path, write_payload: Callable[[BinaryIO], object]) -> Path:
    """Makes a folder that contains only the payload."""
    folder = contexts / DRAFT
    shutil.rmtree(folder, ignore_errors=True)  # a killed writer's
    folder.mkdir()
    with (folder / PAYLOAD).open("w+b") as file:
        write_payload(file)
    return folder


def _write_all(folder: Path, files: Mapping[Path, bytes], packages: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    shutil.copyfile(packages, folder / packages.name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
        os.utime(path, (image_layout.FIXED_TIME, image_layout.FIXED_TIME))


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", " ")
