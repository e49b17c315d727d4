"""Networks that a job can name, one file each. Importing this package does not load torch."""

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
"""Module in this package and class of each network, by the name that users write."""


def find_network(name: str) -> Callable[..., object]:
    """Returns the network's class, a torch module. Loads torch."""
    module, _, kind = NETWORKS[name].partition(":")
    found: Callable[..., object] = getattr(import_module(f"{__name__}.{module}"), kind)
    return found
