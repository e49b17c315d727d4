"""Standardisation by the training rows' moments, in memory and piece by piece."""

import numpy as np
import torch

from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.scaling import Moments, Scale, Scales, standardise


def test_moments_over_pieces_are_numpy_s_over_all_where_values_are_missing() -> None:
    rows = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0)) * 5 + 1e4
    rows[::7, 1] = torch.nan
    moments = Moments(shared=False)
    for piece in torch.split(rows, 77):
        moments.add(piece)

    exact = rows.double().numpy()
    assert np.allclose(moments.mean.numpy(), np.nanmean(exact, axis=0), rtol=1e-12)
    assert np.allclose(moments.deviation.numpy(), np.nanstd(exact, axis=0), rtol=1e-9)


def test_a_column_that_never_varies_is_centred_and_not_divided_by_zero() -> None:
    scale = Scale.of(torch.tensor([7.0, 2.0]), torch.tensor([0.0, 1.0]))

    assert scale.apply(torch.tensor([[7.0, 2.0], [8.0, 3.0]])).tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_pixels_share_a_scale_and_ids_have_none() -> None:
    images = TensorRows(torch.rand(10, 1, 4, 4) * 16, torch.arange(10) % 2)
    ids = TensorRows(torch.randint(0, 9, (10, 2)), torch.randn(10, 1))
    of_images = Scales.of(Dataset("i", "classification", images, (1, 4, 4)), images)
    of_ids = Scales.of(Dataset("u", "regression", ids, (2,)), ids)

    assert of_images.features is not None
    assert of_images.features.mean.shape == (1,)
    assert of_images.target is None
    assert of_ids.features is None
    assert torch.equal(standardise(ids, of_ids, torch.device("cpu")).first(10)[0], ids.features)
