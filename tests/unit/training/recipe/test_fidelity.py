"""The exported model against the network: at batch sizes and on rows that the data does not have."""

import pytest
import torch
from torch import nn

from training.errors import ExportError
from training.recipe.datasets.dataset import TensorRows
from training.recipe.fidelity import make_faithful_onnx, make_probes

ROWS = TensorRows(torch.rand(100, 2, generator=torch.Generator().manual_seed(1)) * 10, torch.zeros(100, 1))


class Base(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)


class Length(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.reshape(len(x), -1))  # type: ignore[no-any-return]


class Ones(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + torch.ones(int(x.shape[0]), 1)  # type: ignore[no-any-return]


class Loop(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.layer(row) for row in x])


class RowsFirst(nn.Module):
    """Attention without batch_first: rows attend to each other."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.attention, self.out = nn.Linear(1, 8), nn.MultiheadAttention(8, 2), nn.Linear(8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.embed(x.unsqueeze(-1))
        return self.out(self.attention(hidden, hidden, hidden)[0].mean(1))  # type: ignore[no-any-return]


class ManyRows(Base):
    """Takes another way where there are many rows, which two do not show."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) if x.shape[0] < 50 else -self.layer(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("network", [Length, Ones, Loop, ManyRows], ids=lambda one: str(one.__name__))
def test_a_number_of_rows_in_the_trace_is_refused(network: type[nn.Module]) -> None:
    with pytest.raises(ExportError, match=r"mine:Net was exported from 2 rows, but .*\nhint: take the"):
        make_faithful_onnx(network(), ROWS, "regression", "mine:Net")


class Centred(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x - x.mean(dim=0, keepdim=True))  # type: ignore[no-any-return]


@pytest.mark.parametrize("network", [RowsFirst, Centred], ids=lambda one: str(one.__name__))
def test_an_answer_by_the_other_rows_is_refused_before_the_first_step(network: type[nn.Module]) -> None:
    """It was said after all epochs."""
    torch.manual_seed(1)
    with pytest.raises(ExportError, match="another answer for a row alone than for the same row in a batch"):
        make_faithful_onnx(network(), ROWS, "regression", "mine:Net")


class Noisy(Base):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + torch.randn_like(x[:, :1])  # type: ignore[no-any-return]


def test_an_answer_by_chance_is_refused_as_that() -> None:
    """Its message was about the number of rows."""
    with pytest.raises(ExportError, match="gives different answers for the same rows each time"):
        make_faithful_onnx(Noisy(), ROWS, "regression", "mine:Net")


def test_the_line_is_named_where_the_tracer_tells_it() -> None:
    with pytest.raises(ExportError, match=r"look at test_fidelity.py:\d+"):
        make_faithful_onnx(Length(), ROWS, "regression", "mine:Net")


class Hidden(Base):
    """Has its branch where no watch sees it, as code in C++ would: only the answers tell."""

    def __init__(self, beyond: float) -> None:
        super().__init__()
        self.beyond = beyond

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch._C.DisableTorchFunction():
            far = bool(x.abs().max() > self.beyond)
        return self.layer(x) * 0 + 5 if far else self.layer(x)  # type: ignore[no-any-return]


def test_a_branch_that_no_row_of_the_data_takes_shows_in_other_rows() -> None:
    """The held-out rows agreed, and so it was served."""
    with pytest.raises(ExportError, match="answers for rows 10 times their range away differ from those of mine:Net"):
        make_faithful_onnx(Hidden(beyond=50.0), ROWS, "regression", "mine:Net")


def test_a_branch_that_no_number_takes_is_none() -> None:
    assert make_faithful_onnx(Hidden(beyond=1e9), ROWS, "regression", "mine:Net")


class Rounded(Base):
    """Jumps, so that rounding can put a row to the other side."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(torch.round(x)) + torch.exp(x).sum(dim=1, keepdim=True)  # type: ignore[no-any-return]


def test_a_network_that_jumps_or_overflows_as_its_export_does_is_taken() -> None:
    assert make_faithful_onnx(Rounded(), ROWS, "regression", "mine:Net")


def test_a_single_row_is_enough() -> None:
    assert make_faithful_onnx(Base().layer, TensorRows(ROWS.features[:1], ROWS.target[:1]), "regression", "mine:Net")


def test_other_rows_are_of_the_same_kind() -> None:
    ids = torch.tensor([[3, 7], [5, 7]])
    (_, drawn), *others = make_probes(ids)

    assert others == []
    assert drawn.dtype == ids.dtype
    assert sorted(set(drawn[:, 0].tolist())) == [3, 4, 5]
    assert sorted(set(drawn[:, 1].tolist())) == [7]
    floats = torch.tensor([[1.0, torch.nan], [2.0, 4.0]])
    kinds = dict(make_probes(floats))
    assert {probe.dtype for probe in kinds.values()} == {torch.float32}
    assert [what for what, probe in kinds.items() if probe.isnan().any()] == ["with other values missing"]
    assert dict(make_probes(floats)).keys() == kinds.keys()
