"""Explanations for a body that is not JSON, in terms of likely causes. A parser knows only a position."""

import re
from typing import Final

from sealift.serving.protocol.contract import Body

LOOKED_AT_BYTES: Final = 16
POSITION: Final = re.compile(r"\(byte (\d+)\)")
BEGINNINGS: Final = (
    (
        b"\xef\xbb\xbf",
        "the body begins with a byte order mark; send UTF-8 without one",
    ),
    (b"\xff\xfe", "the body is UTF-16; send UTF-8"),
    (b"\xfe\xff", "the body is UTF-16; send UTF-8"),
    (b"\x1f\x8b", "the body is compressed; send the header Content-Encoding: gzip with it"),
)
WORDS: Final = (
    (rb"-?(?:nan|inf(?:inity)?)\b", "JSON has no NaN or infinity; send a number"),
    (rb"(?:none|true|false)\b", "this is Python's spelling; JSON has null, true and false (in Python, use json.dumps)"),
    (rb"'", "JSON needs double quotes (in Python, use json.dumps, not str)"),
)


def complaint(body: Body | memoryview, error: Exception) -> str:
    """Describes the problem in one line that quotes no value of the body."""
    start = bytes(body[:LOOKED_AT_BYTES])
    if not start.strip():
        return "the body is empty"
    for beginning, said in BEGINNINGS:
        if start.startswith(beginning):
            return said
    found = POSITION.search(str(error))
    if found is not None:
        at = int(found[1])
        before = max(0, at - LOOKED_AT_BYTES)
        around = bytes(body[before : at + LOOKED_AT_BYTES])
        for word, said in WORDS:
            for match in re.finditer(word, around, re.IGNORECASE):
                if match.start() <= at - before <= match.end() + 1:  # "null" begins like "nan"
                    return f"{said} ({found[0][1:-1]})"
    return str(error)
