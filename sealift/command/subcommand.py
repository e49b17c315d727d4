"""The contract of a command: its texts, its options, and what it does."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sealift.command.terminal import Terminal

DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
EXIT_CODES: Final = """exit codes:
  0    everything was done
  1    the artifact, the store or the key refuses, or a file cannot be used
  2    the command line is wrong
  130  Ctrl-C ended the command; no file is half-written
  141  the program that reads the output ended first
"""


@dataclass(frozen=True)
class Subcommand:
    """One command."""

    name: str
    summary: str
    """A line for the list of the commands."""
    description: str
    """What the command does, for its --help."""
    examples: str
    """Command lines, one each."""
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Terminal], int]
    """Returns the exit code. Raises CommandError, or errors of sealing and stores."""
