"""Quantities in the form in which the API server gives them back ("1024Mi" comes back as "1Gi"), so that a diff against
it stays quiet. Grammar and canonical form are those of k8s.io/apimachinery/pkg/api/resource/quantity.go.
"""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

BINARY: Final = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
SUFFIX: Final = {exponent: suffix for suffix, exponent in DECIMAL.items()}
QUANTITY: Final = re.compile(
    r"([+-]?)(\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,2})?", re.ASCII
)
PLACES: Final = frozenset(
    {"requests", "limits", "hard", "capacity", "allocatable", "default", "defaultRequest", "min", "max", "overhead"}
)
"""Fields that hold a mapping from resource to quantity, wherever they are under a built-in kind's `spec`."""
SINGLE: Final = frozenset({"averageValue", "divisor", "sizeLimit"})
"""Fields that hold one quantity."""


def canonical(text: str) -> str:
    """The API server's spelling; what is no quantity is given back as it is, for the API server to refuse."""
    matched = QUANTITY.fullmatch(text)
    if matched is None:
        return text
    sign, digits, suffix = matched[1], matched[2], matched[3] or ""
    number = Fraction(Decimal(digits)) * (-1 if sign == "-" else 1)
    if suffix in BINARY[1:]:
        number *= 1024 ** BINARY.index(suffix)
        if abs(number) >= 1024:
            return _binary(_round_up(number))
        return _decimal(number)
    if suffix in DECIMAL:
        return _decimal(number * Fraction(10) ** DECIMAL[suffix])
    exponent = int(suffix[1:])
    return _decimal(number * Fraction(10) ** exponent, exponential=True)


def canonical_quantities(value: Any) -> Any:
    """A copy of an object's `spec` (or any part of it) with the quantities in it in canonical form."""
    if isinstance(value, list):
        return [canonical_quantities(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _at(key, item) for key, item in value.items()}


def _at(key: str, value: Any) -> Any:
    if key in PLACES and isinstance(value, dict):
        return {resource: _quantity(amount) for resource, amount in value.items()}
    return _quantity(value) if key in SINGLE else canonical_quantities(value)


def _quantity(amount: Any) -> Any:
    """Numbers are taken as well; the API server gives them back as text."""
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        return amount
    return canonical(str(amount))


def _round_up(number: Fraction) -> int:
    magnitude = -(-abs(number.numerator) // number.denominator)
    return magnitude if number >= 0 else -magnitude


def _binary(number: int) -> str:
    step = 0
    while number and number % 1024 == 0 and step < len(BINARY) - 1:
        number, step = number // 1024, step + 1
    return f"{number}{BINARY[step]}"


def _decimal(number: Fraction, *, exponential: bool = False) -> str:
    """With the largest suffix that leaves no fraction; finer than a billionth is rounded up."""
    billionths = _round_up(number * 10**9)
    exponent = -9
    while billionths and billionths % 1000 == 0 and exponent < 18:
        billionths, exponent = billionths // 1000, exponent + 3
    if billionths == 0:
        return "0"
    if exponential:
        return f"{billionths}e{exponent}" if exponent else str(billionths)
    return f"{billionths}{SUFFIX[exponent]}"
