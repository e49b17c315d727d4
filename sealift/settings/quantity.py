"""Kubernetes quantities ("500m", "1.5Gi", "12e6"): their exact amount and their canonical text.

Grammar and canonical form are those of k8s.io/apimachinery/pkg/api/resource/quantity.go: ParseQuantity and
CanonicalizeBytes. Callers decide which amounts are allowed.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

BINARY: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
"""Exponents of ten by suffix."""
MAX: Final = 2**63 - 1
"""The largest amount in Kubernetes. Larger amounts with a binary suffix are read as this one."""

_SUFFIX: Final = {exponent: suffix for suffix, exponent in DECIMAL.items()}
# At most 40 digits and a two-digit exponent: exact arithmetic on more would only be a way to burn time. ParseQuantity
# also reads texts without any digit, such as "Ki", as 0; its own grammar has no such thing.
_QUANTITY: Final = re.compile(
    r"([+-]?)(\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,2})?", re.ASCII
)


@dataclass(frozen=True)
class Quantity:
    """An exact amount and its canonical text."""

    amount: Fraction
    """The amount as written, in CPUs or bytes."""
    text: str
    """The canonical text, as the API server prints it."""

    def __str__(self) -> str:
        return self.text


def parse(text: str) -> Quantity | None:
    """Parses a quantity. None if the text is not a quantity."""
    matched = _QUANTITY.fullmatch(text)
    if matched is None:
        return None
    suffix = matched[3] or ""
    amount = Fraction(Decimal(matched[1] + matched[2])) * _factor(suffix)
    return Quantity(amount, canonical(amount, suffix))


def canonical(amount: Fraction, suffix: str = "") -> str:
    """The canonical text: no fraction, with the largest suffix of the same family that allows that.

    As in Kubernetes, amounts are rounded away from 0 to a billionth. Fractions and amounts below 1024 never have a
    binary suffix.
    """
    if suffix in BINARY:
        amount = max(Fraction(-MAX), min(amount, Fraction(MAX)))
        if abs(amount) >= 1024 and amount.denominator == 1:
            return _binary(amount.numerator)
    return _decimal(amount, exponential=suffix not in BINARY and suffix not in DECIMAL)


def _factor(suffix: str) -> Fraction:
    if suffix in BINARY:
        return Fraction(BINARY[suffix])
    return Fraction(10) ** (DECIMAL[suffix] if suffix in DECIMAL else int(suffix[1:]))


def _binary(amount: int) -> str:
    for suffix, factor in reversed(BINARY.items()):
        if amount % factor == 0:
            return f"{amount // factor}{suffix}"
    return str(amount)


def _decimal(amount: Fraction, *, exponential: bool) -> str:
    scaled = abs(amount) * 10**9
    number, exponent = -(-scaled.numerator // scaled.denominator), -9
    if number == 0:
        return "0"
    while number % 1000 == 0:
        number, exponent = number // 1000, exponent + 3
    sign = "-" if amount < 0 else ""
    if exponential or exponent not in _SUFFIX:  # v0.34 prints 1000E as "1", which later versions mend like this
        return f"{sign}{number}e{exponent}" if exponent else f"{sign}{number}"
    return f"{sign}{number}{_SUFFIX[exponent]}"
