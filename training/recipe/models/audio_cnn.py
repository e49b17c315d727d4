"""`audioCnn`: the mel features of a sound, convolved over time → outputs."""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from training.errors import ModelError
from training.recipe.models.checks import check_shape, check_widths


class AudioCnn(nn.Module):
    """(M mels, T frames) → one block for each of `channels`: convolution over 5 frames, ReLU, the larger of 2 frames
    (while there are 2) → mean over time → K.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int, channels: Sequence[int] = (32, 64)) -> None:
        """Raises ModelError for a wrong shape or channels."""
        super().__init__()
        way_out = "use log-mel features of shape (rows, mels, frames), as examples/voice/data.py makes them"
        mels, _ = check_shape("audioCnn", shape, "mels, frames", way_out)
        if not (after := check_widths("channels", channels, "such as [32, 64]")):
            raise ModelError("modelArguments.channels is empty; at least one block is needed", "such as [32, 64]")
        sizes = pairwise((mels, *after))
        self.convolutions = nn.ModuleList(nn.Conv1d(before, after, kernel_size=5, padding=2) for before, after in sizes)
        self.output = nn.Linear(after[-1], outputs)

    def forward(self, x_BMT: torch.Tensor) -> torch.Tensor:
        for convolution in self.convolutions:
            x_BMT = torch.relu(convolution(x_BMT))
            if x_BMT.shape[2] >= 2:
                x_BMT = functional.max_pool1d(x_BMT, 2)
        return cast(torch.Tensor, self.output(x_BMT.mean(dim=2)))
