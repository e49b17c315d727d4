"""Cross-validation: every row is held out once, every fold has its share of each class, and few rows are refused."""

import pytest
import torch
from sklearn.model_selection import TimeSeriesSplit

from training.errors import DataError
from training.recipe.datasets.dataset import TensorRows
from training.recipe.folds import split_into_folds


def rows(count: int, classes: int = 0) -> TensorRows:
    target = torch.arange(count) % classes if classes else torch.randn(count, 1)
    return TensorRows(torch.arange(count).unsqueeze(1).float(), target)


def drawn(data: TensorRows, count: int, seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return split_into_folds(data, count, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("classes", [0, 2, 4])
@pytest.mark.parametrize("number", [10, 11, 23])
def test_each_row_is_held_out_once_and_learnt_from_in_all_other_folds(number: int, classes: int, count: int) -> None:
    found = drawn(rows(number, classes), count)

    assert len(found) == count
    assert sorted(torch.cat([held for _, held in found]).tolist()) == list(range(number))
    for others, held in found:
        assert sorted([*others.tolist(), *held.tolist()]) == list(range(number))
        assert number // count <= len(held) <= -(-number // count)


def test_every_fold_has_its_share_of_each_class() -> None:
    data = TensorRows(torch.zeros(60, 1), (torch.arange(60) % 6 == 0).long())

    assert [int(data.target[held].sum()) for _, held in drawn(data, 5)] == [2, 2, 2, 2, 2]


def test_the_generator_decides() -> None:
    data = rows(20)

    assert all(map(torch.equal, drawn(data, 2)[0], drawn(data, 2)[0]))
    assert not torch.equal(drawn(data, 2)[0][1], drawn(data, 2, seed=1)[0][1])


def test_too_few_rows_for_so_many_folds_are_refused() -> None:
    with pytest.raises(DataError, match="folds is 5, but the data set has only 9 training rows"):
        drawn(rows(9), 5)


@pytest.mark.parametrize(("number", "count"), [(10, 2), (11, 3), (60, 5)])
def test_in_time_no_fold_learns_from_what_comes_after_it_as_scikit_learn_splits(number: int, count: int) -> None:
    found = split_into_folds(rows(number), count, torch.Generator(), in_time=True)

    assert len(found) == count
    assert sorted(torch.cat([held for _, held in found]).tolist()) == list(range(number // (count + 1), number))
    for others, held in found:
        assert others.tolist() == list(range(int(held[0])))
    if number % (count + 1) == 0:
        theirs = TimeSeriesSplit(count).split(list(range(number)))
        assert [(a.tolist(), b.tolist()) for a, b in found] == [(a.tolist(), b.tolist()) for a, b in theirs]
