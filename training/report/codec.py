"""Reports as JSON and back, exactly: `from_json(to_json(report)) == report`. The dataclasses are the schema.

Names are camelCase; what is None is left out; a number that JSON has no word for is "NaN", "Infinity" or "-Infinity".
"""

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from training.errors import TrainingError
from training.report.content import Report

VERSION: Final = 1
NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class ReportError(TrainingError):
    """This is not a report, or one of another version."""


def to_json(report: Report) -> dict[str, Any]:
    """JSON values only; `json.dumps(…, allow_nan=False)` takes them."""
    return {"version": VERSION, **cast(dict[str, Any], _encoded(report))}


def from_json(values: Mapping[str, Any]) -> Report:
    """The report again. Raises ReportError, naming the place, for anything that `to_json` does not give."""
    if not isinstance(values, Mapping) or values.get("version") != VERSION:
        raise ReportError(f"this is not a report of version {VERSION}", "show it with the release that wrote it")
    fields = {name: value for name, value in values.items() if name != "version"}
    return cast(Report, _decoded(fields, Report, "report"))


def _encoded(value: object) -> object:
    if dataclasses.is_dataclass(value):
        fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {_camel_case(name): _encoded(inner) for name, inner in fields if inner is not None}
    if isinstance(value, Mapping):
        return {name: _encoded(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_encoded(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _decoded(value: Any, kind: Any, path: str) -> object:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object:
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _decoded(value, arguments[0], path)
    if dataclasses.is_dataclass(kind):
        return _record(value, cast(type, kind), path)
    if origin is tuple:
        return _sequence(value, arguments, path)
    if origin is not None and origin is not Literal:
        inner = _checked(value, isinstance(value, dict), path)
        return {name: _decoded(one, arguments[1], f"{path}.{name}") for name, one in inner.items()}
    return _plain(value, kind, path)


def _record(value: Any, kind: type, path: str) -> object:
    hints = get_type_hints(kind)
    names = {_camel_case(field.name): field.name for field in dataclasses.fields(kind)}
    _checked(value, isinstance(value, dict) and value.keys() <= names.keys(), path)
    fields = {names[name]: _decoded(one, hints[names[name]], f"{path}.{name}") for name, one in value.items()}
    try:
        return kind(**fields)
    except (TypeError, ValueError) as error:
        raise _refused(path) from error


def _sequence(value: Any, kinds: tuple[Any, ...], path: str) -> object:
    _checked(value, isinstance(value, list), path)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    _checked(value, len(value) == len(kinds), path)
    return tuple(_decoded(one, kind, f"{path}[{at}]") for at, (one, kind) in enumerate(zip(value, kinds, strict=True)))


def _plain(value: Any, kind: Any, path: str) -> object:
    if kind is float and isinstance(value, str):
        return NOT_FINITE[_checked(value, value in NOT_FINITE, path)]
    if kind is float and isinstance(value, int):
        return float(_checked(value, not isinstance(value, bool) and abs(value) < 2**1023, path))
    if get_origin(kind) is Literal:
        return _checked(value, value in get_args(kind), path)
    return _checked(value, type(value) is kind, path)


def _checked(value: Any, holds: bool, path: str) -> Any:
    if not holds:
        raise _refused(path)
    return value


def _refused(path: str) -> ReportError:
    return ReportError(f"{path} is not what a report has there", "take the report from the store again")


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
