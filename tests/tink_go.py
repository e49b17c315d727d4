"""Tink for Go, a second implementation of the payload format: a program that is built once (tests/servers/tink_go)."""

import fcntl
import subprocess
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pytest

from bootstrap import go_program
from bootstrap.commands import worktree
from bootstrap.console import Console
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout

PROJECT_ROOT: Final = Path(__file__).resolve().parents[1]
MODULE: Final = PROJECT_ROOT / "tests" / "servers" / "tink_go"
PROGRAM: Final = "tink-go"


def tink_go(action: Literal["seal", "open"], key: bytes, context: bytes, content: bytes) -> bytes:
    """Seals or opens. Skips without Go. Raises CalledProcessError if Tink refuses."""
    argv = [_program(), action, key.hex(), context.hex()]
    return subprocess.run(argv, input=content, capture_output=True, check=True, timeout=60).stdout


@cache
def _program() -> Path:
    context = Context(Layout(PROJECT_ROOT), Console(live=False))
    try:
        context = worktree.borrow(context) or context
        context.layout.tools.mkdir(exist_ok=True)
        with (context.layout.tools / f"{PROGRAM}.lock").open("w") as lock:  # other workers need it too
            fcntl.flock(lock, fcntl.LOCK_EX)
            return go_program.build(
                context, "Tink for Go", module=MODULE, package=".", name=PROGRAM, progress=lambda _: None
            )
    except BootstrapError as problem:
        pytest.skip(f"no Tink for Go: {problem.message}")
