"""Whole numbers that FP32 or INT64 cannot hold are refused wherever they come from."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch

from training.errors import DataError
from training.job import Job
from training.recipe.datasets.arrays import check_arrays
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.datasets.encoding import ColumnEncoding
from training.recipe.datasets.load import load

COUNT = 40
OWN = np.random.default_rng(0)
CLOSE = [at * 10**9 + near for at in range(COUNT // 2) for near in (0, 1)]
"""Far from one another, so that rounding changes little of what they vary by, and many equal in FP32."""
HUGE = [str(10**19 + at * 10**18) for at in range(COUNT)]


def loaded(folder: Path, form: str, column: Any, **settings: Any) -> Dataset:
    table = pa.table({"k": column, "z": OWN.normal(size=COUNT), "y": OWN.normal(size=COUNT)})
    if form == "csv":
        lines = [",".join(map(str, row.values())) for row in table.to_pylist()]
        (folder / "a.csv").write_text("\n".join(["k,z,y", *lines]))
    else:
        pa.parquet.write_table(table, folder / "a.parquet")
    data = {"target": "y", **settings.pop("data", {})}
    job, problems = Job.validate({"dataset": f"a.{form}", "data": data, **settings}, folder)
    assert job is not None, problems
    return load(job, folder, bytes(32))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_whole_numbers_that_fp32_makes_equal_are_a_finding_or_names(tmp_path: Path, form: str) -> None:
    with pytest.raises(DataError, match=r"precision: 'k' has 40 different whole numbers, .* FP32 has only 25 values"):
        loaded(tmp_path, form, CLOSE)

    assert loaded(tmp_path, form, CLOSE, data={"categorical": ["k"]}).columns[0].datatype == "INT64"
    assert loaded(tmp_path, form, CLOSE, quality={"allow": ["precision"]}).feature_names == ("k", "z")
    assert loaded(tmp_path, form, [float(one) for one in CLOSE]).feature_names == ("k", "z")
    assert loaded(tmp_path, form, [at * 2**24 for at in range(COUNT)]).feature_names == ("k", "z")


@pytest.mark.parametrize(
    "column",
    [pa.array(CLOSE, pa.uint64()), pa.array(CLOSE).cast(pa.decimal128(20, 0)), pa.array(list(map(str, CLOSE))),
     pa.array(CLOSE).dictionary_encode()],
    ids=["uint64", "decimal", "text", "dictionary"],
)  # fmt: skip
def test_they_are_found_in_every_type_that_holds_them(tmp_path: Path, column: pa.Array) -> None:
    with pytest.raises(DataError, match=r"'k' has 40 different whole numbers, .* FP32 has only 25 values"):
        loaded(tmp_path, "parquet", column)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_target_of_them_is_refused(tmp_path: Path, form: str) -> None:
    with pytest.raises(DataError, match=r"the target 'k' has 40 different whole numbers"):
        loaded(tmp_path, form, CLOSE, data={"target": "k"})

    with pytest.raises(DataError, match="imbalance"):  # and classes are exact
        loaded(
            tmp_path, form, CLOSE, data={"target": "k", "task": "classification"}, quality={"minimumClassShare": 0.5}
        )


def test_whole_numbers_beyond_int64_in_a_csv_file_are_refused_or_names(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"40 whole numbers of 19 digits or more in the column 'k', .* row 1 below"
    ) as no:
        loaded(tmp_path, "csv", HUGE)

    assert HUGE[0] not in str(no.value)
    assert loaded(tmp_path, "csv", HUGE, data={"categorical": ["k"]}).feature_names[0] == f"k={HUGE[0]}"
    assert loaded(tmp_path, "csv", [f"{at}.5e20" for at in range(COUNT)]).feature_names == ("k", "z")


def test_uint64_beyond_int64_is_no_category(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'k' has whole numbers beyond 2\^63 - 1"):
        loaded(tmp_path, "parquet", pa.array([2**63 + at for at in range(COUNT)], pa.uint64()),
               data={"categorical": ["k"]})  # fmt: skip


def test_ids_are_exact_and_what_is_none_is_said_by_its_row(tmp_path: Path) -> None:
    def ids(column: Any) -> torch.Tensor:
        table = pa.table({"user": column, "item": [at * 7 % COUNT for at in range(COUNT)], "y": OWN.normal(size=COUNT)})
        pa.parquet.write_table(table, tmp_path / "ids.parquet")
        job, problems = Job.validate({"dataset": "ids.parquet", "model": "recommender", "data": {"target": "y"},
                                      "quality": {"maximumMissing": 1, "allow": ["precision"]}}, tmp_path)  # fmt: skip
        assert job is not None, problems
        rows = load(job, tmp_path, bytes(32)).rows
        assert isinstance(rows, TensorRows)
        return rows.features

    own = [2**24 + 1 + at for at in range(COUNT)]
    assert ids(own)[:, 0].tolist() == own
    assert ids([float(at) for at in range(COUNT)])[:, 0].tolist() == list(range(COUNT))
    wrong = [pa.array([*range(COUNT - 1), None]), [*range(COUNT - 1), 0.5], [*map(float, range(COUNT - 1)), 2.0**60]]
    for column in wrong:
        with pytest.raises(DataError, match=r"'user' has no valid id in 1 row, first in row 40"):
            ids(column)
    with pytest.raises(DataError, match=r"'user' has whole numbers beyond 2\^63 - 1"):
        ids(pa.array([*range(COUNT - 1), 2**63], pa.uint64()))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.array([[[1, 2]], [[3, 2**63]]], np.uint64), r"1 value beyond 2\^63 - 1, .* row 2"),
        (np.array([[1, 2], [2**64 - 1, 4]], np.uint64), r"1 value beyond 2\^63 - 1, .* row 2"),
        (np.array([[[1.0]], [[1e39]]]), r"1 value beyond 3\.4e38, .* row 2"),
        (np.zeros((2, 2), np.longdouble), "at most 64 bits"),
    ],
    ids=["images", "ids", "beyond FP32", "128 bits"],
)
def test_arrays_that_their_type_in_a_model_cannot_hold_are_refused(features: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_arrays("f", {"features": features, "target": np.arange(2)})

    exact = np.array([[1, 2], [2**63 - 1, 4]], np.uint64)
    assert check_arrays("f", {"features": exact, "target": np.arange(2)}).features.tolist() == exact.tolist()


@pytest.mark.parametrize("largest", [5, 2**63 - 1])
def test_a_value_that_is_no_category_fits_into_int64(largest: int) -> None:
    names = ColumnEncoding("k", pa.array([1, 2, largest])).names.tolist()

    assert len(set(names)) == 4
