"""The command line of `sealift`, and the list of its commands."""

import argparse
from typing import Final, NoReturn

from sealift.command import (  # the commands' names
    completion,
    erase,
    gc,
    inspect,
    keygen,
    list,  # noqa: A004
    open,  # noqa: A004
    provenance,
    rewrap,
    seal,
    sign,
    verify,
)
from sealift.command.errors import WrongUsage
from sealift.command.subcommand import EXIT_CODES, Subcommand
from sealift.serving.version import VERSION

COMMANDS: Final[tuple[Subcommand, ...]] = (
    keygen.COMMAND,
    seal.COMMAND,
    open.COMMAND,
    sign.COMMAND,
    inspect.COMMAND,
    verify.COMMAND,
    provenance.COMMAND,
    list.COMMAND,
    rewrap.COMMAND,
    gc.COMMAND,
    erase.COMMAND,
    completion.COMMAND,
)
ABOUT: Final = "Seals models, opens and keeps sealed artifacts, and serves them."
JSON_HELP: Final = "form of the result: JSON, one object per line, instead of text"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WrongUsage(message, f"see `{self.prog} --help`")


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser. `sealift serve` parses its own arguments."""
    parser = _Parser(
        prog="sealift",
        description=ABOUT,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    version = "version of the installed Sealift, which is then printed"
    parser.add_argument("--version", action="version", version=VERSION, help=version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for one in COMMANDS:
        _add_command(commands, one)
    serve = "serve one sealed model over HTTP and gRPC; `sealift serve --help` lists the options"
    commands.add_parser("serve", help=serve, add_help=False)
    return parser


def _add_command(commands: "argparse._SubParsersAction[_Parser]", one: Subcommand) -> None:
    examples = "".join(f"  {line}\n" for line in one.examples.splitlines())
    parser = commands.add_parser(
        one.name,
        help=one.summary,
        description=one.description,
        epilog=f"examples:\n{examples}\n{EXIT_CODES}",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    one.add_options(parser)
    parser.add_argument("--json", action="store_true", help=JSON_HELP)
    parser.set_defaults(run=one.run)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Fills the description's lines, and keeps those of the examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:"):
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)  # noqa: SLF001 - argparse's own hook
