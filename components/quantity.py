"""Quantities of CPU and memory: settings.quantity parses them, this module checks them and suggests corrections.

Quantities are written in canonical form, so that a refresh shows no change: the API server turns "1024Mi" into "1Gi".
Checks are stricter where Kubernetes would round silently: CPU finer than a millicore, memory in fractions of a byte
("500m") and amounts of 0 or less are refused.
"""

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from sealift.settings import quantity
from sealift.settings.quantity import BINARY, MAX, Quantity

Resource = Literal["cpu", "memory"]

MIN_MEMORY_BYTES: Final = 2**20  # no process can run with less, so a suffix was forgotten

_NUMBER: Final = re.compile(r"\+?([\d.]+)", re.ASCII)
_NUMBER_AND_UNIT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", re.ASCII)
_CPU_UNITS: Final = {"m": "m", "mcpu": "m", "millicores": "m", "core": "", "cores": "", "cpu": "", "cpus": ""}
_ALLOWED: Final = {
    "cpu": "a number of CPUs from '1m' (a thousandth), such as '500m', '1' or '1.5'",
    "memory": "a number of bytes from '1Mi', "
    "with suffix Ki, Mi, Gi, Ti, Pi, Ei (powers of 1024) or k, M, G, T, P, E (powers of 1000)",
}


class QuantityError(ValueError):
    """Not a quantity of this resource. The message follows the property's name: "is VALUE; allowed: …"."""


def parse(resource: Resource, value: object) -> Quantity:
    """Reads "500m", "1.5", "500Mi", "1e9", 2 … Raises QuantityError."""
    text = _as_text(value)
    found = quantity.parse(text) if text is not None else None
    if text is None or found is None:
        raise QuantityError(_refusal(resource, value, _did_you_mean(resource, value)))
    amount = found.amount
    if amount <= 0:
        raise QuantityError(_refusal(resource, value))
    if amount > MAX:
        limit = "which exceeds the limit of Kubernetes (2^63 - 1)"
        raise QuantityError(f"is {value!r}, {limit}; allowed: {_ALLOWED[resource]}")
    if resource == "cpu" and (amount * 1000).denominator != 1:
        raise QuantityError(_refusal(resource, value, "it is finer than a thousandth of a CPU"))
    if resource == "memory" and (amount.denominator != 1 or amount < MIN_MEMORY_BYTES):
        raise QuantityError(_refusal(resource, value, f"that is {_plain(amount)} bytes{_suffix_forgotten(text)}"))
    return found


def cpu_text(amount: Fraction) -> str:
    """Returns the canonical text of a number of CPUs, which is whole millicores."""
    return quantity.canonical(amount)


def memory_text(amount: Fraction) -> str:
    """Returns the canonical text of a number of bytes, with the largest binary suffix that divides it."""
    return quantity.canonical(amount, "Ki")


def _as_text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):  # the engine sends every number as a float, whole ones too
        return format(Decimal(repr(value)), "f") if math.isfinite(value) else None
    return str(value)


def _refusal(resource: Resource, value: object, note: str = "") -> str:
    return f"is {value!r}; allowed: {_ALLOWED[resource]}{note and f'; {note}'}"


def _plain(amount: Fraction) -> str:
    return str(amount) if amount.denominator == 1 else f"{float(amount):g}"


def _suffix_forgotten(text: str) -> str:
    matched = _NUMBER.match(text)
    if matched is None:
        return ""
    unit = "Mi" if Decimal(matched[1]) >= 16 else "Gi"
    return f", did you mean '{matched[1]}{unit}'?"


def _did_you_mean(resource: Resource, value: object) -> str:
    """Suggests a quantity for texts such as "1Gb", "512 mb", "1gi", "2 cores". Empty if no suggestion is possible."""
    matched = _NUMBER_AND_UNIT.fullmatch(value) if isinstance(value, str) else None
    if matched is None:
        return ""
    number, unit = matched[1], matched[2].lower()
    if resource == "cpu":
        return f"did you mean '{number}{_CPU_UNITS[unit]}'?" if unit in _CPU_UNITS else ""
    letter = unit[0].upper()
    if f"{letter}i" not in BINARY or unit[1:] not in {"", "b", "i", "ib"}:
        return ""
    if unit[1:2] == "i":
        return f"did you mean '{number}{letter}i'?"
    return f"did you mean '{number}{letter}i' or '{number}{'k' if letter == 'K' else letter}'?"
