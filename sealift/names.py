"""Names in two spellings: camelCase in Pulumi and in JSON, snake_case in Python. Counts with their nouns."""

import re


def camel_case(name: str) -> str:
    """Converts a name to camelCase: `public_key` → `publicKey`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def snake_case(name: str) -> str:
    """Converts a name to snake_case: `publicKey` → `public_key`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def counted(count: int, noun: str) -> str:
    """Writes a count with its noun in the singular or the plural: `1 row`, `3,000 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
