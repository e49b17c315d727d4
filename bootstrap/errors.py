"""Errors of set-up, with messages for the user.

BootstrapError              message and hints
├── PartMissing             a part is missing and cannot be installed on this machine
├── ProgramFailed           a program that a step ran ended with an error
└── UsageError              an option has an invalid value
"""

from collections.abc import Sequence
from pathlib import Path


class BootstrapError(Exception):
    """A problem that is shown without a traceback: one sentence, then one line per hint."""

    def __init__(self, message: str, ways: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.ways = tuple(ways)


class PartMissing(BootstrapError):
    """`part` is missing and cannot be installed. `ways` lists what the user can do."""

    def __init__(self, part: str, why: str, ways: Sequence[str]) -> None:
        super().__init__(f"{part}: {why}", ways)
        self.part = part


class ProgramFailed(BootstrapError):
    """A program ended with an error. The message contains the end of its output, `log` all of it."""

    def __init__(self, argv: Sequence[str], outcome: str, tail: str, log: Path) -> None:
        said = "\n".join(f"    {line}" for line in tail.splitlines())
        super().__init__(
            f"`{' '.join(argv)}` {outcome}" + (f":\n{said}" if said else ""), [f"read the whole log: {log}"]
        )
        self.tail = tail
        self.log = log


class UsageError(BootstrapError):
    """An option has an invalid value. The message says what is allowed."""
