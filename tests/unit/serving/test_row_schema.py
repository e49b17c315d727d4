"""What a row is made of, from what training said of it."""

import math

import pytest

from sealift.contents.description import Description, Summary
from sealift.serving.model import Model
from sealift.serving.row_schema import Field, make_rows
from sealift.serving.tensor import ANY, Tensor
from tests.unit.serving import described
from tests.unit.serving.described import summary
from tests.unit.serving.tiny import DESCRIPTION, id_model, onnx_model


def test_a_number_has_its_mean_and_bounds_that_are_no_rows_own() -> None:
    (row,) = Model(described.flowers(), described.FLOWERS).rows

    assert row.shape == (1, 2)
    assert row.fields == (Field("length", 5.843, 4.3, 7.9), Field("width", 3.054, 2.0, 4.4))


@pytest.mark.parametrize(
    ("known", "usual", "lowest", "highest"),
    [
        (summary(117.23456, 49.1, 30.42, 199.87), 117.2, 30, 200),
        (summary(-0.00001, 0.0476, -0.10723, 0.19878), 0.0, -0.11, 0.2),
        (summary(51234.5, 17000, 1999.5, 99876.1), 51200, 0, 100000),
        (summary(3, 0, 3, 3), 3, None, None),
        (summary(math.nan, math.nan, math.inf, -math.inf), 0, None, None),
    ],
    ids=["house", "standardised", "income", "never varies", "always missing"],
)
def test_bounds_are_rounded_outwards(
    known: dict[str, float], usual: float, lowest: float | None, highest: float | None
) -> None:
    reference = {"age": known}
    (row,) = Model(onnx_model(), DESCRIPTION | {"inputReference": reference}).rows

    assert row.fields[0] == Field("age", usual, lowest, highest)
    assert row.fields[1] == Field("bmi", 0)


@pytest.mark.parametrize(
    ("known", "usual", "lowest", "highest"),
    [
        (summary(3.4, 0.4, 1, 5), 3, 1, 5),
        (summary(34567.4, 900.2, 30017, 39950), 34567, 30000, 40000),
        (summary(2.0, 0, 2, 2), 2, None, None),
    ],
)
def test_a_column_of_whole_numbers_is_usually_one(
    known: dict[str, float], usual: int, lowest: float | None, highest: float | None
) -> None:
    (row,) = Model(id_model(), {"features": ["input"], "inputReference": {"input": known}}).rows

    (field,) = row.fields
    assert (field.usual, field.lowest, field.highest) == (usual, lowest, highest)
    assert str(field.usual) == str(usual)


def test_a_category_has_its_choices_and_is_usually_the_most_frequent() -> None:
    size, side = Model(described.houses(), described.HOUSES).rows

    assert size.fields == (Field("size", 117.2, 30, 200),)
    assert side.fields == (Field("side", "south", choices=("north", "south")),)


def test_a_column_whose_name_looks_like_a_category_is_no_category() -> None:
    """As DictVectorizer names columns: `city` beside `city=Rome`, of which one may have categories too."""
    share = Summary(mean=0.5, deviation=0.5, minimum=0.0, maximum=1.0)
    columns = ("code", "code=x", "city")
    summaries = {"code=1": share, "code=2": share, "code=x": share, "city=Rome": share}
    tensors = [Tensor("code", (ANY, 1), "INT64"), Tensor("code=x", (ANY, 1)), Tensor("city", (ANY, 1), "BYTES")]

    code, number, city = (
        row.fields[0] for row in make_rows(tensors, Description(features=columns, input_reference=summaries))
    )

    assert [one.choices for one in (code, number, city)] == [(1, 2), (), ("Rome",)]
    assert number == Field("code=x", 0.5, 0.0, 1.0)


def test_pixels_have_one_range_and_ids_none() -> None:
    (picture,) = Model(described.digits(), described.DIGITS).rows
    (ids,) = Model(id_model(), {"inputRange": {"minimum": 0.0, "maximum": 2.0}}).rows

    assert (picture.shape, set(picture.fields)) == ((1, 1, 8, 8), {Field("", 0.0, 0.0, 16.0)})
    assert ids.fields == (Field("", 0),)


def test_a_model_that_says_nothing_still_has_a_row() -> None:
    assert [row.fields for row in Model(described.houses(), {}).rows] == [(Field("", 0),), (Field("", ""),)]
