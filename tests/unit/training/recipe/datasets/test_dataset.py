"""Rows in memory: batches and splits are seeded, complete and without overlap."""

import pytest
import torch

from training.recipe.datasets.dataset import TensorRows

ROWS = TensorRows(torch.arange(21.0).unsqueeze(1), torch.arange(21))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("share", "count"), [(0.2, 4), (0.01, 1), (0.9, 19)])
def test_the_split_has_every_row_once(share: float, count: int) -> None:
    others, chosen = ROWS.split(share, generator())

    assert len(chosen) == count
    assert sorted([*others.target.tolist(), *chosen.target.tolist()]) == list(range(21))


def test_the_split_follows_the_seed() -> None:
    first, again, other = (ROWS.split(0.3, generator(seed))[1].target.tolist() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_batches_have_every_row_once_in_the_drawn_order() -> None:
    drawn = list(ROWS.batches(8, generator()))

    assert [len(target) for _, target in drawn] == [8, 8, 5]
    order = torch.cat([target for _, target in drawn])
    assert order.tolist() == torch.randperm(21, generator=generator()).tolist()
    assert all(torch.equal(features.flatten().long(), target) for features, target in drawn)


def test_skipped_batches_leave_the_order_of_the_rest_as_it_is() -> None:
    whole = [target.tolist() for _, target in ROWS.batches(8, generator())]

    assert [target.tolist() for _, target in ROWS.batches(8, generator(), skip=1)] == whole[1:]


def test_without_a_generator_rows_come_as_stored() -> None:
    assert [target.tolist() for _, target in ROWS.batches(20, None)] == [list(range(20)), [20]]
