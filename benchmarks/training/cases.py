"""The networks and their random rows, the same for every loop. Importing this module does not load torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch
    from torch import nn

LEARNING_RATE: Final = 0.01
SEED: Final = 0

Run = Callable[[int], float]
"""Trains for the given number of epochs. Returns the mean loss of the last one."""


@dataclass(frozen=True)
class Case:
    """A network of `training`, named by `model`, and its rows."""

    name: str
    title: str
    model: str
    shape: tuple[int, ...]
    classes: int
    """Number of classes, or 0 for a regression."""
    rows: int
    batch_size: int

    @property
    def steps(self) -> int:
        """Number of steps in an epoch."""
        return -(-self.rows // self.batch_size)

    def net(self) -> "nn.Module":
        """Makes a new network."""
        from training.recipe.models import find_network

        size = {"shape": self.shape} if self.model == "cnn" else {"features": self.shape[0]}
        net: nn.Module = find_network(self.model)(outputs=self.classes or 1, **size)  # type: ignore[assignment]
        return net

    def data(self) -> "tuple[torch.Tensor, torch.Tensor]":
        """Makes features and target."""
        import torch

        own = torch.Generator().manual_seed(SEED)
        features = torch.randn(self.rows, *self.shape, generator=own)
        if not self.classes:
            return features, torch.randn(self.rows, 1, generator=own)
        return features, torch.randint(0, self.classes, (self.rows,), generator=own)

    def loss(self) -> "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]":
        """The loss function of the task."""
        from torch.nn import functional

        return functional.cross_entropy if self.classes else functional.mse_loss


CASES: Final = (
    Case("small_net", "net 10-20-1, batch 32", "net", (10,), 0, rows=352, batch_size=32),
    Case("small_classifier", "net 10-20-3, batch 32", "net", (10,), 3, rows=352, batch_size=32),
    Case("mlp", "mlp 784-512-512-10, batch 128", "mlp", (784,), 10, rows=1024, batch_size=128),
    Case("cnn", "cnn 1x28x28, batch 32", "cnn", (1, 28, 28), 10, rows=64, batch_size=32),
)
