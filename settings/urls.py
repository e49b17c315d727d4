"""URLs without what may be a secret in them: messages, logs and reports show no user, password, query or fragment."""

import re
from collections.abc import Mapping
from typing import Any, Final

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(\S*@)?([^\s?#'\"<>]*)((?:[?#][^\s'\"<>]*)?)")
"""All up to the last @ is taken for a user's name and password: one of these may hold any sign that is not escaped."""
HIDDEN: Final = "…"


def is_url(text: str) -> bool:
    return "://" in text


def has_credentials(text: str) -> bool:
    """Whether a URL in the text has a part that may be a secret."""
    return without_credentials(text) != text


def without_credentials(text: str) -> str:
    """The text, with "…" in place of each of these parts of the URLs in it."""
    return _URL.sub(_shown, text)


def without_credentials_in(value: Any) -> Any:
    """The same of every text in JSON."""
    if isinstance(value, str):
        return without_credentials(value)
    if isinstance(value, Mapping):
        return {name: without_credentials_in(one) for name, one in value.items()}
    return [*map(without_credentials_in, value)] if isinstance(value, list | tuple) else value


def _shown(found: re.Match[str]) -> str:
    scheme, user, place, rest = found.groups()
    return f"{scheme}{HIDDEN + '@' if user else ''}{place}{rest[0] + HIDDEN if rest else ''}"
