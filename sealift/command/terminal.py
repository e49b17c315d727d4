"""What the command says: results on standard output, everything else on standard error.

A result is text for people, or JSON, one object per line. JSON is ASCII, and texts are printed with their control
characters escaped, because a description comes from whoever sealed the artifact.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from sealift.command.errors import CommandError
from sealift.command.meter import ByteMeter


@dataclass(frozen=True)
class Terminal:
    """Standard output and standard error of one command."""

    as_json: bool = False

    def say(self, result: Mapping[str, Any], *lines: str) -> None:
        """Prints a result: the object with --json, otherwise its lines."""
        if self.as_json:
            print(json.dumps(result))
        for line in () if self.as_json else lines:
            print(printable(line))

    def note(self, line: str) -> None:
        """Prints what is no result."""
        print(printable(line), file=sys.stderr)

    def complain(self, message: str, hint: str = "") -> None:
        """Prints an error and the way out."""
        self.note("error: " + message.replace("\n", " "))
        if hint:
            self.note(f"hint: {hint}")

    @contextmanager
    def meter(self, what: str, total_bytes: int | None) -> Iterator[ByteMeter]:
        """Yields a meter of long work."""
        with ByteMeter(what, total_bytes) as meter:
            yield meter


def printable(line: str) -> str:
    """Returns the line with its control characters escaped."""
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in line)


def secret_output(what: str, instead: str) -> BinaryIO:
    """Returns standard output for a secret. Raises CommandError if it is a terminal, which keeps what it shows."""
    if sys.stdout.isatty():
        raise CommandError(f"{what} is not written to a terminal", instead)
    return os.fdopen(os.dup(sys.stdout.fileno()), "wb")
