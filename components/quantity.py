"""Kubernetes quantities of CPU and memory, read exactly and written in a form that the API server gives back unchanged.

Grammar and canonical form are those of k8s.io/apimachinery/pkg/api/resource/quantity.go. Writing the canonical form
ourselves keeps a refresh quiet: the API server answers "1Gi" to "1024Mi". Stricter than Kubernetes where it would
round silently: CPU finer than a millicore and memory in fractions of a byte ("500m") are refused, as are amounts not
above 0.
"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

Resource = Literal["cpu", "memory"]

BINARY: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
DECIMAL: Final = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
MAX: Final = 2**63 - 1
MIN_MEMORY_BYTES: Final = 2**20  # less than a process can live in: a suffix was forgotten

# At most 40 digits and a two-digit exponent: exact arithmetic on more would only be a way to burn time.
_QUANTITY: Final = re.compile(
    r"\+?(\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})([KMGTPE]i|[mkMGTPE]|[eE][+-]?\d{1,2})?", re.ASCII
)
_NUMBER_AND_UNIT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", re.ASCII)
_CPU_UNITS: Final = {"m": "m", "mcpu": "m", "millicores": "m", "core": "", "cores": "", "cpu": "", "cpus": ""}
_ALLOWED: Final = {
    "cpu": "a number of CPUs from '1m' (a thousandth), such as '500m', '1' or '1.5'",
    "memory": "a number of bytes from '1Mi', "
    "with suffix Ki, Mi, Gi, Ti, Pi, Ei (powers of 1024) or k, M, G, T, P, E (powers of 1000)",
}


class QuantityError(ValueError):
    """Not a quantity of this resource; the message continues "<property> …" with the value and what is allowed."""


@dataclass(frozen=True)
class Quantity:
    """An exact amount and its canonical text."""

    amount: Fraction
    """CPUs or bytes."""
    text: str
    """Canonical: the API server prints it as it is here."""

    def __str__(self) -> str:
        return self.text


def parse(resource: Resource, value: object) -> Quantity:
    """Reads "500m", "1.5", "500Mi", "1e9", 2 … Raises QuantityError."""
    text = _as_text(value)
    matched = _QUANTITY.fullmatch(text) if text is not None else None
    if text is None or matched is None:
        raise QuantityError(_refusal(resource, value, _did_you_mean(resource, value)))
    number, suffix = Fraction(Decimal(matched[1])), matched[2] or ""
    amount = number * _factor(suffix)
    if amount <= 0:
        raise QuantityError(_refusal(resource, value))
    if amount > MAX:
        raise QuantityError(f"is {value!r}, more than Kubernetes can count (2^63 - 1); allowed: {_ALLOWED[resource]}")
    if resource == "cpu" and (amount * 1000).denominator != 1:
        raise QuantityError(_refusal(resource, value, "it is finer than a thousandth of a CPU"))
    if resource == "memory" and (amount.denominator != 1 or amount < MIN_MEMORY_BYTES):
        unit = "Mi" if number >= 16 else "Gi"
        note = f"that is {_plain(amount)} bytes, did you mean '{matched[1]}{unit}'?"
        raise QuantityError(_refusal(resource, value, note))
    return Quantity(amount, _canonical(amount, suffix))


def cpu_text(amount: Fraction) -> str:
    """Canonical text of a number of CPUs, whole millicores."""
    return _canonical(amount, "")


def memory_text(amount: Fraction) -> str:
    """Canonical text of a number of bytes, with the largest binary suffix that divides it."""
    return _canonical(amount, "Ki")


def _as_text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):  # the engine sends every number as a float, whole ones too
        return format(Decimal(repr(value)), "f") if math.isfinite(value) else None
    return str(value)


def _factor(suffix: str) -> Fraction:
    if suffix == "m":
        return Fraction(1, 1000)
    if suffix[:1] in {"e", "E"} and len(suffix) > 1 and suffix != "Ei":
        return Fraction(10) ** int(suffix[1:])
    return Fraction(BINARY.get(suffix) or DECIMAL.get(suffix) or 1)


def _canonical(amount: Fraction, suffix: str) -> str:
    """The form with no fraction and the largest suffix of the same family, as CanonicalizeBytes has it."""
    if suffix in BINARY and amount >= 1024 and amount.denominator == 1:
        return _largest(amount, BINARY)
    if suffix not in BINARY and suffix[:1] in {"e", "E"} and len(suffix) > 1:
        exponents = {f"e{power}": 10**power for power in range(3, 19, 3)}
        return _largest(amount, exponents) if amount.denominator == 1 else f"{amount * 1000}e-3"
    return _largest(amount, DECIMAL) if amount.denominator == 1 else f"{amount * 1000}m"


def _largest(amount: Fraction, factors: dict[str, int]) -> str:
    for suffix, factor in reversed(factors.items()):
        if amount % factor == 0:
            return f"{amount // factor}{suffix}"
    return str(amount)


def _refusal(resource: Resource, value: object, note: str = "") -> str:
    return f"is {value!r}; allowed: {_ALLOWED[resource]}{note and f'; {note}'}"


def _plain(amount: Fraction) -> str:
    return str(amount) if amount.denominator == 1 else f"{float(amount):g}"


def _did_you_mean(resource: Resource, value: object) -> str:
    """What was probably meant by "1Gb", "512 mb", "1gi", "2 cores"; empty if nobody can tell."""
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
