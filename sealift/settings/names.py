"""The input of a property path, and suggestions for misspelt names."""

import re
from collections.abc import Iterable
from difflib import get_close_matches


def input_of(path: str) -> str:
    """The input that a property path begins with: `quota["limits.memory"]` → `quota`."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def suggest(name: str, names: Iterable[str]) -> str:
    """The suggestion for a `name` that is not among `names`: "; did you mean 'x'?", or an empty text."""
    close = get_close_matches(name, list(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
