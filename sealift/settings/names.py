"""camelCase for Pulumi, snake_case for Python; what a property path begins with, and which name was meant."""

import re
from collections.abc import Iterable
from difflib import get_close_matches


def snake_case(property_name: str) -> str:
    """`publicKey` → `public_key`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", property_name).lower()


def input_of(path: str) -> str:
    """The input that a property path is in: `quota["limits.memory"]` → `quota`."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def meant(name: str, names: Iterable[str]) -> str:
    """What follows the message that `name` is none of `names`: "; did you mean 'x'?" or nothing."""
    close = get_close_matches(name, list(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def camel_case(attribute_name: str) -> str:
    """`public_key` → `publicKey`."""
    first, *others = attribute_name.split("_")
    return first + "".join(word.capitalize() for word in others)
