"""The product's one version: the plugin's, the schema's and the image's."""

from typing import Final

VERSION: Final = "0.1.0"
