"""Reads what a user asked for, property by property, and collects every problem instead of stopping at the first.

Standard library only. Values reach us from Pulumi, where every number is a double.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

LARGEST_WHOLE: Final = 2**53 - 1
"""Numbers reach us as doubles: whole numbers above this would arrive as others."""
REFERENCE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

Chosen = TypeVar("Chosen")
Accept = Callable[[object], Chosen]


@dataclass(frozen=True)
class Problem:
    """One property that cannot be. `message` continues the sentence that `property` begins: value, what is allowed."""

    property: str
    value: object
    message: str


class RefusedError(Exception):
    """A value that a property cannot have; the text continues "is VALUE; "."""


class Reader:
    """Reads the properties of one object; those of an object inside it by `section`."""

    def __init__(self, raw: Mapping[str, object], path: str = "", problems: list[Problem] | None = None) -> None:
        self._raw = raw
        self._path = path
        self._known: list[str] = []
        self.problems: list[Problem] = [] if problems is None else problems

    def read(self, name: str, accept: Accept[Chosen], default: Chosen) -> Chosen:
        """The accepted value; the default if there is none, or if there is a problem, which is then noted."""
        self._known.append(name)
        value = self._raw.get(name)
        if value is None:
            return default
        try:
            return accept(value)
        except RefusedError as refused:
            self.refuse(name, f"is {shown(value)}; {refused}")
            return default

    def section(self, name: str, read: "Callable[[Reader], Chosen]") -> Chosen | None:
        """What `read` makes of the object `name`; None without it."""
        self._known.append(name)
        value = self._raw.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.refuse(name, f"is {shown(value)}; it must be an object of properties")
            return None
        inner = Reader(value, f"{self._path}{name}.", self.problems)
        chosen = read(inner)
        inner.refuse_unknown(f"`{self._path}{name}`")
        return chosen

    def sections(self, name: str, read: "Callable[[str, Reader], Chosen]") -> dict[str, Chosen]:
        """What `read` makes of each object in the object `name`, by its key; empty without it."""
        self._known.append(name)
        value = self._raw.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.refuse(name, f"is {shown(value)}; it must be an object of objects")
            return {}
        outer = Reader(value, f"{self._path}{name}.", self.problems)
        return {key: one for key in value if (one := outer.section(key, lambda inner: read(key, inner))) is not None}  # noqa: B023 - read at once

    def refuse(self, name: str, message: str) -> None:
        """Notes a problem of the property `name`."""
        self.problems.append(Problem(f"{self._path}{name}", self._raw.get(name), message))

    def refuse_unknown(self, what: str) -> None:
        """Notes every property that was never read."""
        allowed = ", ".join(self._known)
        for name in sorted(self._raw.keys() - set(self._known)):
            self.refuse(name, f"is not a property of {what}; allowed: {allowed}")


def one_of(*names: str) -> Accept[str]:
    """One of these texts."""

    def accept(value: object) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise RefusedError("allowed: " + ", ".join(repr(name) for name in names))

    return accept


def positive_number(largest: float, example: str) -> Accept[float]:
    """Above 0."""

    def accept(value: object) -> float:
        number = _number(value)
        if number is None or not 0 < number <= largest:
            raise RefusedError(f"it must be a number above 0, at most {largest:,.0f}, such as {example}")
        return number

    return accept


def number_within(smallest: float, largest: float, *, below: bool = False) -> Accept[float]:
    """From `smallest` to `largest`; `below` leaves `largest` itself out."""

    def accept(value: object) -> float:
        number = _number(value)
        if number is None or not smallest <= number <= largest or (below and number == largest):
            raise RefusedError(f"it must be a number from {smallest:g} to {'below ' if below else ''}{largest:g}")
        return number

    return accept


def whole_number(smallest: int, largest: int) -> Accept[int]:
    """From `smallest` to `largest`."""

    def accept(value: object) -> int:
        number = _number(value)
        if number is None or not smallest <= number <= largest or number != int(number):
            raise RefusedError(f"it must be a whole number from {smallest:,} to {largest:,}")
        return int(number)

    return accept


def boolean(value: object) -> bool:
    """True or false, not their likenesses."""
    if isinstance(value, bool):
        return value
    raise RefusedError("allowed: true, false")


def text(value: object) -> str:
    """Any text but an empty one."""
    if isinstance(value, str) and value.strip():
        return value
    raise RefusedError("it must be text")


def texts(value: object) -> tuple[str, ...]:
    """A list of texts."""
    if isinstance(value, list | tuple) and all(isinstance(one, str) and one for one in value):
        return tuple(value)
    raise RefusedError("it must be a list of texts")


def reference(value: object) -> str:
    """`package.module:name`, of the user's folder or of an installed package."""
    if isinstance(value, str) and REFERENCE.fullmatch(value):
        return value
    raise RefusedError("it must be package.module:name, such as 'mymodels.vision:Net'")


def arguments(value: object) -> Mapping[str, object]:
    """Keyword arguments: JSON values by name. Whole numbers become integers again, as a constructor expects."""
    if isinstance(value, Mapping) and all(isinstance(key, str) and key.isidentifier() for key in value):
        return {key: _plain(one) for key, one in value.items()}
    raise RefusedError("it must be an object of keyword arguments by name")


def is_reference(value: str) -> bool:
    """Whether this names code rather than something of ours."""
    return REFERENCE.fullmatch(value) is not None


def shown(value: object) -> str:
    """The value as a user would write it, in at most 60 characters."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        value = int(value)
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    spelt = str(value).lower() if isinstance(value, bool) else repr(value)
    return spelt if len(spelt) <= 60 else f"{spelt[:57]}…"


def _plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _number(value: object) -> float | None:
    """Numbers only: True is not 1 and "0.01" is not 0.01, since both show a mistake made elsewhere."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
