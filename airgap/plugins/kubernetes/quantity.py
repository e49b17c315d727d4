"""Quantities of an object in the API server's form ("1024Mi" becomes "1Gi"), so that a diff shows no false change.
settings.quantity parses quantities.
"""

from typing import Any, Final

from sealift.settings.quantity import parse

PLACES: Final = frozenset(
    {"requests", "limits", "hard", "capacity", "allocatable", "default", "defaultRequest", "min", "max", "overhead"}
)
"""Fields that contain a mapping from resource to quantity, anywhere in a built-in kind's `spec`."""
SINGLE: Final = frozenset({"averageValue", "divisor", "sizeLimit"})
"""Fields that contain one quantity."""


def canonical(text: str) -> str:
    """Returns the API server's form. An invalid quantity is returned unchanged, so that the API server refuses it."""
    quantity = parse(text)
    return text if quantity is None else quantity.text


def canonical_quantities(value: Any) -> Any:
    """Returns a copy of an object's `spec` (or a part of it) with its quantities in canonical form."""
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
    """Returns the canonical form. Numbers are accepted too, because the API server returns them as text."""
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        return amount
    return canonical(str(amount))
