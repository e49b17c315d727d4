"""Names of images, as github.com/distribution/reference has them: `[HOST[:PORT]/]PATH[:TAG][@sha256:DIGEST]`.

Pure: knows the form of a name, not whether anything stands behind it.
"""

import re
from typing import Final

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST: Final = rf"(?:{_NAME}(?:\.{_NAME})*|\[[0-9a-fA-F:]+\])"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST: Final = r"sha256:[0-9a-f]{64}"

_REFERENCE: Final = re.compile(rf"(?:{_HOST}(?::\d{{1,5}})?/)?{_PATH}(?::{_TAG})?(?:@{_DIGEST})?", re.ASCII)
_PINNED: Final = re.compile(rf"(?:{_HOST}(?::\d{{1,5}})?/)?{_PATH}(?::{_TAG})?@{_DIGEST}", re.ASCII)
_REGISTRY: Final = re.compile(rf"{_HOST}(?::\d{{1,5}})?(?:/{_PATH})?", re.ASCII)

MAX_LENGTH: Final = 255
"""Of a whole name, in characters; a repository's limit, so a longer one is nobody's image."""


def is_reference(text: str) -> bool:
    """Whether it can name an image: `python:3.12-slim`, `localhost:5000/base@sha256:…`."""
    return len(text) <= MAX_LENGTH and _REFERENCE.fullmatch(text) is not None


def is_pinned(text: str) -> bool:
    """Whether it names an image by content: `localhost:5000/model@sha256:…`."""
    return len(text) <= MAX_LENGTH and _PINNED.fullmatch(text) is not None


def is_registry(text: str) -> bool:
    """Whether repositories can be named under it: `localhost:5000`, `registry.example.com/team`."""
    return len(text) <= MAX_LENGTH and _REGISTRY.fullmatch(text) is not None
