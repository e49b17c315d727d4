"""The argparse parsers of the project's commands, without running the commands."""

import argparse
import os
from collections.abc import Callable, Iterator
from unittest.mock import patch


class _MadeError(Exception):
    """Leaves a command once it has a parser."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def parser_of(command: Callable[[], object]) -> argparse.ArgumentParser:
    """Returns the parser with which `command` reads its arguments, or which it returns. The environment's STACK, a
    default of some options, is ignored.
    """
    unset = {name: value for name, value in os.environ.items() if name != "STACK"}
    with patch.dict(os.environ, unset, clear=True), patch("argparse.ArgumentParser.parse_args", _raise_made):
        try:
            made = command()
        except _MadeError as found:
            return found.parser
    if not isinstance(made, argparse.ArgumentParser):
        raise TypeError("internal error: the command has no parser")
    return made


def options_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Returns the options and arguments, without --help and subcommands."""
    hidden = (argparse._HelpAction, argparse._SubParsersAction)  # noqa: SLF001 - argparse has no public way
    return [one for one in parser._actions if not isinstance(one, hidden)]  # noqa: SLF001


def subparsers(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yields name and parser of each subcommand."""
    for one in parser._actions:  # noqa: SLF001 - argparse has no public way
        if isinstance(one, argparse._SubParsersAction):  # noqa: SLF001
            yield from one.choices.items()


def _raise_made(parser: argparse.ArgumentParser, *_: object) -> None:
    raise _MadeError(parser)
