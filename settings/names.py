"""camelCase for Pulumi, snake_case for Python; and what a property path begins with."""

import re


def snake_case(property_name: str) -> str:
    """`publicKey` → `public_key`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", property_name).lower()


def input_of(path: str) -> str:
    """The input that a property path is in: `quota["limits.memory"]` → `quota`."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def camel_case(attribute_name: str) -> str:
    """`public_key` → `publicKey`."""
    first, *others = attribute_name.split("_")
    return first + "".join(word.capitalize() for word in others)
