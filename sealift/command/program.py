"""Runs one command: its exit code, and its errors in two lines instead of a traceback."""

import contextlib
import os
import sys
from collections.abc import Sequence

from sealift.command.errors import CommandError, WrongUsage
from sealift.command.keys import refuse_secrets
from sealift.command.parser import make_parser
from sealift.command.subcommand import INTERRUPTED, PIPE_CLOSED, REFUSED, USAGE
from sealift.command.terminal import Terminal
from sealift.durable import core_dumps
from sealift.sealing import SealingError
from sealift.signing import SigningError
from sealift.stores import StoreError


def run(arguments: Sequence[str]) -> int:
    """Runs the command with the arguments after `sealift`. Returns its exit code."""
    core_dumps.forbid()  # private keys and plain models are in this process
    if sys.stdout is None or sys.stderr is None:  # closed by the caller: a new file could get the descriptor
        print("error: standard output and standard error must be open", file=sys.stderr)
        return REFUSED
    terminal = Terminal()
    try:
        return _parse_and_run(arguments)
    except WrongUsage as error:
        terminal.complain(error.message, error.hint)
        return USAGE
    except (CommandError, SealingError, SigningError, StoreError) as error:
        terminal.complain(error.message, error.hint)
        return REFUSED
    except BrokenPipeError:
        _close_pipes()
        return PIPE_CLOSED
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
        terminal.complain(what, "check the file's name, the permissions and the free space")
        return REFUSED
    except KeyboardInterrupt:
        terminal.note("")
        return INTERRUPTED


def _parse_and_run(arguments: Sequence[str]) -> int:
    """Raises what a command raises. Nothing that was printed is left in a buffer, where a closed pipe would be found
    too late."""
    try:
        refuse_secrets(arguments)
        options = make_parser().parse_args(arguments)
        code: int = options.run(options, Terminal(options.json))
        return code
    finally:
        sys.stdout.flush()


def _close_pipes() -> None:
    """Keeps Python from complaining, at its end, that the output cannot be flushed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
