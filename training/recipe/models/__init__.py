"""The networks that a job can name."""

from collections.abc import Mapping
from typing import Final

from torch import nn

from training.recipe.models.audio_cnn import AudioCnn
from training.recipe.models.cnn import Cnn
from training.recipe.models.mlp import Mlp
from training.recipe.models.net import Net
from training.recipe.models.recommender import Recommender
from training.recipe.models.text_classifier import TextClassifier

NETWORKS: Final[Mapping[str, type[nn.Module]]] = {
    "net": Net,
    "mlp": Mlp,
    "cnn": Cnn,
    "textClassifier": TextClassifier,
    "recommender": Recommender,
    "audioCnn": AudioCnn,
}
