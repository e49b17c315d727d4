"""Where an object has quantities, and these in the form in which the API server gives them back ("1024Mi" comes back as
"1Gi"), so that a diff against it stays quiet. What a quantity is, settings.quantity knows.
"""

from typing import Any, Final

from sealift.settings.quantity import parse

PLACES: Final = frozenset(
    {"requests", "limits", "hard", "capacity", "allocatable", "default", "defaultRequest", "min", "max", "overhead"}
)
"""Fields that hold a mapping from resource to quantity, wherever they are under a built-in kind's `spec`."""
SINGLE: Final = frozenset({"averageValue", "divisor", "sizeLimit"})
"""Fields that hold one quantity."""


def canonical(text: str) -> str:
    """The API server's spelling; what is no quantity is given back as it is, for the API server to refuse."""
    quantity = parse(text)
    return text if quantity is None else quantity.text


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
