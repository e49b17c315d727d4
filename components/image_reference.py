"""Image references in the form of github.com/distribution/reference: `[HOST[:PORT]/]PATH[:TAG][@sha256:DIGEST]`.

Pure: checks the form of a reference, not whether the image exists.
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
"""Longest reference, in characters: the limit of a repository's name, so no image has a longer one."""


def is_reference(text: str) -> bool:
    """Whether the text is an image reference, such as `python:3.12-slim` or `localhost:5000/base@sha256:…`."""
    return len(text) <= MAX_LENGTH and _REFERENCE.fullmatch(text) is not None


def is_pinned(text: str) -> bool:
    """Whether the text references an image by digest, such as `localhost:5000/model@sha256:…`."""
    return len(text) <= MAX_LENGTH and _PINNED.fullmatch(text) is not None


def is_registry(text: str) -> bool:
    """Whether the text is a registry, such as `localhost:5000` or `registry.example.com/team`."""
    return len(text) <= MAX_LENGTH and _REGISTRY.fullmatch(text) is not None
