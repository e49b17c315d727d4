"""One thing wrong with what the user asked for, and how several of them are told at once.

Pure: says nothing about who asks or how it reaches the terminal.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`property` is the property's path, `message` continues the sentence: its value, and what is allowed."""

    property: str
    message: str
    hint: str = ""
    """The way out, where the message does not already say it; empty if it does."""

    def __str__(self) -> str:
        return f"{self.property} {self.message}"


def report(heading: str, problems: Sequence[Problem], hint: str = "") -> str:
    """The heading, a line per problem, then each different hint once on a line of its own, `hint` last."""
    if not problems:
        raise AssertionError("internal error: a report needs problems")
    hints = dict.fromkeys(text for text in (*(problem.hint for problem in problems), hint) if text)
    return "\n".join((f"{heading}:", *(f"  {problem}" for problem in problems), *(f"hint: {text}" for text in hints)))
