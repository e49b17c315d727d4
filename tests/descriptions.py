"""All that describes a thing to a user: settings, inputs, outputs, options of commands, metrics."""

import argparse
import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import benchmarks.large_model
import benchmarks.serving.__main__
import benchmarks.training.__main__
import bootstrap.command_line
import sealift.__main__
import sealift.serving.__main__
import training.command_line
import training.report.show
from components.sections import SECTIONS
from docs.metrics_page import all_families
from docs.package_schema import package_schema
from docs.parsers import options_of, parser_of, subparsers
from sealift.settings.declare import declarations, summary

COMMANDS: Final[Mapping[str, Callable[[], object]]] = {
    "bootstrap": bootstrap.command_line._parser,
    "benchmarks.large_model": benchmarks.large_model.main,
    "benchmarks.serving": benchmarks.serving.__main__.main,
    "benchmarks.training": benchmarks.training.__main__.main,
    "sealift": lambda: sealift.__main__.main([]),
    "sealift.serving": lambda: sealift.serving.__main__._parse([]),
    "training": training.command_line._parser,
    "training report": training.report.show._parser,
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
        yield from _settings(name, of)
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


def _settings(path: str, of: type[Any]) -> Iterator[tuple[str, str]]:
    for one in declarations(of):
        yield f"setting {path}.{one.name}", one.meaning
        if one.of is not None and dataclasses.is_dataclass(one.of):
            yield f"object {path}.{one.name}", summary(one.of)
            yield from _settings(f"{path}.{one.name}", one.of)


def _options(command: str, make: Callable[[], object]) -> Iterator[tuple[str, str]]:
    """Options of subcommands too, without --help and --version, whose texts are argparse's own."""
    pending = [(command, parser_of(make))]
    for name, parser in pending:
        pending += [(f"{name} {inner}", of) for inner, of in subparsers(parser)]
        for action in options_of(parser):
            if isinstance(action, argparse._VersionAction):
                continue
            yield f"{name} {' '.join(action.option_strings) or action.dest}", DEFAULT.sub("", str(action.help))


def _metrics() -> Iterator[tuple[str, str]]:
    for one in all_families():
        yield f"metric {one.name}", one.help
