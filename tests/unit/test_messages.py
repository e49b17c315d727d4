"""The list of messages has each text that the code shows to people, and nothing else."""

from docs.messages import texts

MODULE = '''
"""A module has a docstring."""

import re

PATTERN = re.compile(r"^[a-z] and (more|less) of it$")
HINT = (
    "write it on two lines, "
    "and it is one text"
)
KEY = "two words"


def refuse(size: int, limit: int) -> None:
    """A function has one too."""
    raise ValueError(f"the size of {size:,} bytes exceeds the limit of {limit} bytes")
    """A docstring below a value, as of a constant."""


def refuse_file(path: str, error: Exception) -> None:
    raise ValueError(f"{path} is not an access file: {error}")
'''


def test_texts_are_whole_and_show_where_values_stand() -> None:
    assert list(texts(MODULE)) == [
        "write it on two lines, and it is one text",
        "the size of {size} bytes exceeds the limit of {limit} bytes",
        "{path} is not an access file: {error}",
    ]


def test_an_error_s_text_of_one_line_is_one_line() -> None:
    assert list(texts('print("first of all\\nthe second line")')) == [r"first of all\nthe second line"]
