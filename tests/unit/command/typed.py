"""The command as a user types it: a process of its own."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.documented import PROJECT_ROOT
from tests.keys import key_pair

SEALIFT = (sys.executable, "-m", "sealift")
ENDS_WITHIN_SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """What a command said, and its exit code."""

    code: int
    output: bytes
    errors: str

    @property
    def json(self) -> Any:
        return json.loads(self.output)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.output.splitlines()]


def environment() -> dict[str, str]:
    """Also for a command that runs in another folder."""
    return {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}


def sealift(*arguments: object, given: bytes = b"", folder: Path = PROJECT_ROOT) -> Ended:
    ran = subprocess.run(
        [*SEALIFT, *map(str, arguments)],
        input=given,
        capture_output=True,
        cwd=folder,
        env=environment(),
        timeout=ENDS_WITHIN_SECONDS,
        check=False,
    )
    assert b"Traceback" not in ran.stderr, ran.stderr.decode()
    return Ended(ran.returncode, ran.stdout, ran.stderr.decode())


def succeeds(*arguments: object, given: bytes = b"", folder: Path = PROJECT_ROOT) -> Ended:
    ended = sealift(*arguments, given=given, folder=folder)
    assert ended.code == 0, ended.errors
    return ended


def is_refused(ended: Ended, *says: str, code: int = 1) -> None:
    """It ends with this code, an error that says all this, and a hint; nothing is on standard output."""
    assert ended.code == code, ended.errors
    assert ended.errors.startswith("error: ") and "\nhint: " in ended.errors
    assert [text for text in says if text not in ended.errors] == []
    assert ended.output == b""


def key_files(folder: Path, number: int = 0) -> tuple[Path, Path]:
    """Files of a private key and its public key."""
    key, private, public = key_pair(number), folder / f"key{number}.pem", folder / f"key{number}.pem.pub"
    private.write_text(key.pem)
    public.write_text(key.recipient.pem)
    return private, public


def hear_interrupts() -> None:
    """A shell starts programs in the background deaf to Ctrl-C, and this test may be in such a one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
