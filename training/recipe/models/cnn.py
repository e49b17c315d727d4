"""`cnn`: an image through blocks of convolution, ReLU and pooling → outputs."""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from training.errors import ModelError
from training.recipe.models.checks import check_shape, check_widths


class Cnn(nn.Module):
    """(C, H, W) → one block for each of `channels`: 3×3 convolution, ReLU, maximum of 2×2 → flattened → K.

    A block halves both sides, unless a side is 1. The last layer sees everything that remains, so large images need
    more blocks.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int, channels: Sequence[int] = (32, 64)) -> None:
        """Raises ModelError for a wrong shape or channels."""
        super().__init__()
        way_out = "reshape grey images to (rows, 1, height, width); for columns of a table use 'mlp' or 'net'"
        first, height, width = check_shape("cnn", shape, "channels, height, width", way_out)
        if not (after := check_widths("channels", channels, "such as [32, 64]")):
            raise ModelError("modelArguments.channels is empty; at least one block is needed", "such as [32, 64]")
        sizes = pairwise((first, *after))
        self.convolutions = nn.ModuleList(nn.Conv2d(before, after, kernel_size=3, padding=1) for before, after in sizes)
        for _ in after:
            height, width = (height, width) if min(height, width) < 2 else (height // 2, width // 2)
        self.output = nn.Linear(after[-1] * height * width, outputs)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        for convolution in self.convolutions:
            x_BCHW = torch.relu(convolution(x_BCHW))
            if min(x_BCHW.shape[2:]) >= 2:
                # Squares do not overlap, so the gradient has no sum and is repeatable on a GPU too.
                x_BCHW = functional.max_pool2d(x_BCHW, 2)
        return cast(torch.Tensor, self.output(x_BCHW.flatten(1)))
