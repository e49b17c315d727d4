"""`net`: features → 20 (ReLU) → outputs."""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from typing import Final, cast

import torch
from torch import nn

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
