"""Sealift's version, for all that tell it: the plugin and the server in the image. pyproject.toml has the same."""

from typing import Final

VERSION: Final = "0.2.0"
