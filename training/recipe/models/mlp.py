"""`mlp`: features → hidden layers (ReLU) → outputs. It ignores which values are neighbours."""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import nn

from training.recipe.models.checks import check_widths


class Mlp(nn.Module):
    """S, flattened to F → each of `hidden` (ReLU) → K. Without hidden layers it is linear."""

    def __init__(self, features: int, outputs: int, hidden: Sequence[int] = (512, 512)) -> None:
        """Raises ModelError for wrong widths."""
        super().__init__()
        sizes = (features, *check_widths("hidden", hidden, "such as [512, 512]"))
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(sizes))
        self.output = nn.Linear(sizes[-1], outputs)

    def forward(self, x_BS: torch.Tensor) -> torch.Tensor:
        h_BF = x_BS.flatten(1)
        for layer in self.hidden:
            h_BF = torch.relu(layer(h_BF))
        return cast(torch.Tensor, self.output(h_BF))
