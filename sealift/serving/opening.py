"""Opens one sealed artifact in a separate process, so that the private key is never in the serving process' memory.

The other process decrypts into shared memory, reports the size, and ends. So no request can extract a key, the code
that decrypts does not stay in memory, and the server loads its libraries meanwhile. Nothing is written to a disk. The
memory gets its size once the manifest is checked: a file of any other size takes none.
"""

import contextlib
import ctypes
import json
import mmap
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from sealift.serving.errors import StartError

if TYPE_CHECKING:
    from sealift.sealing import Identity

PIECE_BYTES: Final = 1 << 20
PR_SET_PDEATHSIG: Final = 1
LARGEST_KEY_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Source:
    """Files of one artifact, and its expected identity."""

    payload: Path
    manifest: Path
    key: Path
    """File of the private key, or of the artifact's data key. Its text shows the kind of the key."""
    artifact_id: str
    payload_digest: str | None
    """Expected digest of the payload. None accepts the digest in the manifest, which anyone with the public key can
    make for this id."""
    store: Path | None = None
    """Folder of the store that has the files, if they were named by it: then nothing is mounted."""


class Opening:
    """The opening of an artifact. It begins when the object is made. The end of its `with` block wipes the plain model,
    except for the part to keep."""

    def __init__(self, source: Source) -> None:
        """Starts the other process. Must be called before the process has threads, because it forks. Raises
        StartError."""
        self.source = source
        try:
            size = source.payload.stat().st_size
        except OSError as error:
            raise _unreadable(error, source) from None
        if size == 0:
            raise StartError(f"{source.payload} is empty", "fetch the payload from the store again")
        self._memory: mmap.mmap | bytes = b""
        self._file = os.memfd_create("plain model", os.MFD_CLOEXEC)
        self._reading, writing = os.pipe()
        parent, self._child = os.getpid(), os.fork()
        if self._child == 0:
            try:
                _end_with(parent)
                os.close(self._reading)
                _tell(writing, _answer(source, self._file))
            finally:
                os._exit(0)
        os.close(writing)
        self._wiped_bytes: int | None = None

    def result(self) -> tuple[memoryview, dict[str, Any]]:
        """Returns the plain model, which the end of the block wipes, and the description. Raises StartError."""
        with os.fdopen(self._reading, "rb", closefd=False) as pipe:
            said = pipe.read()
        status = self._wait()
        if status:
            raise StartError(
                f"the process that opens the artifact ended with {status}", "check that it has enough memory"
            )
        told = json.loads(said)
        if "error" in told:
            raise StartError(*told["error"])
        self._map()
        return memoryview(self._memory), told["description"]

    def keep(self, start: int) -> None:
        """Keeps the plain model from `start` on, as long as views of it exist, if the block ends without an error."""
        self._wiped_bytes = start

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            self._wait()
        os.close(self._reading)
        self._map()
        os.close(self._file)
        wiped = memoryview(self._memory)[: self._wiped_bytes if kind is None else None]
        zeros = bytes(PIECE_BYTES)
        for start in range(0, len(wiped), PIECE_BYTES):
            wiped[start : start + PIECE_BYTES] = zeros[: len(wiped) - start]

    def _map(self) -> None:
        """Maps the memory, which has the size that the other process gave it."""
        size = os.fstat(self._file).st_size
        if size and not self._memory:
            self._memory = mmap.mmap(self._file, size)

    def _wait(self) -> int:
        """Exit status of the other process. Negative numbers are the signal that ended it."""
        _, status = os.waitpid(self._child, 0)
        self._child = 0
        return os.waitstatus_to_exitcode(status)


def _end_with(parent: int) -> None:
    """Lets the kernel kill this process when its parent ends."""
    with contextlib.suppress(OSError, AttributeError):  # a C library without prctl
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _tell(writing: int, what: dict[str, Any]) -> None:
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(json.dumps(what).encode())


def _answer(source: Source, file: int) -> dict[str, Any]:
    """Opens the artifact. Runs in the other process."""
    try:
        size, description = _open(source, file)
    except StartError as error:
        return {"error": [str(error)]}
    except Exception as error:  # noqa: BLE001 - the other process could not tell it from a success
        return {"error": [f"the artifact cannot be opened: {type(error).__name__}"]}
    return {"size": size, "description": description}


def _open(source: Source, file: int) -> tuple[int, dict[str, Any]]:
    # Imported only here: the serving process does not need the code that decrypts.
    from sealift.sealing import FileSource, SealingError, named_payload_digest, open_artifact
    from sealift.sealing.manifest import MAX_BYTES

    try:
        manifest = _read(source.manifest, MAX_BYTES)
        key = _read_key(source.key)
        with source.payload.open("rb") as payload:
            opened = open_artifact(
                manifest,
                FileSource(payload.fileno()),
                key,
                artifact_id=source.artifact_id,
                payload_digest=source.payload_digest or named_payload_digest(manifest),
                memory=lambda size: _share(file, size),
            )
    except OSError as error:
        raise _unreadable(error, source) from None
    except SealingError as error:
        raise StartError(error.message, error.hint) from None
    return len(opened.model), opened.description


def _share(file: int, size: int) -> memoryview:
    """Returns the memory of the file, which gets this size. Raises StartError."""
    if size == 0:
        return memoryview(bytearray())
    try:
        os.ftruncate(file, size)
        return memoryview(mmap.mmap(file, size))
    except OSError as error:
        raise StartError(
            f"there is no memory for the model of {size} bytes: {error.strerror}", "give the server more memory"
        ) from None


def _read(path: Path, most: int) -> bytes:
    """Reads a small file. Of a larger one it reads one byte more than `most`, so that the caller refuses it."""
    with path.open("rb") as file:
        return file.read(most + 1)


def _read_key(path: Path) -> "Identity | bytes":
    from sealift.sealing import SealingError, parse_key

    try:
        return parse_key(_read(path, LARGEST_KEY_BYTES).decode("ascii", "replace"), trusted=True)
    except SealingError as error:
        raise StartError(f"{path}: {error.message}", error.hint) from None


def _unreadable(error: OSError, source: Source) -> StartError:
    if source.store is None:
        return StartError(
            f"{error.filename} cannot be read: {error.strerror}", "mount it so that this user can read it"
        )
    if not isinstance(error, FileNotFoundError):
        return StartError(f"{error.filename} cannot be read: {error.strerror}", "let this user read it")
    if error.filename == str(source.key):
        return StartError(f"the file {source.key} does not exist", "give the file of the private key with --key")
    return StartError(
        f"the store {source.store} has no artifact {source.artifact_id}",
        f"its artifacts are the files of {source.store}/manifests",
    )
