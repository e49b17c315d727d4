"""Removal of possible secrets from URLs: messages, logs and reports show no user, password, query or fragment."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(\S*@)?([^\s?#'\"<>]*)((?:[?#][^\s'\"<>]*)?)")
"""Everything up to the last @ counts as user and password, which may contain unescaped characters."""
HIDDEN: Final = "…"
SHORTEST_PART: Final = 4
"""Minimum length of parts to hide. Shorter values of a query occur in texts by chance."""


def is_url(text: str) -> bool:
    return "://" in text


def has_credentials(text: str) -> bool:
    """Whether a URL in the text has a part that may be a secret."""
    return without_credentials(text) != text or not ends_where_seen(text)


def ends_where_seen(text: str) -> bool:
    """Whether a URL has no character at which other programs would end it, and therefore show the rest of a secret."""
    if not is_url(text):
        return True
    found = _URL.search(text)
    whole = found is not None and found.end() == len(text)
    return text.isprintable() and (whole or not any(sign in text for sign in "@?#"))


def without_credentials(text: str) -> str:
    """The text with "…" in place of each possible secret of the URLs in it."""
    return _URL.sub(_show, text)


def without_parts_of(url: str, text: str) -> str:
    """The message of a library, which may show the URL in pieces, without the possible secrets of the URL."""
    text = without_credentials(text)
    for part in sorted({*_parts(url)}, key=len, reverse=True):
        text = text.replace(part, HIDDEN)
    return text


def _parts(url: str) -> Iterator[str]:
    """Yields the possible secrets of a URL, as written and decoded."""
    for found in _URL.finditer(url) if is_url(url) else ():
        user, rest = (found[2] or "").removesuffix("@"), found[4][1:]
        values = [one.partition("=")[2] or one for one in re.split("[&#;]", rest)]
        for part in (user, user.partition(":")[2], rest, *values):
            for meant in (part, unquote(part), unquote_plus(part)):
                if len(meant) >= SHORTEST_PART:
                    yield meant


def without_credentials_in(value: Any) -> Any:
    """Applies `without_credentials` to every text in a JSON value."""
    if isinstance(value, str):
        return without_credentials(value)
    if isinstance(value, Mapping):
        return {name: without_credentials_in(one) for name, one in value.items()}
    return [*map(without_credentials_in, value)] if isinstance(value, list | tuple) else value


def _show(found: re.Match[str]) -> str:
    scheme, user, place, rest = found.groups()
    return f"{scheme}{HIDDEN + '@' if user else ''}{place}{rest[0] + HIDDEN if rest else ''}"
