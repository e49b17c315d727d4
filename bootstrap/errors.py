"""What can go wrong in set-up, in the user's words.

BootstrapError              message, and the ways out
├── PartMissing             a part is not here and cannot be had on this machine
├── ProgramFailed           a program that a step ran ended with an error
└── UsageError              what the user asked for makes no sense
"""

from collections.abc import Sequence
from pathlib import Path


class BootstrapError(Exception):
    """A problem to show without a traceback: one sentence, then one line per way out."""

    def __init__(self, message: str, ways: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.ways = tuple(ways)


class PartMissing(BootstrapError):
    """`part` is not here and cannot be had; `ways` lists how the user can get it."""

    def __init__(self, part: str, why: str, ways: Sequence[str]) -> None:
        super().__init__(f"{part}: {why}", ways)
        self.part = part


class ProgramFailed(BootstrapError):
    """A program ended with an error; the message carries the end of what it said, `log` the whole."""

    def __init__(self, argv: Sequence[str], outcome: str, tail: str, log: Path) -> None:
        said = "\n".join(f"    {line}" for line in tail.splitlines())
        super().__init__(
            f"`{' '.join(argv)}` {outcome}" + (f":\n{said}" if said else ""), [f"read the whole log: {log}"]
        )
        self.tail = tail
        self.log = log


class UsageError(BootstrapError):
    """What the user asked for makes no sense; the message says what is allowed."""
