"""The networks, and the form in which one is deployed: raw features in, answers in the target's own unit out.

Shapes: B rows of a batch, F features, H hidden units, K outputs.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from dataclasses import dataclass
from typing import Final, cast

import torch
from torch import nn

from training.dataset import Dataset, Rows

HIDDEN_UNITS: Final = 20


class Net(nn.Module):
    """F → 20 (ReLU) → K, on standardised features."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, HIDDEN_UNITS)
        self.output = nn.Linear(HIDDEN_UNITS, outputs)

    def forward(self, x_BF: torch.Tensor) -> torch.Tensor:
        h_BH = torch.relu(self.hidden(x_BF))
        return cast(torch.Tensor, self.output(h_BH))


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of each column, FP32 of shape (columns,), taken from training rows only."""

    mean: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def of(cls, columns: torch.Tensor) -> "Scale":
        """Computed in FP64; a column that never varies (a digit's corner pixel) gets the deviation 1."""
        deviation, mean = torch.std_mean(columns.double(), dim=0, correction=0)
        return cls(mean.float(), torch.where(deviation > 0, deviation, 1.0).float())

    def apply(self, columns: torch.Tensor) -> torch.Tensor:
        return (columns - self.mean) / self.deviation


class Deployed(nn.Module):
    """A trained network between the scales it was trained with: what is measured, exported and served."""

    def __init__(self, net: nn.Module, features: Scale, target: Scale | None) -> None:
        """`target` is the scale of a regression's target; None means classes, answered as probabilities."""
        super().__init__()
        self.net = net
        self.classifies = target is None
        target = target or Scale(torch.zeros(1), torch.ones(1))
        self.feature_mean: torch.Tensor
        self.feature_deviation: torch.Tensor
        self.target_mean: torch.Tensor
        self.target_deviation: torch.Tensor
        self.register_buffer("feature_mean", features.mean)
        self.register_buffer("feature_deviation", features.deviation)
        self.register_buffer("target_mean", target.mean)
        self.register_buffer("target_deviation", target.deviation)

    def forward(self, raw_BF: torch.Tensor) -> torch.Tensor:
        y_BK = self.net((raw_BF - self.feature_mean) / self.feature_deviation)
        if self.classifies:
            return torch.softmax(y_BK, dim=1)
        return cast(torch.Tensor, y_BK * self.target_deviation + self.target_mean)


def build(name: str, dataset: Dataset) -> nn.Module:
    """The network `name` with fresh weights from torch's seeded default generator."""
    if name == "net":
        return Net(len(dataset.feature_names), dataset.outputs)
    raise AssertionError(f"internal error: validation let model {name!r} through")


def scales(dataset: Dataset, train: Rows) -> tuple[Scale, Scale | None]:
    """The scale of the features, and of the target if it is a number."""
    return Scale.of(train.features_RF), None if dataset.classes else Scale.of(train.target)
