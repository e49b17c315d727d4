"""Kinds of values. A kind converts a value to its Python form, or raises an error that says what is allowed.

Values come from Pulumi, where every number is a double. Whole numbers arrive as 5.0 and become integers again here.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sealift.settings.problem import Problem
from sealift.settings.urls import ends_where_seen, without_credentials

LARGEST_WHOLE: Final = 2**53 - 1
"""Largest whole number that a double represents exactly."""
REFERENCE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

Chosen = TypeVar("Chosen")


class Refused(Exception):
    """A value that is not allowed. The text continues "is VALUE; "."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class RefusedInside(Exception):
    """Problems in a value or its parts: paths relative to the value, such as `["pods"]`, with complete messages."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Kind(Generic[Chosen]):
    """A kind of value. `accept` converts a value, or raises Refused or RefusedInside. `type` is the JSON Schema type,
    or "any" for several. `allowed` describes the allowed values in tables and descriptions.
    """

    type: str
    allowed: str
    accept: Callable[[object], Chosen]
    items: str = ""
    """Type of the elements of an array or object. Empty means any type."""


def one_of(*names: str) -> Kind[str]:
    """A kind that allows only these texts."""
    allowed = ", ".join(repr(name) for name in names)

    def accept(value: object) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise Refused(f"allowed: {allowed}")

    return Kind("string", ", ".join(f'"{name}"' for name in names), accept)


def positive_number(largest: float, example: str) -> Kind[float]:
    """A number above 0, at most `largest`."""

    def accept(value: object) -> float:
        number = _number(value)
        if number is None or not 0 < number <= largest:
            raise Refused(f"allowed: a number above 0, at most {largest:,.0f}, such as {example}")
        return number

    return Kind("number", f"a number above 0, at most {largest:,.0f}", accept)


def number_within(smallest: float, largest: float, *, below: bool = False) -> Kind[float]:
    """A number from `smallest` to `largest`. `below` excludes `largest`."""
    allowed = f"a number from {_spell(smallest)} to {'below ' if below else ''}{_spell(largest)}"

    def accept(value: object) -> float:
        number = _number(value)
        if number is None or not smallest <= number <= largest or (below and number == largest):
            raise Refused(f"allowed: {allowed}")
        return number

    return Kind("number", allowed, accept)


def number_from(smallest: float, unit: str, note: str = "") -> Kind[float]:
    """A finite number of `unit`, at least `smallest`. `note` is added to the allowed values."""
    allowed = f"a number of {unit} from {_spell(smallest)}{note}"

    def accept(value: object) -> float:
        number = _number(value)
        if number is None or not smallest <= number < math.inf:
            raise Refused(f"allowed: {allowed}")
        return number

    return Kind("number", allowed, accept)


def whole_number(smallest: int, largest: int, note: str = "") -> Kind[int]:
    """A whole number from `smallest` to `largest`. `note` is added to the allowed values."""
    allowed = f"a whole number from {smallest:,} to {largest:,}{note}"

    def accept(value: object) -> int:
        number = whole(value)
        if number is None or not smallest <= number <= largest:
            raise Refused(f"allowed: {allowed}")
        return number

    return Kind("integer", allowed, accept)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Refused("allowed: true, false")


def _text(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise Refused("allowed: non-empty text")


def _place(value: object) -> str:
    place = _text(value)
    if ends_where_seen(place):
        return place
    raise Refused(
        "a URL with a blank, a quote or a control character cannot be hidden completely; percent-encode them, such as "
        "%20 for a blank"
    )


def _any_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise Refused("allowed: text, such as a date")


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(one, str) and one for one in value):
        return tuple(value)
    raise Refused("allowed: a list of non-empty texts")


def _reference(value: object) -> str:
    if isinstance(value, str) and is_reference(value):
        return value
    raise Refused("allowed: package.module:name, such as 'mymodels.vision:Net'")


def _arguments(value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping) and all(isinstance(key, str) and key.isidentifier() for key in value):
        return {key: _plain(one) for key, one in value.items()}
    raise Refused("allowed: an object of keyword arguments by name")


boolean: Final = Kind("boolean", "true, false", _boolean)
"""True or false, and nothing that merely converts to them."""
text: Final = Kind("string", "non-empty text", _text)
"""Any non-empty text."""
place: Final = Kind("string", "non-empty text", _place)
"""Non-empty text that may be a URL, whose secrets must be distinguishable from the text around it."""
any_text: Final = Kind("string", "any text", _any_text)
"""Any text, including an empty one."""
texts: Final = Kind("array", "a list of non-empty texts", _texts, "string")
reference: Final = Kind("string", "`package.module:name`", _reference)
"""Reference to code in the user's folder or in an installed package."""
arguments: Final = Kind("object", "an object of keyword arguments by name", _arguments)
"""Keyword arguments as JSON values. Whole numbers become integers again, as constructors expect."""


def is_reference(value: str) -> bool:
    """Whether the text is a reference to code rather than a built-in name."""
    return REFERENCE.fullmatch(value) is not None


def whole(value: object) -> int | None:
    """The value as a whole number: 3.0 gives 3, while 1.5, NaN, True and "3" give None. The engine sends doubles."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None


def show_value(value: object) -> str:
    """The value as a user would write it, in at most 60 characters and without the secrets of URLs."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        value = int(value)
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, str) and not ends_where_seen(value):
        return "a URL that is not shown"
    spelt = str(value).lower() if isinstance(value, bool) else without_credentials(repr(value))
    return spelt if len(spelt) <= 60 else f"{spelt[:57]}…"


def _spell(number: float) -> str:
    """The number with separators of thousands, as whole_number writes it, unless it is a fraction or very large."""
    return f"{number:,.0f}" if float(number).is_integer() and abs(number) < 1e15 else f"{number:g}"


def _plain(value: object) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _number(value: object) -> float | None:
    """The value as a float, or None. True and "0.01" are not numbers, because they show a mistake elsewhere."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
