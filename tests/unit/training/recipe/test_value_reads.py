"""Which reads of a network's input in Python are found, and what is not one."""

import numpy as np
import pytest
import torch
from torch import nn

from training.errors import ExportError
from training.recipe.value_reads import refuse_value_reads


class Base(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)


class Branch(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.abs().max() > 3:
            x = x.clamp(-3, 3)
        return self.layer(x)  # type: ignore[no-any-return]


class Item(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) * x.mean().item()  # type: ignore[no-any-return]


class Constant(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + torch.tensor(x[0, 0])  # type: ignore[no-any-return]


class Listed(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + sum(x.flatten().tolist())  # type: ignore[no-any-return]


class InNumpy(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + torch.from_numpy(x.numpy().sum(axis=1, keepdims=True))  # type: ignore[no-any-return]


class Largest(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + max(x[0, 0], x[0, 1])  # type: ignore[no-any-return]


class Counted(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(x[0, 0].long()):
            x = x + 1
        return self.layer(x)  # type: ignore[no-any-return]


class RowByRow(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.layer(row) if row[0] > 0 else -self.layer(row) for row in x])


class Written(Base):
    """The value goes through a tensor that did not come from the input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sums = torch.zeros(len(x))
        sums[:] = x.sum(dim=1)
        return self.layer(x) * float(sums[0])  # type: ignore[no-any-return]


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(context: object, x: torch.Tensor) -> torch.Tensor:
        return x * 2


class OwnFunction(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        doubled: torch.Tensor = Doubled.apply(x)
        return self.layer(x) * doubled.sum().item()  # type: ignore[no-any-return]


class CountOfAMask(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) if x[x > 1e4].numel() else -self.layer(x)  # type: ignore[no-any-return]


class LengthOfNonzero(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) if len(torch.nonzero(x[:, 0] > 1e4)) else -self.layer(x)  # type: ignore[no-any-return]


class ShapeOfUnique(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) * (torch.unique(x) * 2).shape[0]  # type: ignore[no-any-return]


class Contained(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) * 100 if 1.0 in (x > 6).float() else self.layer(x)  # type: ignore[no-any-return]


class Printed(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) * float(f"{x.max()}")  # type: ignore[no-any-return]


class ByDlpack(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) * float(np.from_dlpack(x.detach()).max())  # type: ignore[no-any-return]


READERS: list[type[nn.Module]] = [
    CountOfAMask,
    LengthOfNonzero,
    ShapeOfUnique,
    Printed,
    ByDlpack,
    Branch,
    Item,
    Constant,
    Listed,
    InNumpy,
    Largest,
    Counted,
    RowByRow,
    Written,
    OwnFunction,
    Contained,
]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: str(reader.__name__))
def test_a_read_of_the_input_is_refused_with_its_line(reader: type[nn.Module]) -> None:
    with pytest.raises(ExportError, match=r"values of its input in Python, at test_value_reads.py:\d+: the served"):
        refuse_value_reads(reader(), torch.ones(2, 2), "mine:Net")


class Shapes(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] != 2 or len(x) < 1 or x.dim() != 2:
            raise ValueError("two columns")
        rows = torch.stack([row.sum() for row in x]).unsqueeze(1)
        return torch.where(x > 3, 3.0, x).sum(dim=1, keepdim=True) + rows + torch.tensor([1.0, 2.0]).sum()


class Masked(Base):
    """A mask whose count is a tensor all the way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = torch.where(x > 0, x, 0.0).sum() / (x > 0).sum()
        picked = x.flatten()[torch.argsort(x.flatten())].reshape(x.shape)
        return self.layer(picked[:, : x.shape[1]]) + mean  # type: ignore[no-any-return]


class OwnWeights(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = self.layer.weight.abs().max().item()
        return self.layer(x) / scale if scale > 0 else self.layer(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("network", [Shapes, Masked, OwnWeights], ids=lambda network: str(network.__name__))
def test_shapes_and_weights_may_be_read(network: type[nn.Module]) -> None:
    refuse_value_reads(network(), torch.randn(2, 2), "mine:Net")


@pytest.mark.parametrize(
    ("network", "rows"),
    [
        (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, batch_first=True), 2), torch.randn(2, 5, 8)),
        (nn.GRU(3, 4, batch_first=True), torch.randn(2, 5, 3)),
        (nn.LSTM(3, 4, batch_first=True, bidirectional=True), torch.randn(2, 5, 3)),
        (nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.BatchNorm1d(12)), torch.randint(0, 9, (2, 3))),
    ],
    ids=["transformer", "gru", "lstm", "embedding"],
)
def test_torch_s_own_layers_are_not_suspected(network: nn.Module, rows: torch.Tensor) -> None:
    refuse_value_reads(network, rows, "torch's")
