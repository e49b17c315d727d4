"""Opens one sealed artifact in a process of its own: the private key is never in the memory of the one that serves.

The other process decrypts into memory that both share, says how much, and ends. So nothing that strangers send to the
server can bring out a key, nothing of the code that opens stays in memory, and the server's own libraries are loaded
meanwhile. Nothing is written to a disk.
"""

import json
import mmap
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sealift.serving.errors import StartError

PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Source:
    """Where one artifact lies, and which one it must be."""

    payload: Path
    manifest: Path
    key: Path
    """What opens it: a file whose text says by itself of which kind it is."""
    artifact_id: str
    payload_digest: str | None
    """None: the one that its manifest names. Whoever has a public key can make such a manifest of this id."""


class Opening:
    """Begun when it is made, and over at the end of its `with` block, which leaves nothing plain behind but what is to
    be kept."""

    def __init__(self, source: Source) -> None:
        """Raises StartError. To be called before the process has threads: it forks."""
        self.source = source
        try:
            size = source.payload.stat().st_size
        except OSError as error:
            raise _unreadable(error) from None
        if size == 0:
            raise StartError(f"{source.payload} is empty", "fetch the payload from the store again")
        self._memory = mmap.mmap(-1, size, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        self._reading, writing = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            try:
                os.close(self._reading)
                _tell(writing, _answer(source, self._memory))
            finally:
                os._exit(0)
        os.close(writing)
        self._size = 0
        self._wiped_bytes = size

    def result(self) -> tuple[memoryview, dict[str, Any]]:
        """The plain model, which the block's end wipes, and what the artifact says of itself. Raises StartError."""
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
        self._size = told["size"]
        return memoryview(self._memory)[: self._size], told["description"]

    def keep(self, start: int) -> None:
        """From there on the plain model stays, for as long as there are views of it, if the block ends well."""
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
        wiped = memoryview(self._memory)[: self._wiped_bytes if kind is None else len(self._memory)]
        zeros = bytes(PIECE_BYTES)
        for start in range(0, len(wiped), PIECE_BYTES):
            wiped[start : start + PIECE_BYTES] = zeros[: len(wiped) - start]

    def _wait(self) -> int:
        """The exit status of the other process: 0, or less than 0 for the signal that ended it."""
        _, status = os.waitpid(self._child, 0)
        self._child = 0
        return os.waitstatus_to_exitcode(status)


def _tell(writing: int, what: dict[str, Any]) -> None:
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(json.dumps(what).encode())


def _answer(source: Source, memory: mmap.mmap) -> dict[str, Any]:
    """In the other process."""
    try:
        size, description = _open(source, memory)
    except StartError as error:
        return {"error": [str(error)]}
    except Exception as error:  # noqa: BLE001 - the other process could not tell it from a success
        return {"error": [f"the artifact cannot be opened: {type(error).__name__}"]}
    return {"size": size, "description": description}


def _open(source: Source, memory: mmap.mmap) -> tuple[int, dict[str, Any]]:
    # Only here: the process that serves has no use for what decrypts.
    from sealift.sealing import SealingError, named_payload_digest, open_artifact, parse_identity

    try:
        manifest = source.manifest.read_bytes()
        key = parse_identity(source.key.read_text("ascii", "replace"), trusted=True)
        with source.payload.open("rb") as file:
            payload = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise _unreadable(error) from None
    except SealingError as error:
        raise StartError(f"{source.key}: {error.message}", error.hint) from None

    def leave(read: slice) -> None:
        """The file's pages count in nobody's memory any more; what is read of it again is mapped again."""
        start = read.start // mmap.PAGESIZE * mmap.PAGESIZE
        payload.madvise(mmap.MADV_DONTNEED, start, min(read.stop, len(payload)) - start)

    try:
        opened = open_artifact(
            manifest,
            payload,
            key,
            artifact_id=source.artifact_id,
            payload_digest=source.payload_digest or named_payload_digest(manifest),
            memory=lambda size: memoryview(memory)[:size],
            passed=leave,
        )
    except SealingError as error:
        raise StartError(error.message, error.hint) from None
    return len(opened.model), opened.description


def _unreadable(error: OSError) -> StartError:
    return StartError(f"{error.filename} cannot be read: {error.strerror}", "mount it so that this user can read it")
