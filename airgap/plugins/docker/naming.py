"""Names that nobody gave: `<resource name>-<7 hex digits>`, as the official plugin makes them."""

import hashlib
import re
import secrets
from typing import Final

from provider.resource import Check
from provider.values import Properties, reveal

AUTONAMED: Final = re.compile(r".+-[0-9a-f]{7}\Z")


def with_name(check: Check, olds: Properties, news: Properties) -> Properties:
    """The inputs with a name: the given one, the old one, or a new one from the engine's seed."""
    if news.get("name") is not None:
        return news
    seed = hashlib.sha256(check.random_seed).hexdigest() if check.random_seed else secrets.token_hex(4)
    return {**news, "name": reveal(olds.get("name")) or f"{check.name}-{seed[:7]}"}


def is_given(inputs: Properties) -> bool:
    """Whether a replacement would have the same name, so that the original must go first."""
    return not AUTONAMED.match(str(inputs.get("name", "")))
