"""Sealift's version, as the plugin and the server report it. pyproject.toml has the same."""

from typing import Final

VERSION: Final = "0.2.0"
