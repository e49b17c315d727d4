"""The networks that a job can name, one file each. Importing this loads no torch."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

NETWORKS: Final[Mapping[str, str]] = {
    "net": "net:Net",
    "mlp": "mlp:Mlp",
    "cnn": "cnn:Cnn",
    "textClassifier": "text_classifier:TextClassifier",
    "recommender": "recommender:Recommender",
    "audioCnn": "audio_cnn:AudioCnn",
}
"""By the names that users write: the module in this package, and its class."""


def find_network(name: str) -> Callable[..., object]:
    """Its class, a torch module's; loads torch."""
    module, _, kind = NETWORKS[name].partition(":")
    found: Callable[..., object] = getattr(import_module(f"{__name__}.{module}"), kind)
    return found
