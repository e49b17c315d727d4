"""Values that are no category which training saw are counted, by column."""

import numpy as np
import pytest

from sealift.serving.categories import Categories
from sealift.serving.model import Model
from tests.unit.serving import described
from tests.unit.serving.described import summary
from tests.unit.serving.tiny import DESCRIPTION, id_model, onnx_model


@pytest.mark.parametrize(
    ("sides", "unknown"),
    [(["north"], {}), (["south", "north", ""], {}), (["North"], {"side": 1}), (["west", "north", "west"], {"side": 2})],
)
def test_texts_are_counted_that_are_no_category_but_not_missing_ones(sides: list[str], unknown: dict[str, int]) -> None:
    found = Categories(Model(described.houses(), described.HOUSES).rows)

    rows = {"size": np.ones((len(sides), 1), np.float32), "side": np.array(sides, np.object_)[:, np.newaxis]}
    assert (found.columns, found.unknown(rows)) == (["side"], unknown)


def test_whole_numbers_may_be_categories_too() -> None:
    known = {f"input={number}": summary(0.5, 0.5, 0, 1) for number in (0, 2)}
    found = Categories(Model(id_model(), {"features": ["input"], "inputReference": known}).rows)

    assert found.unknown({"input": np.array([[0], [1], [2], [1]])}) == {"input": 2}


def test_a_model_of_numbers_has_none_and_one_that_says_nothing_neither() -> None:
    assert Categories(Model(onnx_model(), DESCRIPTION).rows).columns == []
    assert Categories(Model(described.houses(), {}).rows).columns == []
