"""Other programs that seal and open. They are not dependencies: those that are not installed are left out.

In memory, a peer takes and returns all bytes at once, or streams in memory. Their keys protect nothing.
"""

import importlib.util
import io
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final

from benchmarks.sealing.ours import CONTEXT, KEY, seconds_of

GO_MODULE: Final = Path(__file__).with_name("go_peers")
PIECE: Final = 1 << 20


class Peer(ABC):
    """One program. `absent` says why it cannot be measured, if so."""

    name: str
    title: str
    in_memory: bool
    absent: str | None = None

    def memory_seconds(self, work: str, plain: Path) -> float:
        """Seconds to seal or open in memory. `plain` is the file of the plaintext, which is read before."""
        raise NotImplementedError(f"{self.name} works on files only")

    @abstractmethod
    def file(self, work: str, source: Path, to: Path) -> None:
        """Seals or opens a file into a file."""

    def file_seconds(self, work: str, source: Path, to: Path) -> float:
        return seconds_of(lambda: self.file(work, source, to))


class KeptOpen(io.BytesIO):
    """Memory that stays open when Tink closes its destination."""

    def close(self) -> None:
        pass


class TinkPython(Peer):
    name, title, in_memory = "tink_python", "Tink for Python", True

    def __init__(self) -> None:
        self.absent = None if importlib.util.find_spec("tink") else "the package tink is not installed"
        if not self.absent:
            self._primitive = self._make()

    @staticmethod
    def _make() -> Any:
        import tink
        from tink import streaming_aead

        streaming_aead.register()
        template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
        return tink.new_keyset_handle(template).primitive(streaming_aead.StreamingAead)

    def memory_seconds(self, work: str, plain: Path) -> float:
        content, sealed = plain.read_bytes(), KeptOpen()
        seconds = seconds_of(lambda: self._copy("seal", io.BytesIO(content), sealed))
        if work == "seal":
            return seconds
        sealed.seek(0)
        return seconds_of(lambda: self._copy("open", sealed, io.BytesIO()))

    def file(self, work: str, source: Path, to: Path) -> None:
        with source.open("rb") as given, to.open("wb") as made:
            self._copy(work, given, made)

    def _copy(self, work: str, given: Any, made: Any) -> None:
        if work == "seal":
            with self._primitive.new_encrypting_stream(made, CONTEXT) as stream:
                shutil.copyfileobj(given, stream, PIECE)
        else:
            with self._primitive.new_decrypting_stream(given, CONTEXT) as stream:
                shutil.copyfileobj(stream, made, PIECE)


class Pyrage(Peer):
    name, title, in_memory = "pyrage", "pyrage (age in Rust)", True

    def __init__(self) -> None:
        self.absent = None if importlib.util.find_spec("pyrage") else "the package pyrage is not installed"
        if not self.absent:
            self._age: Any = importlib.import_module("pyrage")
            self._identity = self._age.x25519.Identity.generate()

    def memory_seconds(self, work: str, plain: Path) -> float:
        content, sealed = plain.read_bytes(), list[bytes]()
        recipients = [self._identity.to_public()]
        seconds = seconds_of(lambda: sealed.append(self._age.encrypt(content, recipients)))
        return seconds if work == "seal" else seconds_of(lambda: self._age.decrypt(sealed[0], [self._identity]))

    def file(self, work: str, source: Path, to: Path) -> None:
        if work == "seal":
            self._age.encrypt_file(str(source), str(to), [self._identity.to_public()])
        else:
            self._age.decrypt_file(str(source), str(to), [self._identity])


class Go(Peer):
    """A peer of the Go program in `go_peers/`."""

    in_memory = True

    def __init__(self, name: str, title: str, program: Path | None) -> None:
        self.name, self.title = f"{name}_go", title
        self._peer, self._program = name, program
        self.absent = None if program else "the command go is not installed, or cannot build go_peers"

    def memory_seconds(self, work: str, plain: Path) -> float:
        done = subprocess.run(
            [str(self._program), self._peer, work, "memory", plain, "1"], stdout=subprocess.PIPE, check=True
        )
        return float(done.stdout)

    def file(self, work: str, source: Path, to: Path) -> None:
        subprocess.run([str(self._program), self._peer, work, "file", source, to], check=True)


class OpenSSL(Peer):
    """The command `openssl`, with AES-256-CTR, which authenticates nothing, or with a CMS message of AES-256-GCM."""

    in_memory = False

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title
        self.absent = None if shutil.which("openssl") else "the command openssl is not installed"

    def file(self, work: str, source: Path, to: Path) -> None:
        key = KEY.hex()
        if self.name == "openssl_enc":
            words = ["enc", *(["-d"] if work == "open" else []), "-aes-256-ctr", "-K", key, "-iv", key[:32]]
        elif work == "seal":
            words = ["cms", "-encrypt", "-binary", "-stream", "-outform", "DER", "-aes-256-gcm"]
        else:
            words = ["cms", "-decrypt", "-binary", "-inform", "DER"]
        if self.name == "openssl_cms":
            words += ["-secretkey", key, "-secretkeyid", "01"]
        subprocess.run(["openssl", *words, "-in", source, "-out", to], check=True, stderr=subprocess.DEVNULL)


def peers(folder: Path) -> list[Peer]:
    """Returns all peers. Builds the Go program in `folder`, which takes a minute the first time."""
    program = build_go(folder)
    return [
        TinkPython(),
        Pyrage(),
        Go("tink", "Tink for Go", program),
        Go("age", "age", program),
        OpenSSL("openssl_enc", "openssl enc -aes-256-ctr"),
        OpenSSL("openssl_cms", "openssl cms -aes-256-gcm"),
    ]


def build_go(folder: Path) -> Path | None:
    """Returns the Go program, or None if it cannot be built."""
    if not shutil.which("go"):
        return None
    program = folder / "go_peers"
    done = subprocess.run(["go", "build", "-o", program, "."], cwd=GO_MODULE, capture_output=True, text=True)
    if done.returncode:
        print(f"go_peers cannot be built: {done.stderr.strip()}", file=sys.stderr)
        return None
    return program
