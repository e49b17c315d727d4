"""The networks that a job can name."""

from collections.abc import Mapping
from typing import Final

from torch import nn

from training.networks.audio_cnn import AudioCnn
from training.networks.cnn import Cnn
from training.networks.mlp import Mlp
from training.networks.net import Net
from training.networks.recommender import Recommender
from training.networks.text_classifier import TextClassifier

NETWORKS: Final[Mapping[str, type[nn.Module]]] = {
    "net": Net,
    "mlp": Mlp,
    "cnn": Cnn,
    "textClassifier": TextClassifier,
    "recommender": Recommender,
    "audioCnn": AudioCnn,
}
