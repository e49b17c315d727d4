"""What a property path begins with, and which name was meant."""

import re
from collections.abc import Iterable
from difflib import get_close_matches


def input_of(path: str) -> str:
    """The input that a property path is in: `quota["limits.memory"]` → `quota`."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def suggest(name: str, names: Iterable[str]) -> str:
    """What follows the message that `name` is none of `names`: "; did you mean 'x'?" or nothing."""
    close = get_close_matches(name, list(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
