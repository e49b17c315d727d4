"""Reads the command line of `python -m training` into a job, or reports every problem. Standard library only.

Settings are spelt as in a stack's config, and read as `pulumi config set --path` reads them: by their path.
"""

import argparse
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from sealift.names import snake_case
from sealift.property_path import ANY, parse_path
from sealift.settings import Problem
from sealift.settings.declare import declarations
from sealift.settings.kinds import show_value
from sealift.settings.read import numbers_read
from training.job import Job
from training.options import Data

DESCRIPTION: Final = """\
Trains a model and shows its metrics on rows that it has not seen. It needs no stack, no store and no key. It keeps
only the files that --onnx and --report name. The same settings in a stack make the same model, bit for bit.
"""
EPILOG: Final = """\
examples:
  python -m training --dataset iris
  python -m training --dataset churn.csv --target churned --model mlp --epochs 50 --set earlyStopping.patience=5
  python -m training --dataset mydata:rows --model nets:Wide --set modelArguments.width=128 --report report.html

docs/reference/configuration.md describes every setting of a run, under `training`. To read the report of a sealed run,
see `python -m training report --help`.
"""
PLAIN: Final = ("dataset", "model", "epochs", "learningRate", "batchSize", "seed")
"""Settings that have their own option, beside the target."""
SECTION: Final = "training"
"""Section of a stack's config that has a run's settings. A path may begin with it."""
Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class CommandLine:
    """One run, and the files to write."""

    job: Job
    onnx: Path | None
    report: Path | None


class _Refused(Exception):
    """A command line that argparse refuses. argparse itself would end with another wording and exit code."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Refused(message)


def read_command_line(arguments: Sequence[str], folder: Path) -> tuple[CommandLine | None, list[Problem]]:
    """Returns the run that the arguments describe, or every problem. `folder` is where paths and the user's modules
    are.
    """
    try:
        options = _parser().parse_args(arguments)
    except _Refused as refused:
        return None, [Problem("the command line", f"cannot be read: {refused}")]
    problems: list[Problem] = []
    raw: dict[str, Any] = {}
    for path, text in _read_given(options, problems):
        try:
            _put(raw, path, _value(path, text))
        except (TypeError, ValueError) as error:
            problems.append(Problem("--set", f"{text!r}: {error}"))
    job, found = Job.validate(numbers_read(Job, raw), folder)
    problems += found
    if job is not None:
        problems += _not_here(job)
    for name in ("onnx", "report"):
        problems += _unwritable(f"--{name}", getattr(options, name))
    if problems or job is None:
        return None, problems
    return CommandLine(job, options.onnx, options.report), []


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m training",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    declared = {one.name: one for one in declarations(Job)}
    target = next(one for one in declarations(Data) if one.name == "target")
    for name in PLAIN:
        one = declared[name]
        option = "--" + snake_case(name).replace("_", "-")
        text = f"{one.meaning} (default: {one.default})".replace("%", "%%").replace("`", "")
        parser.add_argument(option, dest=name, metavar=name.upper() if one.kind is None else "VALUE", help=text)
        if name == "dataset":
            parser.add_argument("--target", metavar="COLUMN", help=target.meaning.replace("`", "").replace("%", "%%"))
    parser.add_argument(
        "--set", action="append", default=[], dest="settings", metavar="SETTING=VALUE",
        help="setting by its path in a stack's config, such as earlyStopping.patience=5; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--onnx", metavar="FILE", type=Path, help="file for the ONNX model, readable only by you (0600)"
    )
    parser.add_argument("--report", metavar="FILE", type=Path, help="file for the report, an HTML page")
    return parser


def _read_given(options: argparse.Namespace, problems: list[Problem]) -> list[tuple[Steps, str]]:
    """Returns paths and texts. `--set` comes last, so that it overrides the other options."""
    plain: list[tuple[Steps, str | None]] = [(("data", "target"), options.target)]
    plain += [((name,), getattr(options, name)) for name in PLAIN]
    given = [(path, text) for path, text in plain if text is not None]
    for setting in options.settings:
        name, equals, text = setting.partition("=") if "[" not in setting else _divide(setting)
        path = _steps(name)
        if not equals or not path:
            problems.append(Problem("--set", f"is {show_value(setting)}; allowed: SETTING=VALUE, such as momentum=0.9"))
        else:
            given.append((path[1:] if path[0] == SECTION and len(path) > 1 else path, text))
    return given


def _divide(setting: str) -> tuple[str, str, str]:
    """Divides at the first equals sign outside brackets. A name in quotes inside brackets may have one."""
    found = re.match(r'((?:\["(?:[^"\\]|\\.)*"\]|[^="])*)=', setting)
    return (found[1], "=", setting[found.end() :]) if found else (setting, "", "")


def _steps(name: str) -> Steps:
    """Parses `quality.ranges.age[0]` or `search.parameters["modelArguments.width"].low`. Empty if it does not name
    exactly one setting.
    """
    try:
        keys = parse_path(name)
    except ValueError:
        return ()
    return () if ANY in keys else tuple(keys)


def _put(raw: dict[str, Any], path: Steps, value: object) -> None:
    """Raises TypeError if the path continues inside a value without parts, ValueError if it skips an item of a list."""
    here: Any = raw
    for step, following in zip(path, (*path[1:], None), strict=True):
        inside = value if following is None else ([] if isinstance(following, int) else {})
        if isinstance(here, list) and isinstance(step, int):
            if step > len(here):
                raise ValueError(f"[{step}] comes after [{len(here)}], which is missing")
            if step == len(here):
                here.append(inside)
        elif isinstance(here, dict) and isinstance(step, str):
            here.setdefault(step, inside)
        else:
            raise TypeError(f"{'.'.join(map(str, path))} names a part of a setting that has no such parts")
        if following is None:
            here[step] = value
        here = here[step]


def _value(path: Steps, text: str) -> object:
    """Converts the text to the setting's type. Leaves it unchanged if it does not parse, so that the error can quote
    it.
    """
    kind = _kind(path)
    if kind in ("string", "number", "integer"):
        return text  # numbers are read with all others
    if kind == "array" and not text.startswith("["):
        return text.split(",")
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if kind != "boolean" or isinstance(value, bool) else text


def _kind(path: Steps) -> str:
    """Returns JSON Schema's name of the setting's type. Empty for a section, and for a part of a value."""
    of: type[Any] | None = Job
    rest = list(path)
    while of is not None and rest:
        declared: Mapping[str, Any] = {one.name: one for one in declarations(of)}
        one = declared.get(str(rest.pop(0)))
        if one is None:
            return ""
        if one.kind is not None:
            return str(one.kind.items if rest else one.kind.type)
        if one.many and rest:
            rest.pop(0)
        of = one.of
    return ""


def _not_here(job: Job) -> list[Problem]:
    """Returns a problem for each setting that needs a store."""
    problems = []
    if job.processes > 1:
        message = f"is {job.processes}; outside a stack it must be 1, since several share their work through a store"
        problems.append(Problem("compute.processes", message))
    if job.compute.kind != "local":
        message = f"is {job.compute.kind!r}; outside a stack it must be 'local'"
        problems.append(Problem("compute.kind", message))
    if job.init_from is not None and job.init_from.path is None:
        message = "names an artifact, which only the stack whose store has it can open; give initFrom.path"
        problems.append(Problem("initFrom", message))
    return problems


def _unwritable(option: str, file: Path | None) -> list[Problem]:
    """Returns the problems of an output file, before time is spent on training."""
    if file is None:
        return []
    folder = file.absolute().parent
    if not folder.is_dir():
        return [Problem(option, f"is {str(file)!r}; the folder {folder} does not exist")]
    if file.is_dir() or not os.access(folder, os.W_OK):
        return [Problem(option, f"is {str(file)!r}; it cannot be written")]
    return []
