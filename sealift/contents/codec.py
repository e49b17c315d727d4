"""Lossless conversion of frozen dataclasses to JSON values and back: `decode(type(value), encode(value), "") == value`.

The dataclasses are the schema. Names are camelCase in JSON. Fields that are None are left out. Numbers that JSON cannot
express are "NaN", "Infinity" or "-Infinity". Bytes are base64. Types of fields: str, bytes, int, float, bool, object
(any JSON value), Literal, tuples, mappings of str, other dataclasses, and each of them or None.
"""

import base64
import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from sealift.contents.errors import ContentsError
from sealift.names import camel_case

NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

Kind = TypeVar("Kind")


def encode(value: object) -> Any:
    """Returns the value as JSON values, which `json.dumps(…, allow_nan=False)` accepts."""
    if dataclasses.is_dataclass(value):
        fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {camel_case(name): encode(inner) for name, inner in fields if inner is not None}
    if isinstance(value, Mapping):
        return {name: encode(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [encode(inner) for inner in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def decode(kind: type[Kind], value: object, place: str) -> Kind:
    """Returns the dataclass of JSON values. Raises ContentsError, with the place below `place`, if they do not fit."""
    return cast(Kind, _decode_value(value, kind, place))


def decode_fields(kind: type[Kind], values: Mapping[str, object], place: str) -> Kind:
    """Does the same as `decode`, for an object whose names are those of the fields, in snake_case."""
    return decode(kind, {camel_case(name): value for name, value in values.items()}, place)


def names_of(kind: type) -> frozenset[str]:
    """Returns the names of a dataclass's fields in JSON."""
    return frozenset(camel_case(field.name) for field in dataclasses.fields(kind))


def _decode_value(value: Any, kind: Any, place: str) -> object:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object:
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _decode_value(value, arguments[0], place)
    if dataclasses.is_dataclass(kind):
        return _dataclass(value, cast(type, kind), place)
    if origin is tuple:
        return _sequence(value, arguments, place)
    if origin is not None and origin is not Literal:
        inner = _check_value(value, isinstance(value, dict), place)
        return {name: _decode_value(one, arguments[1], f"{place}.{name}") for name, one in inner.items()}
    return _plain(value, kind, place)


def _dataclass(value: Any, kind: type, place: str) -> object:
    hints = get_type_hints(kind)
    names = {camel_case(field.name): field.name for field in dataclasses.fields(kind)}
    _check_value(value, isinstance(value, dict) and value.keys() <= names.keys(), place)
    fields = {names[name]: _decode_value(one, hints[names[name]], f"{place}.{name}") for name, one in value.items()}
    try:
        return kind(**fields)
    except (TypeError, ValueError) as error:
        raise ContentsError(place) from error


def _sequence(value: Any, kinds: tuple[Any, ...], place: str) -> object:
    _check_value(value, isinstance(value, list), place)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    _check_value(value, len(value) == len(kinds), place)
    return tuple(
        _decode_value(one, kind, f"{place}[{at}]") for at, (one, kind) in enumerate(zip(value, kinds, strict=True))
    )


def _plain(value: Any, kind: Any, place: str) -> object:
    if kind is float and isinstance(value, str):
        return NOT_FINITE[_check_value(value, value in NOT_FINITE, place)]
    if kind is float and isinstance(value, int):
        return float(_check_value(value, not isinstance(value, bool) and abs(value) < 2**1023, place))
    if kind is bytes:
        return _bytes(_check_value(value, isinstance(value, str), place), place)
    if get_origin(kind) is Literal:
        return _check_value(value, any(type(value) is type(one) and value == one for one in get_args(kind)), place)
    return _check_value(value, type(value) is kind, place)


def _bytes(text: str, place: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ContentsError(place) from None


def _check_value(value: Any, holds: bool, place: str) -> Any:
    if not holds:
        raise ContentsError(place)
    return value
