"""Every way to open an artifact, so that a test can try one artifact in all of them.

A way returns the plaintext, or raises `Refused` with the message that a person sees. Anything else that it raises is a
fault of ours. `refusals` and `openings` count what came out.
"""

import contextlib
import io
import secrets
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from sealift.command.program import run
from sealift.sealing import (
    FileSource,
    Identity,
    Sealed,
    SealingError,
    open_artifact,
    open_into,
    open_range,
    open_reader,
    parse_identity,
)
from sealift.sealing.memory import Buffer
from sealift.serving.errors import StartError
from sealift.serving.opening import Opening, Source
from sealift.stores import StoreError, get_manifest, open_payload, open_store
from tests.unit.command.typed import SEALIFT, environment

COUNTS: Final = Counter[str]()
"""How often each way opened and refused."""


class Refused(Exception):
    """The one clear error of a way."""


@dataclass(frozen=True)
class Given:
    """What a way opens: the bytes as somebody altered them, and the pins and the key that the user has."""

    manifest: bytes
    payload: bytes
    key: str
    artifact_id: str
    payload_digest: str

    @staticmethod
    def of(sealed: Sealed, payload: Buffer, key: str) -> "Given":
        return Given(sealed.manifest, bytes(payload), key, sealed.artifact_id, sealed.payload_digest)

    def but(self, **changed: object) -> "Given":
        return replace(self, **changed)  # type: ignore[arg-type]  # the fields' own types

    @property
    def pins(self) -> dict[str, Any]:
        return {"artifact_id": self.artifact_id, "payload_digest": self.payload_digest}

    @property
    def identity(self) -> Identity:
        return _identity(self.key)


Way = Callable[[Given, Path], bytes]


@cache
def _identity(key: str) -> Identity:
    return parse_identity(key)


class _Unnamed:
    """A file that is released by `create` alone."""

    def __init__(self) -> None:
        self.written, self.released = b"", b""

    def write(self, piece: Buffer) -> None:
        self.written += piece

    def create(self) -> None:
        self.released = self.written


def in_memory(given: Given, _: Path) -> bytes:
    return bytes(open_artifact(given.manifest, given.payload, given.identity, **given.pins).model)


def from_a_stream(given: Given, _: Path) -> bytes:
    return bytes(open_artifact(given.manifest, io.BytesIO(given.payload), given.identity, **given.pins).model)


def into_a_file(given: Given, _: Path) -> bytes:
    file = _Unnamed()
    try:
        open_into(file, given.manifest, io.BytesIO(given.payload), given.identity, **given.pins)
    except SealingError:
        assert file.released == b"", "something was released before the refusal"
        raise
    return file.released


def with_a_reader(given: Given, _: Path) -> bytes:
    with open_reader(given.manifest, given.payload, given.identity, **given.pins) as reader:
        return reader.read()


def in_ranges(given: Given, _: Path) -> bytes:
    step = max(1000, len(given.payload) // 3)
    pieces, start = [b""], 0
    while piece := bytes(open_range(given.manifest, given.payload, given.identity, start, step, **given.pins)):
        pieces.append(piece)
        start += step
    return b"".join(pieces)


def from_an_open_file(given: Given, folder: Path) -> bytes:
    payload, _ = _files(given, folder)
    with payload.open("rb") as file:
        source = FileSource(file.fileno())
        return bytes(open_artifact(given.manifest, source, given.identity, **given.pins).model)


def from_a_store(given: Given, folder: Path) -> bytes:
    store = open_store(_store(given, folder))
    manifest = get_manifest(store, given.artifact_id)
    with open_payload(store, given.artifact_id) as payload:
        return bytes(open_artifact(manifest, payload, given.identity, **given.pins).model)


def by_the_server(given: Given, folder: Path) -> bytes:
    payload, manifest = _files(given, folder)
    source = Source(payload, manifest, _key(given, folder), given.artifact_id, given.payload_digest)
    with Opening(source) as opening:
        return bytes(opening.result()[0])


def by_the_command(given: Given, folder: Path) -> bytes:
    payload, manifest = _files(given, folder)
    place = (given.artifact_id, "--payload", str(payload), "--manifest", str(manifest))
    return _opened(run_here, given, folder, place)


def by_the_command_from_a_store(given: Given, folder: Path) -> bytes:
    return _opened(run_here, given, folder, (given.artifact_id, "--store", _store(given, folder)))


def by_a_command_of_its_own(given: Given, folder: Path) -> bytes:
    payload, manifest = _files(given, folder)
    place = (given.artifact_id, "--payload", str(payload), "--manifest", str(manifest))
    return _opened(run_process, given, folder, place)


def verified(given: Given, folder: Path) -> bytes:
    """Opens nothing: it says whether the other ways would, and returns what they return."""
    store = _store(given, folder)
    run_here(
        "verify", given.artifact_id, "--store", store, "-i", str(_key(given, folder)),
        "--payload-digest", given.payload_digest,
    )  # fmt: skip
    return in_memory(given, folder)


QUICK: Final[dict[str, Way]] = {
    "in memory": in_memory, "from a stream": from_a_stream, "into a file": into_a_file,
    "with a reader": with_a_reader, "in ranges": in_ranges,
}  # fmt: skip
"""Ways that take a millisecond."""
IN_FILES: Final[dict[str, Way]] = {
    "from an open file": from_an_open_file, "from a store": from_a_store, "by the server": by_the_server,
    "by the command": by_the_command, "by the command from a store": by_the_command_from_a_store,
    "verified": verified,
}  # fmt: skip
"""Ways that read files, in some ten milliseconds."""
PROCESSES: Final[dict[str, Way]] = {"by a command of its own": by_a_command_of_its_own}
"""Ways that take half a second."""
ALL: Final = QUICK | IN_FILES | PROCESSES


def attempt(name: str, given: Given, folder: Path) -> bytes:
    """Opens in one way. Raises Refused, and AssertionError if the error is not one clear one."""
    place = folder / secrets.token_hex(4)
    place.mkdir()
    try:
        opened = ALL[name](given, place)
    except (SealingError, StoreError) as error:
        _assert_clear(error.message, given)
        COUNTS[f"{name}: refused"] += 1
        raise Refused(error.message) from None
    except StartError as error:
        _assert_clear(str(error), given)
        COUNTS[f"{name}: refused"] += 1
        raise Refused(str(error)) from None
    except Refused as refused:
        _assert_clear(str(refused), given)
        COUNTS[f"{name}: refused"] += 1
        raise
    finally:
        shutil.rmtree(place)
    COUNTS[f"{name}: opened"] += 1
    return opened


def refused_by(ways: Sequence[str], given: Given, folder: Path) -> list[str]:
    """The messages of all these ways. Raises AssertionError if one opens it."""
    messages = []
    for name in ways:
        try:
            attempt(name, given, folder)
        except Refused as refused:
            messages.append(str(refused))
        else:
            raise AssertionError(f"opened {name}")
    return messages


def run_here(*arguments: str) -> None:
    """Runs the command in this process. Raises Refused unless its exit code is 0."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            code = run(arguments)
        except SystemExit as ended:  # as argparse ends it
            code = int(str(ended.code))
    _raise_refusal(code, errors.getvalue())


def run_process(*arguments: str) -> None:
    """Runs the command in a process of its own. Raises Refused unless its exit code is 0."""
    ran = subprocess.run(
        [*SEALIFT, *arguments], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    _raise_refusal(ran.returncode, ran.stderr)


def _raise_refusal(code: int, errors: str) -> None:
    if code == 0:
        return
    assert code in (1, 2), (code, errors)
    told = [line for line in errors.splitlines() if "error: " in line]
    assert len(told) == 1 and "Traceback" not in errors, errors
    raise Refused(told[0].partition("error: ")[2])


def _opened(ran: Callable[..., None], given: Given, folder: Path, place: Sequence[str]) -> bytes:
    output = folder / "opened"
    try:
        ran("open", *place, "-i", str(_key(given, folder)), "--payload-digest", given.payload_digest, "-o", str(output))
    except Refused:
        assert not output.exists(), "a file is there in spite of the refusal"
        raise
    return output.read_bytes()


def _files(given: Given, folder: Path) -> tuple[Path, Path]:
    payload, manifest = folder / "payload", folder / "manifest"
    payload.write_bytes(given.payload)
    manifest.write_bytes(given.manifest)
    return payload, manifest


def _store(given: Given, folder: Path) -> str:
    """Writes the files as an attacker with access to the folder does. Returns the store's URL."""
    for part, content in (("payloads", given.payload), ("manifests", given.manifest)):
        (folder / "store" / part).mkdir(parents=True)
        with contextlib.suppress(OSError, ValueError):  # a name that no file can have
            (folder / "store" / part / given.artifact_id).write_bytes(content)
    return f"file://{folder}/store"


def _key(given: Given, folder: Path) -> Path:
    path = folder / "key.pem"
    path.write_text(given.key)
    return path


def _assert_clear(message: str, given: Given) -> None:
    assert message.strip() and message.isprintable() and len(message) < 1000, repr(message)
    assert "Error:" not in message and "internal error" not in message, message
    secret = "".join(given.key.splitlines()[1:-1])
    assert not secret or secret not in message
