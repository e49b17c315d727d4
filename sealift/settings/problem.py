"""A problem with the user's settings, and a report of several problems at once.

Pure: it does not know the caller or how the report reaches the terminal.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A problem of the property at the path `property`. `message` continues the sentence: value and allowed values."""

    property: str
    message: str
    hint: str = ""
    """How to fix it. Empty if the message already says it."""

    def __str__(self) -> str:
        return f"{self.property} {self.message}"


def report(heading: str, problems: Sequence[Problem], hint: str = "") -> str:
    """Writes the heading, a line per problem, then each distinct hint once on its own line, with `hint` last."""
    if not problems:
        raise AssertionError("internal error: a report needs problems")
    hints = dict.fromkeys(text for text in (*(problem.hint for problem in problems), hint) if text)
    return "\n".join((f"{heading}:", *(f"  {problem}" for problem in problems), *(f"hint: {text}" for text in hints)))
