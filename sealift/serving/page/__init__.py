"""The page for browsers at `/`, and its description of the model at `/about`.

The page is the same for every model and contains nothing about it, so it is open to all. `/about` needs the scope
`metadata`. The page asks for a key if one is needed, and keeps it in the browser's tab.
"""

from collections.abc import Mapping

from sealift.serving.model import Model
from sealift.serving.page.about import about
from sealift.serving.page.document import document
from sealift.serving.protocol import refusal
from sealift.serving.protocol.contract import Fixed, Operation

__all__ = ["error", "operations"]


def operations(name: str, model: Model, explains: bool) -> Mapping[str, Operation]:
    """Returns the operations by path, for the model name `name`. `explains` says whether explanations are served."""
    return {"/": document(), "/about": Fixed(about(name, model, explains))}


def error(message: str) -> bytes:
    """Returns the body of an error, which is the same as on all other paths."""
    return refusal(message)
