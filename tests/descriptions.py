"""All that describes a thing to a user: settings, inputs, outputs, options of commands, metrics."""

import argparse
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import benchmarks.large_model
import benchmarks.serving.__main__
import benchmarks.training.__main__
import bootstrap.command_line
from components.sections import SECTIONS
from docs.commands_page import PARSERS
from docs.metrics_page import all_families
from docs.package_schema import package_schema
from docs.parsers import options_of, parser_of, subparsers
from docs.settings_by_task import declared
from sealift.settings.declare import summary

COMMANDS: Final[Mapping[str, Callable[[], object]]] = {
    **PARSERS,
    "python3 -m bootstrap": bootstrap.command_line._parser,
    "python -m benchmarks.large_model": benchmarks.large_model.main,
    "python -m benchmarks.serving": benchmarks.serving.__main__.main,
    "python -m benchmarks.training": benchmarks.training.__main__.main,
}
"""What makes a command's parser, or makes it and then reads arguments."""
APPENDED: Final = re.compile(r" (?:Allowed|Default): .*$| Secret\.$", re.DOTALL)
"""What the schema appends to a description."""
DEFAULT: Final = re.compile(r" \(default: [^)]*\)$")
"""What an option's help ends in."""


def described() -> Iterator[tuple[str, str]]:
    """Each thing and its description."""
    yield from _schema()
    for name, of in SECTIONS.items():
        yield f"section {name}", summary(of)
        yield from _settings(name)
    for command, make in COMMANDS.items():
        yield from _options(command, make)
    yield from _metrics()


def _schema() -> Iterator[tuple[str, str]]:
    package = json.loads(package_schema())
    for token, one in {**package["resources"], **package["types"]}.items():
        name = token.split(":")[-1]
        yield name, one["description"]
        for part in ("inputProperties", "properties"):
            for key, value in one.get(part, {}).items():
                yield f"{name}.{key} ({part})", APPENDED.sub("", APPENDED.sub("", value["description"]))


def _settings(section: str) -> Iterator[tuple[str, str]]:
    for one in declared(section):
        yield f"setting {one.full_path}", one.setting.meaning
        if one.setting.of is not None:
            yield f"object {one.full_path}", summary(one.setting.of)


def _options(command: str, make: Callable[[], object]) -> Iterator[tuple[str, str]]:
    """Options of subcommands too, without --help and --version, whose texts are argparse's own."""
    pending = [(command, parser_of(make))]
    for name, parser in pending:
        pending += [(f"{name} {inner}", of) for inner, of in subparsers(parser)]
        for action in options_of(parser):
            if isinstance(action, argparse._VersionAction):
                continue
            yield (
                f"{name} {' '.join(action.option_strings) or action.metavar or action.dest}",
                DEFAULT.sub("", str(action.help)),
            )


def _metrics() -> Iterator[tuple[str, str]]:
    for one in all_families():
        yield f"metric {one.name}", one.help
