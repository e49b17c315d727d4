"""Numbers and dates in another spelling never become categories or classes without a word, however few there are."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from training.errors import DataError
from training.job import Job
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.datasets.load import load
from training.recipe.datasets.spelling import look
from training.recipe.datasets.streamed import StreamedRows

KEY = bytes(32)
NUMBERS = [
    "1,5|2,5", "11,000|12,000", "1 000|2 000", "1\u00a0000|2", "1\u202f234,5|1", "1'000|2'000", "1\u2019000|1",
    "1_000|2_000", "1.234,56|3", "1.234.567|1.2", "1,00,000|5", "15%|20 %", "\u20ac 3.50|\u20ac 4", "3,50 \u20ac|1",
    "$1,234.50|-$3", "EUR 5|EUR 6", "5 USD|6 USD", "CHF 5.-|CHF 6.-", "3,-|4,-", "(5.00)|3", "\u22125|4", "5-|4",
    "1,5e3|1", "\uff11\uff12|\uff11\uff13", "\u0663|\u0664", "12 kg|13 kg|14.5 kg", "1|2|3|4|1,000",
]  # fmt: skip
DATES = [
    "31.01.2020|1.2.2020", "31.01.20|01.02.20", "2012/01/31|2012/02/01", "01/31/2020|02/01/2020",
    "2012-01-31|2012-02-01", "31-Jan-12|1-Feb-12", "Jan 31, 2012|Feb 3, 2012",
    "01/31/2020 10:00 PM|02/01/2020 1:00 AM", "2012-01|2012-02",
    "2012\u5e741\u670831\u65e5|2012\u5e742\u67081\u65e5", "12:30|13:45",
]  # fmt: skip
NAMES = [
    "a|b", "1|2", "1.5|2", "+1| 2 ", "1.2.3|1.2.4", "10.0.0.1|10.0.0.2", "A1|A2", "2wd|4wd", "10-20|20-30", "Q1|Q2",
    "1st|2nd|3rd|4th", "v1|v2", "3+|2", "may|june", "ABC 123|ABC 124", "5 stars|1 star", "12a|12b|13c", "<5|>5",
    "0x1f|0x2e", "north|5%|south|east", "1|2|3|none yet",
]  # fmt: skip


def trained_on(
    folder: Path, column: list[str], *, form: str = "parquet", memory: int | None = None, **data: Any
) -> Dataset:
    """Rows whose column x has these texts over and over, beside a number z and a target y."""
    count = 40
    own = np.random.default_rng(0)
    table = pa.table({"x": [column[at % len(column)] for at in range(count)], "z": own.normal(size=count),
                      "y": own.normal(size=count)})  # fmt: skip
    if form == "parquet":
        pa.parquet.write_table(table, folder / "a.parquet", row_group_size=5, use_dictionary=False)
    else:
        lines = [";".join(map(str, row.values())) for row in table.to_pylist()]
        (folder / "a.csv").write_text("\n".join(["x;z;y", *lines]))
    settings = {"target": "y", **({"memoryBytes": memory} if memory else {}), **data}
    job, problems = Job.validate({"dataset": f"a.{form}", "data": settings}, folder)
    assert job is not None, problems
    return load(job, folder, KEY)


@pytest.mark.parametrize("texts", NUMBERS + DATES)
def test_a_feature_that_looks_like_numbers_or_dates_is_refused_unless_it_is_named_as_categories(
    tmp_path: Path, texts: str
) -> None:
    with pytest.raises(DataError, match=r"'x' holds (numbers|dates|times)") as refused:
        trained_on(tmp_path, texts.split("|"))

    assert "data.categorical" in refused.value.hint
    assert not any(text in str(refused.value) for text in texts.split("|") if len(text) > 3), "no value is shown"
    kept = trained_on(tmp_path, texts.split("|"), categorical=["x"])
    assert [name for name in kept.feature_names if name != "z"] == sorted(f"x={text}" for text in texts.split("|"))


@pytest.mark.parametrize("texts", NUMBERS + DATES)
def test_a_target_that_looks_like_numbers_or_dates_is_refused_unless_classes_are_asked_for(
    tmp_path: Path, texts: str
) -> None:
    for asked in ({"target": "x"}, {"target": "x", "task": "regression"}):
        with pytest.raises(DataError, match=r"'x' holds (numbers|dates|times)|'x' is text"):
            trained_on(tmp_path, texts.split("|"), form="parquet", memory=None, **asked)

    classes = trained_on(tmp_path, texts.split("|"), target="x", task="classification").classes
    assert sorted(classes) == sorted(texts.split("|"))


def test_a_target_of_fractions_written_as_text_is_no_class(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the target 'x' is text, but its 2 different values are all numbers"):
        trained_on(tmp_path, ["0.5", "1.5"], target="x")

    assert trained_on(tmp_path, ["1", "2"], target="x").classes == ("1", "2")


@pytest.mark.parametrize("texts", NAMES)
def test_names_and_plain_numbers_are_neither(texts: str) -> None:
    assert look(pa.array(texts.split("|"))) is None


def test_all_columns_are_told_at_once_with_the_form_of_their_values(tmp_path: Path) -> None:
    table = pa.table({"a": ["12,5", "7,5"] * 20, "b": ["31.01.2020", "01.02.2020"] * 20, "y": ["15%", "20%"] * 20})
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    job, _ = Job.validate({"dataset": "a.parquet", "data": {"target": "y"}}, tmp_path)
    assert job is not None

    with pytest.raises(DataError) as refused:
        load(job, tmp_path, KEY)

    for words in ("'a' holds numbers, written like '99,9'", "'b' holds dates, written like '99.99.9999'", "'99%'"):
        assert words in str(refused.value)


def test_a_streamed_file_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    assert isinstance(trained_on(tmp_path, ["a", "b"], memory=1700).rows, StreamedRows)
    with pytest.raises(DataError, match="'x' holds numbers"):
        trained_on(tmp_path, ["1,5", "2,5"], memory=1700)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        ("1,5|-2|+0,25", [1.5, -2, 0.25]),
        ("1234,5|0,125", [1234.5, 0.125]),
        ("2012/01/31|2012/2/1", [15370, 15371]),
        ("31.01.2012|1.2.2012", [15370, 15371]),
        ("31. 1. 2012|1. 2. 2012", [15370, 15371]),
        ("31.01.2012 12:00|01.02.2012 06:00:00", [15370.5, 15371.25]),
        ("2012/01/31 12:00|2012/02/01", [15370.5, 15371]),
    ],
)
def test_what_a_csv_file_can_only_mean_one_thing_by_is_read(tmp_path: Path, texts: str, values: list[float]) -> None:
    data = trained_on(tmp_path, texts.split("|"), form="csv")

    assert isinstance(data.rows, TensorRows)
    assert data.feature_names == ("x", "z")
    assert data.rows.features[: len(values), 0].tolist() == values


@pytest.mark.parametrize("texts", ["1,234|5,678", "1.234,5|1,5", "31.02.2012|01.02.2012", "2012/13/01|2012/12/01",
                                   "1,5|x,5|2,5", "01/02/2012|03/04/2012", "31.01.12|01.02.12", "15%|20%"])  # fmt: skip
def test_what_a_csv_file_could_mean_two_things_by_is_refused(tmp_path: Path, texts: str) -> None:
    with pytest.raises(DataError, match=r"'x' holds (numbers|dates)"):
        trained_on(tmp_path, texts.split("|"), form="csv")


@pytest.mark.parametrize(
    ("texts", "more"),
    [("1.10|1.1", {}), ("2012-01-31|2012-02-01", {}), ("31.01.2012|01.02.2012", {}), ("1,5|2,5", {}),
     ("99999999999999999999|99999999999999999998", {}), ("true|false", {}), ("10:00|11:30", {})],
)  # fmt: skip
def test_categories_of_a_csv_file_stay_as_they_are_written(tmp_path: Path, texts: str, more: dict[str, Any]) -> None:
    data = trained_on(tmp_path, texts.split("|"), form="csv", categorical=["x"], **more)

    assert data.feature_names[:2] == tuple(sorted(f"x={text}" for text in texts.split("|")))
    assert data.columns[0].datatype == "BYTES"


def test_a_target_with_a_decimal_comma_is_a_regression_and_a_slashed_date_a_time_column(tmp_path: Path) -> None:
    lines = [f"2012/{1 + at // 28:02}/{1 + at % 28:02};{at * 7 % 13};{at % 5},5" for at in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["day;x;y", *lines]))
    job, _ = Job.validate({"dataset": "a.csv", "data": {"target": "y", "timeColumn": "day"}}, tmp_path)
    assert job is not None

    data = load(job, tmp_path, KEY)

    assert (data.task, data.feature_names) == ("regression", ("x",))
    assert data.parts is not None
    assert data.parts.tolist() == [0] * 48 + [2] * 12


def test_values_that_a_split_or_a_mask_names_stay_as_they_are_written(tmp_path: Path) -> None:
    lines = [f"{'31.01.2012' if at % 4 else '01.02.2012'};{at * 7 % 13};{at % 5}.5" for at in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["day;x;y", *lines]))
    split = {"column": "day", "heldOut": ["01.02.2012"]}
    job, _ = Job.validate({"dataset": "a.csv", "data": {"target": "y", "split": split}}, tmp_path)
    assert job is not None

    parts = load(job, tmp_path, KEY).parts

    assert parts is not None
    assert int((parts == 2).sum()) == 15


def loaded(folder: Path, prices: list[str], rates: list[str], **data: Any) -> Dataset:
    """A CSV file with these prices and rates over and over."""
    lines = [f"{prices[at % len(prices)]};{rates[at % len(rates)]};{at * 7 % 13}" for at in range(40)]
    (folder / "a.csv").write_text("\n".join(["price;rate;y", *lines]))
    job, problems = Job.validate({"dataset": "a.csv", "data": {"target": "y", **data}}, folder)
    assert job is not None, problems
    return load(job, folder, KEY)


@pytest.mark.parametrize("prices", ["1.000|2.037|12.500", "-1.000|+2.037", "999|1.000", "1.000||2.037"])
def test_points_before_three_digits_are_no_decimals_beside_a_decimal_comma(tmp_path: Path, prices: str) -> None:
    rates = ["0,0", "1,1", "0,7"]
    for features in ({}, {"features": ["price"]}):
        with pytest.raises(DataError, match=r"decimal commas in the column 'rate'.*'price'") as refused:
            loaded(tmp_path, prices.split("|"), rates, **features)

        assert "without thousands separators" in refused.value.hint
        assert "data.categorical" in refused.value.hint
        assert not any(text in str(refused.value) for text in prices.split("|") if len(text) > 3), "no value is shown"


def test_the_target_and_the_time_column_are_looked_at_for_thousands_too(tmp_path: Path) -> None:
    for named in ({"target": "price"}, {"target": "y", "features": ["rate"], "timeColumn": "price"}):
        with pytest.raises(DataError, match="'price'"):
            loaded(tmp_path, ["999", "1.000", "2.037"], ["0,0", "1,1"], **named)


@pytest.mark.parametrize("prices", ["1.5|2.037", "0.125|2.037", "1234.500|2.037", "1000|2037", "1.0000|2.0370"])
def test_points_that_separate_no_thousands_are_decimals_beside_a_decimal_comma(tmp_path: Path, prices: str) -> None:
    data = loaded(tmp_path, prices.split("|"), ["0,5", "1,5"])

    assert isinstance(data.rows, TensorRows)
    assert data.rows.features[:2, 0].tolist() == pytest.approx([float(one) for one in prices.split("|")])


def test_what_may_be_thousands_is_read_without_a_decimal_comma_or_kept_by_name_or_left_out(tmp_path: Path) -> None:
    prices = ["1.000", "2.037"]

    assert loaded(tmp_path, prices, ["0.5", "1.5"]).feature_names == ("price", "rate")
    kept = loaded(tmp_path, prices, ["0,5", "1,5"], categorical=["price"])
    assert kept.feature_names == ("price=1.000", "price=2.037", "rate")
    assert loaded(tmp_path, prices, ["0,5", "1,5"], features=["rate"]).feature_names == ("rate",)
