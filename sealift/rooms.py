"""The project's own package names, each listed once."""

from typing import Final

PACKAGES: Final = ("sealift", "training", "components", "bootstrap", "airgap")
"""Top-level packages. A user's module cannot have one of these names."""

IN_IMAGE: Final = ("contents", "sealing", "serving")
"""Packages of `sealift` that a model image holds."""

MODULES_IN_IMAGE: Final = ("__init__.py", "names.py")
"""Modules of `sealift` that the packages in IN_IMAGE import."""
