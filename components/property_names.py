"""The engine's property names are camelCase, Python's snake_case: from one to the other and back."""

import re


def snake_case(property_name: str) -> str:
    """`publicKey` → `public_key`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", property_name).lower()


def camel_case(attribute_name: str) -> str:
    """`public_key` → `publicKey`."""
    first, *others = attribute_name.split("_")
    return first + "".join(word.capitalize() for word in others)
