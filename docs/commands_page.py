"""The page of commands: the targets of `make` with their variables, and the options of each command."""

import argparse
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import bootstrap.command_line
import sealift.__main__
import sealift.serving.__main__
import training.command_line
import training.report.show
from docs.parsers import options_of, parser_of, subparsers

HEAD: Final = """\
# Commands

`make docs` generates this page from the commands' own help. `make` sets the project up and runs it. The other commands
are for one task each, after `source .tools/activate`.
"""
MAKE: Final = """
## make

`make TARGET` runs `python3 -m bootstrap TARGET`, with the same meaning.

| target | what it does |
|---|---|
"""
VARIABLES: Final = """
Variables stand in the same command, such as `make up STACK=staging`, or in the environment.

| variable | meaning |
|---|---|
"""
OF_REPORT: Final = {
    "HTML=FILE": "file for the page that `make report` saves",
    "DEPLOYED=1": "report of the deployed model, even if a later run was refused, for `make report`",
    "PYTHON=python3": "Python 3.11 or later that runs `make`'s targets",
}
"""Variables that only the Makefile reads."""
DEFAULT: Final = re.compile(r"\.? \(default: (.*)\)$")
EXAMPLES: Final = re.compile(r"^examples:\n((?:  .+\n)+)", re.MULTILINE)
LINE: Final = re.compile(r"^  ([A-Z].*?)  +(.+)$", re.MULTILINE)
PARSERS: Final = {
    "python -m training": lambda: training.command_line.read_command_line([], Path()),
    "python -m training report": lambda: training.report.show.main([]),
    "sealift": lambda: sealift.__main__.main([]),
    "python -m sealift.serving": lambda: sealift.serving.__main__._parse([]),  # noqa: SLF001 - main changes signals
}
ALSO: Final = {"python -m sealift.serving": "`sealift serve` is the same command, in the installed library."}


def page() -> str:
    """Returns the page."""
    set_up = parser_of(lambda: bootstrap.command_line.main([]))
    parts = [HEAD, MAKE, *(f"| `make {name}` | {_text(one.description)} |\n" for name, one in subparsers(set_up))]
    parts += [VARIABLES, *(f"| {_names(names)} | {_text(text)} |\n" for names, text in variables(set_up).items())]
    parts.append("\n## python3 -m bootstrap\n\n| option | meaning |\n|---|---|\n")
    for name, one in subparsers(set_up):
        parts += _rows(one, f"{name} ")
    for name, command in PARSERS.items():
        parser = parser_of(command)
        also = f"\n{ALSO[name]}\n" if name in ALSO else ""
        parts += [f"\n## {name}\n\n{_text(parser.description)}\n{also}", *_options(parser), *_subcommands(parser)]
        parts += [part for inner, one in subparsers(parser) if one.description for part in _section(name, inner, one)]
    return "".join(parts)


def variables(set_up: argparse.ArgumentParser) -> dict[str, str]:
    """Returns the meaning of each variable of `make`: those of set-up's own help, then those of the Makefile."""
    return {**dict(LINE.findall(set_up.epilog or "")), **OF_REPORT}


def _names(names: str) -> str:
    return ", ".join(f"`{one}`" for one in names.split(", "))


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    if options_of(parser):
        yield "\n| option | meaning |\n|---|---|\n"
    yield from _rows(parser)


def _rows(parser: argparse.ArgumentParser, command: str = "") -> Iterator[str]:
    for one in options_of(parser):
        required = " Required." if one.required and one.option_strings else ""
        meaning = _text((one.help or "") % {**vars(one), "prog": parser.prog})
        yield f"| `{command}{_spelt(one)}` | {meaning}{required} |\n"


def _spelt(one: argparse.Action) -> str:
    if not one.option_strings:
        return str(one.metavar or one.dest).replace(" | ", ", ")
    choices = f"{{{','.join(map(str, one.choices))}}}" if one.choices else None
    value = "" if one.nargs == 0 else f" {one.metavar or choices or one.dest.upper()}"
    return f"{', '.join(one.option_strings)}{value}"


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[str]:
    names = [name for name, _ in subparsers(parser)]
    if names:
        yield f"\nSubcommands: {', '.join(f'`{name}`' for name in names)}.\n"


def _section(command: str, name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """A subcommand with texts of its own: what it does, its options, and its examples."""
    yield f"\n### {command} {name}\n\n{_text(parser.description)}\n"
    yield from _options(parser)
    examples = EXAMPLES.search(parser.epilog or "")
    if examples:
        yield f"\n{textwrap.indent(textwrap.dedent(examples[1]), ' ' * 4)}"


def _text(text: str | None) -> str:
    """As a sentence in a cell of a table."""
    one_line = DEFAULT.sub(r". Default: \1", " ".join((text or "").split())).replace("|", "\\|")
    return f"{one_line[:1].upper()}{one_line[1:]}".removesuffix(".") + "."
