"""Automatic names in the official plugin's form: `<resource name>-<7 hex digits>`."""

import hashlib
import re
import secrets
from typing import Final

from sealift.provider import CheckRequest, Properties, name_of, reveal

AUTONAMED: Final = re.compile(r".+-[0-9a-f]{7}\Z")


def with_name(request: CheckRequest) -> Properties:
    """Returns the inputs with a name: the given one, the old one, or a new one from the engine's seed."""
    if request.new_inputs.get("name") is not None:
        return request.new_inputs
    seed = hashlib.sha256(request.random_seed).hexdigest() if request.random_seed else secrets.token_hex(4)
    name = reveal(request.old_inputs.get("name")) or f"{name_of(request.urn)}-{seed[:7]}"
    return {**request.new_inputs, "name": name}


def is_given(inputs: Properties) -> bool:
    """Whether a replacement would have the same name, so that the original must be deleted first."""
    return not AUTONAMED.match(str(inputs.get("name", "")))
