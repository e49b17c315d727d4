"""Rows that are held out by what a column says, in memory and streamed."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch

from training.errors import DataError
from training.job import Job
from training.recipe.datasets.dataset import Rows
from training.recipe.datasets.load import load
from training.recipe.datasets.split import hold_out, set_aside
from training.recipe.datasets.streamed import StreamedRows

ROWS, GROUP = 100, 10
STREAMED: dict[str, object] = {"memoryBytes": 4000}
KEY = bytes(32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows whose `id` says where they stand: 60 train, 10 validation, 20 test, 10 of which nothing is said."""
    folder = tmp_path_factory.mktemp("split")
    first = datetime.date(2026, 1, 1)
    parts = ["train"] * 60 + ["validation"] * 10 + ["test"] * 20 + [None] * 10
    order = np.random.default_rng(0).permutation(ROWS)
    table = pa.table(
        {
            "id": order.astype(float),
            "x": np.random.default_rng(1).normal(size=ROWS),
            "part": [parts[at] for at in order],
            "year": [2020 + at // 25 for at in order.tolist()],
            "day": [first + datetime.timedelta(days=at // 2) for at in order.tolist()],
            "same": ["one"] * ROWS,
            "y": np.random.default_rng(2).normal(size=ROWS),
        }
    )
    pa.parquet.write_table(table, folder / "rows.parquet", row_group_size=GROUP)
    pyarrow.csv.write_csv(table, folder / "rows.csv")
    return folder


def divided(folder: Path, dataset: str, data: dict[str, object], **more: object) -> list[set[int]]:
    """The ids of the rows to learn from, to validate with and to measure on."""
    properties: dict[str, Any] = {"dataset": dataset, "data": {"target": "y", "features": ["id", "x"], **data}, **more}
    job, problems = Job.validate(properties, folder)
    assert job is not None, problems
    generator = torch.Generator().manual_seed(0)
    loaded = load(job, folder, KEY)
    assert isinstance(loaded.rows, StreamedRows) == (job.data.memory_bytes == STREAMED["memoryBytes"])
    rest, held_out = hold_out(loaded, job, generator)
    train, validation = set_aside(loaded, rest, job, generator)
    return [ids(train), set() if validation is None else ids(validation), ids(held_out)]


def ids(rows: Rows) -> set[int]:
    found = [int(row[0]) for features, _ in rows.batches(7, None) for row in features]
    assert len(found) == len(rows) == len(set(found))
    return set(found)


@pytest.mark.parametrize(("dataset", "memory"), [("rows.csv", {}), ("rows.parquet", {}), ("rows.parquet", STREAMED)])
def test_a_column_says_which_rows_are_held_out(folder: Path, dataset: str, memory: dict[str, object]) -> None:
    data = {"split": {"column": "part"}, **memory}

    said = {*range(60), *range(90, 100)}
    assert divided(folder, dataset, data) == [said | {*range(60, 70)}, set(), {*range(70, 90)}]
    early: dict[str, Any] = {"earlyStopping": {}}
    assert divided(folder, dataset, data, **early) == [said, {*range(60, 70)}, {*range(70, 90)}]


def test_values_may_be_numbers_and_rows_to_validate_with_are_drawn_where_none_is_named(folder: Path) -> None:
    data = {"split": {"column": "year", "heldOut": ["2022", "2023"]}, "validation": 0.2}

    train, validation, held_out = divided(folder, "rows.csv", data)

    assert held_out == {*range(50, 100)}
    assert len(validation) == 10
    assert train | validation == {*range(50)}


@pytest.mark.parametrize(("dataset", "memory"), [("rows.csv", {}), ("rows.parquet", {}), ("rows.parquet", STREAMED)])
def test_the_latest_rows_are_held_out_and_the_latest_of_the_rest_validate(
    folder: Path, dataset: str, memory: dict[str, object]
) -> None:
    data = {"timeColumn": "day", "heldOut": 0.2, "validation": 0.1, **memory}

    assert divided(folder, dataset, data) == [{*range(72)}, {*range(72, 80)}, {*range(80, 100)}]


def test_rows_of_one_time_are_never_on_both_sides(folder: Path) -> None:
    assert divided(folder, "rows.csv", {"timeColumn": "year", "heldOut": 0.05})[2] == {*range(75, 100)}


def test_the_column_is_no_feature_unless_it_is_named(folder: Path) -> None:
    job, _ = Job.validate({"dataset": "rows.csv", "data": {"target": "y", "split": {"column": "part"}}}, folder)
    assert job is not None

    names = load(job, folder, KEY).feature_names
    assert "id" in names
    assert not any(name.startswith("part") for name in names)
    with_time, _ = Job.validate(
        {"dataset": "rows.csv", "data": {"target": "y", "timeColumn": "year", "features": ["x", "year"]}}, folder
    )
    assert with_time is not None
    assert load(with_time, folder, KEY).feature_names == ("x", "year")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"split": {"column": "nowhere"}},
            "data.split.column names the column 'nowhere', which rows.csv does not contain",
        ),
        ({"timeColumn": "nowhere"}, "data.timeColumn names the column 'nowhere', which rows.csv does not contain"),
        (
            {"split": {"column": "part", "heldOut": ["holdout"]}},
            "3 different values; none of them is in data.split.heldOut",
        ),
        ({"split": {"column": "same", "heldOut": ["one"]}}, "1 different value; data.split names all of them"),
        ({"timeColumn": "part"}, "data.timeColumn is 'part', which holds string"),
        ({"timeColumn": "same"}, "data.timeColumn is 'same', which holds string"),
        ({"timeColumn": "year", "heldOut": 0.9}, "no rows are left for training"),
    ],
)
def test_what_cannot_be_split_is_said_without_a_value(folder: Path, data: dict[str, object], message: str) -> None:
    with pytest.raises(DataError) as refused:
        divided(folder, "rows.csv", data)

    assert message in str(refused.value)
    assert refused.value.hint != ""


def test_a_time_that_is_missing_is_said(folder: Path) -> None:
    (folder / "gaps.csv").write_text(
        "id,x,day,y\n" + "".join(f"{at},1.5,{'' if at == 3 else at},{at % 4}.5\n" for at in range(9))
    )

    with pytest.raises(DataError, match="missing in 1 of 9 rows"):
        divided(folder, "gaps.csv", {"timeColumn": "day"})


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"dataset": "iris", "data": {"timeColumn": "day"}}, "data has timeColumn, which needs columns"),
        ({"dataset": "a.csv", "data": {"target": "y", "split": {}}}, "data.split.column is missing"),
        (
            {"dataset": "a.csv", "data": {"target": "y", "split": {"column": "a"}, "timeColumn": "b"}},
            "data.timeColumn and split are two ways to hold out rows",
        ),
        (
            {"dataset": "a.csv", "data": {"target": "y", "split": {"column": "a", "validation": ["test"]}}},
            "data.split.validation has 'test', which is in heldOut too",
        ),
    ],
)
def test_settings_that_cannot_be_together_are_told_before_anything_runs(
    properties: dict[str, object], message: str
) -> None:
    _, problems = Job.validate(properties)

    assert any(str(one).startswith(message) for one in problems), problems


def test_a_column_of_categories_as_pandas_writes_them_divides_too(folder: Path, tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(folder / "rows.parquet")
    at = table.column_names.index("part")
    small = table["part"].dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string()))
    pa.parquet.write_table(table.set_column(at, "part", small), tmp_path / "rows.parquet")

    data: dict[str, object] = {"split": {"column": "part"}, "memoryBytes": 2**30}

    assert divided(tmp_path, "rows.parquet", data) == divided(folder, "rows.parquet", data)


@pytest.mark.parametrize(("rows", "share", "held"), [(10, 0.04, 1), (10, 0.25, 2), (10, 0.26, 3), (10, 0.34, 3)])
def test_the_latest_share_is_rounded_and_never_empty(tmp_path: Path, rows: int, share: float, held: int) -> None:
    (tmp_path / "a.csv").write_text("id,x,day,y\n" + "\n".join(f"{at},1.5,{at},{at % 4}.5" for at in range(rows)))

    _, _, held_out = divided(tmp_path, "a.csv", {"timeColumn": "day", "heldOut": share})

    assert held_out == {*range(rows - held, rows)}


def test_a_tenth_of_the_earlier_rows_validates_where_no_share_is_given(folder: Path) -> None:
    early: dict[str, Any] = {"earlyStopping": {}}

    train, validation, held_out = divided(folder, "rows.csv", {"timeColumn": "day", "heldOut": 0.2}, **early)

    assert (train, validation, held_out) == ({*range(72)}, {*range(72, 80)}, {*range(80, 100)})
    train, validation, _ = divided(folder, "rows.csv", {"split": {"column": "year", "heldOut": ["2023"]}}, **early)
    assert len(validation) == round(0.1 * 75)
    assert not train & validation


def test_without_validation_two_times_are_enough(tmp_path: Path) -> None:
    """One to learn from and one to measure on; rows to validate with would take the first."""
    (tmp_path / "a.csv").write_text("id,x,day,y\n" + "\n".join(f"{at},1.5,{at // 6},{at % 4}.5" for at in range(12)))

    assert divided(tmp_path, "a.csv", {"timeColumn": "day"}) == [{*range(6)}, set(), {*range(6, 12)}]


def test_times_within_a_second_are_told_apart(tmp_path: Path) -> None:
    lines = (f"{at},1.5,2026-01-31T12:00:00.{at:03},{at % 4}.5" for at in range(20))
    (tmp_path / "a.csv").write_text("id,x,at,y\n" + "\n".join(lines))

    assert divided(tmp_path, "a.csv", {"timeColumn": "at", "heldOut": 0.1})[2] == {18, 19}
