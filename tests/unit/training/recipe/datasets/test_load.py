"""From files, URLs and functions to rows; and every way in which these can be wrong, said with the way out."""

import contextlib
import datetime
import gzip
import io
import textwrap
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_linnerud, load_wine

from training.errors import DataError, TrainingError
from training.job import Job
from training.options import Data
from training.recipe.datasets.arrays import read_npz
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.datasets.load import load as load_with_key

KEY = bytes(32)
CSV = "age,city,income\n" + "".join(
    f"{20 + at % 50},{'ABC'[at % 3]},{1000.5 + 3 * (at * 7 % 40)}\n" for at in range(60)
)


def load(folder: Path, **properties: object) -> Dataset:
    """Through the same validation as a user's inputs."""
    job, problems = Job.validate(properties, folder)
    assert job is not None, problems
    return load_with_key(job, folder, KEY)


def refused(folder: Path, **properties: object) -> str:
    with pytest.raises(TrainingError) as error:
        load(folder, **properties)
    assert error.value.hint != ""
    return str(error.value)


def tensors(dataset: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    assert isinstance(dataset.rows, TensorRows)
    return dataset.rows.features, dataset.rows.target


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text(CSV)
    return tmp_path


def people(folder: Path, **data: object) -> Dataset:
    return load(folder, dataset="people.csv", data={"target": "income", **data})


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("diabetes", load_diabetes(scaled=False)), ("digits", load_digits()), ("iris", load_iris()), ("wine", load_wine()),
     ("breast_cancer", load_breast_cancer())],
)  # fmt: skip
def test_built_in_sets_are_what_scikit_learn_loads(tmp_path: Path, name: str, theirs: Any) -> None:
    data = load(tmp_path, dataset=name)

    features, target = tensors(data)
    assert np.array_equal(features.numpy(), theirs.data.astype(np.float32))
    if data.classes:
        said = [data.classes[at] for at in target.tolist()]
        assert said == [str(theirs.target_names[at]) for at in theirs.target]
    else:
        assert np.array_equal(target.flatten().numpy(), theirs.target.astype(np.float32))


@pytest.mark.parametrize(("target", "column"), [(None, 0), ("Weight", 0), ("Waist", 1), ("Pulse", 2)])
def test_a_built_in_set_of_several_targets_gives_the_one_that_is_named(
    tmp_path: Path, target: str | None, column: int
) -> None:
    theirs: Any = load_linnerud()

    data = load(tmp_path, dataset="linnerud", data={"task": "regression"} | ({"target": target} if target else {}))

    features, ours = tensors(data)
    assert data.feature_names == tuple(theirs.feature_names)
    assert np.array_equal(features.numpy(), theirs.data.astype(np.float32))
    assert np.array_equal(ours.flatten().numpy(), theirs.target[:, column].astype(np.float32))


def test_whole_numbers_of_a_built_in_regression_are_no_classes(tmp_path: Path) -> None:
    assert load(tmp_path, dataset="linnerud").task == "regression"
    assert load(tmp_path, dataset="linnerud", data={"task": "classification"}).task == "classification"


@pytest.mark.parametrize(("name", "allowed"), [("linnerud", "Weight, Waist, Pulse"), ("iris", "target")])
def test_a_target_that_a_built_in_set_has_not_is_refused(tmp_path: Path, name: str, allowed: str) -> None:
    _, problems = Job.validate({"dataset": name, "data": {"target": "Chins"}}, tmp_path)

    assert [str(one) for one in problems] == [f"data has the target 'Chins'; allowed: {allowed}"]


def test_a_csv_file_is_numbers_and_categories(folder: Path) -> None:
    data = people(folder)

    features, target = tensors(data)
    assert data.feature_names == ("age", "city=A", "city=B", "city=C")
    assert data.task == "regression"
    assert features[:2].tolist() == [[20, 1, 0, 0], [21, 0, 1, 0]]
    assert target[:2].tolist() == [[1000.5], [1021.5]]


@pytest.mark.parametrize(
    ("name", "content"),
    [("p.csv", CSV.replace(",", ";").encode()), ("p.tsv", CSV.replace(",", "\t").encode()),
     ("p.csv.gz", gzip.compress(CSV.encode())), ("p.csv", b"\xef\xbb\xbf" + CSV.encode()),
     ("p.csv", CSV.replace("\n", "\r\n").encode())],
    ids=["semicolons", "tabs", "gzip", "byte order mark", "carriage returns"],
)  # fmt: skip
def test_other_forms_of_the_same_csv_are_the_same_rows(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)

    other = load(folder, dataset=name, data={"target": "income"})

    assert all(map(torch.equal, tensors(other), tensors(people(folder))))
    assert other.feature_names == people(folder).feature_names


def test_a_url_is_read_through_fsspec(folder: Path) -> None:
    with fsspec.open("memory://sets/people.csv", "wb") as stream:
        stream.write(CSV.encode())

    data = load(folder, dataset="memory://sets/people.csv", data={"target": "income"})

    assert all(map(torch.equal, tensors(data), tensors(people(folder))))


def test_a_parquet_file_is_the_same_rows_as_csv(folder: Path) -> None:
    pa.parquet.write_table(pa.csv.read_csv(folder / "people.csv"), folder / "people.parquet")

    data = load(folder, dataset="people.parquet", data={"target": "income"})

    assert all(map(torch.equal, tensors(data), tensors(people(folder))))


def test_a_target_of_text_or_of_few_whole_numbers_is_classes(folder: Path) -> None:
    by_text = people(folder, target="city")
    (folder / "few.csv").write_text("x,y\n" + "".join(f"{at * 1.5},{at % 3}\n" for at in range(30)))
    by_number = load(folder, dataset="few.csv", data={"target": "y"})
    as_number = load(folder, dataset="few.csv", data={"target": "y", "task": "regression"})

    assert (by_text.task, by_text.classes) == ("classification", ("A", "B", "C"))
    assert (by_number.task, by_number.classes) == ("classification", ("0", "1", "2"))
    assert as_number.task == "regression"


def test_only_the_features_that_are_named_are_used_in_their_order(folder: Path) -> None:
    data = people(folder, features=["city", "age"])

    assert data.feature_names == ("city=A", "city=B", "city=C", "age")


def test_dates_are_days(folder: Path) -> None:
    days = [datetime.date(1970, 1, 1 + at) for at in range(10)]
    table = pa.table({"day": days, "y": [0.5 + at for at in (3, 1, 4, 1, 5, 9, 2, 6, 5, 3)]})
    pa.parquet.write_table(table, folder / "days.parquet")

    features, _ = tensors(load(folder, dataset="days.parquet", data={"target": "y"}))

    assert features.flatten().tolist() == list(range(10))


def test_a_text_column_becomes_word_ids(folder: Path) -> None:
    lines = [("good film", "yes"), ("bad film", "no"), ("good, GOOD!", "yes"), ("so bad", "no")] * 5
    (folder / "reviews.csv").write_text("text,liked\n" + "".join(f'"{text}",{liked}\n' for text, liked in lines))

    data = load(folder, dataset="reviews.csv", data={"target": "liked", "text": "text"}, model="textClassifier")

    features, _ = tensors(data)
    assert features.dtype == torch.int64
    words = [[data.words[at] for at in row] for row in features[:3].tolist()]
    assert words == [["good", "film"], ["bad", "film"], ["good", "good"]]


def test_an_npz_file_of_images(folder: Path) -> None:
    images = np.random.default_rng(0).random((12, 1, 4, 4), dtype=np.float32)
    np.savez(folder / "images.npz", x=images, y=np.arange(12) % 2)

    data = load(folder, dataset="images.npz")

    assert data.shape == (1, 4, 4)
    assert np.array_equal(tensors(data)[0].numpy(), images)
    assert data.classes == ("0", "1")


OWN = """
import numpy as np

def pair(rows=10):
    return np.arange(rows * 2.0).reshape(rows, 2) ** 1.5, np.arange(rows) % 2

def named():
    features, target = pair(20)
    return {"features": features, "target": target, "feature_names": ["a", "b"], "classes": ["no", "yes"]}

def raises():
    raise KeyError("no such table")

def text():
    return "rows"

def short():
    return np.zeros((5, 2)), np.zeros(4)

def many():
    print("x" * 10)
    return {"features": np.zeros((5, 2)), "target": np.zeros(5), "labels": []}
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    name = f"data_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(OWN))
    return name


def test_a_function_gets_its_arguments_and_may_name_what_it_returns(tmp_path: Path, own: str) -> None:
    plain = load(tmp_path, dataset=f"{own}:pair", data={"arguments": {"rows": 14}})
    named = load(tmp_path, dataset=f"{own}:named")

    assert (len(plain.rows), plain.feature_names, plain.classes) == (14, ("x0", "x1"), ("0", "1"))
    assert (len(named.rows), named.feature_names, named.classes) == (20, ("a", "b"), ("no", "yes"))


@pytest.mark.parametrize(
    ("name", "words"),
    [("raises", ["KeyError (data", "its text may contain values"]), ("text", ["returned str", "features, target"]),
     ("short", ["(5, 2)", "(4,)"]), ("many", ["'labels'", "feature_names"])],
)  # fmt: skip
def test_a_function_that_fails_or_returns_something_else(tmp_path: Path, own: str, name: str, words: list[str]) -> None:
    said = refused(tmp_path, dataset=f"{own}:{name}")

    for word in words:
        assert word in said
    assert "Traceback" not in said


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode() + b"\n"


BAD: Mapping[str, tuple[str, bytes, dict[str, object], list[str]]] = {
    "the wrong delimiter": ("a.csv", CSV.encode(), {"target": "income", "delimiter": ";"},
                            ["only one column", "data.delimiter", "has most of ','"]),
    "no target column": ("a.csv", CSV.encode(), {"target": "salary"}, ["'salary'", "age, city, income"]),
    "no feature column": ("a.csv", CSV.encode(), {"target": "income", "features": ["agee"]},
                          ["data.features", "'agee'"]),
    "the target among the features": ("a.csv", CSV.encode(), {"target": "age", "features": ["age"]}, ["is the target"]),
    "mixed types": ("a.csv", csv("x,y", *(f"{at},{at * 7 % 11}.5" for at in range(20)), "ten,3.5"), {"target": "y"},
                    ["'x' mixes types", "its 21 different values are 20 numbers and 1 text"]),
    "a target with NaN": ("a.csv", csv("x,y", *(f"{at},{at * 7 % 11}.5" for at in range(20)), "4,NaN", "5,"),
                          {"target": "y"}, ["the target 'y'", "2 of 22 rows"]),
    "one class only": ("a.csv", csv("x,y", *(f"{at},yes" for at in range(20))), {"target": "y"},
                       ["'y' has only one class"]),
    "no rows": ("a.csv", csv("x,y"), {"target": "y"}, ["0 rows", "at least 4"]),
    "one row": ("a.csv", csv("x,y", "1,2"), {"target": "y"}, ["1 row;", "at least 4"]),
    "an empty file": ("a.csv", b"", {"target": "y"}, ["a.csv", "empty"]),
    "a line that is too long": ("a.csv", csv("x,y", "1,2", "1,2,3"), {"target": "y"}, ["line 3", "3 fields", "2"]),
    "the same column twice": ("a.csv", csv("x,x,y", "1,2,3"), {"target": "y"}, ["two columns named 'x'"]),
    "not UTF-8": ("a.csv", b"x,y\n\xe9t\xe9,2\n" * 5, {"target": "y"}, ["UTF-8"]),
    "half a gzip file": (
        "a.csv.gz", gzip.compress(CSV.encode())[:50], {"target": "income"}, ["not a complete gzip file"],
    ),
    "not Parquet": ("a.parquet", b"PAR1 or so", {"target": "y"}, ["not a complete Parquet file"]),
    "not NPZ": ("a.npz", b"nothing", {}, ["cannot be read as NPZ", "numpy.savez"]),
    "UTF-16": ("a.csv", CSV.encode("utf-16"), {"target": "income"}, ["is not UTF-8", "as UTF-8"]),
    "a column without a name": ("a.csv", csv(",x,y", *(f"{at},{at * 3 % 7},{at * 7 % 11}.5" for at in range(20))),
                                {"target": "y"}, ["column 1 of a.csv has no name", "index=False"]),
    "a name with spaces": ("a.csv", csv("x, z, y", *(f"{at}, {at}, {at}.5" for at in range(20))), {"target": "y"},
                           ["x, ' z', ' y'"]),
    "commas of two meanings": ("a.csv", csv("x;y", *(f"{at},250;{at}" for at in range(1, 99))), {"target": "y"},
                       ["'x' holds numbers, written like '9,999'", "-1234.5"]),
    "a time of day": ("a.csv", csv("x,y", *(f"{at % 24:02}:00:00,{at}.5" for at in range(99))), {"target": "y"},
                      ["the column 'x' holds time32[s], which cannot be a feature", "data.exclude"]),
    "a time of day as the target": ("a.csv", csv("x,y", *(f"{at}.5,{at % 24:02}:00:00" for at in range(99))),
                                    {"target": "y"}, ["the target 'y' holds time32[s]"]),
    "texts among the target's numbers": ("a.csv", csv("x,y", *(f"{at},{at * 7 % 23}.5" for at in range(99)), "1,ten"),
                                         {"target": "y"}, ["'y' mixes types", "24 different values", "1 text"]),
    "a text of many values": ("a.csv", csv("x,y", *(f"name{at},{at}.5" for at in range(99))), {"target": "y"},
                              ["99 different texts", "data.text"]),
}  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [pa.array([b"a", b"b"] * 20), pa.array([[1], [2]] * 20), pa.array([{"a": 1}, {"a": 2}] * 20),
     pa.array([datetime.timedelta(1), datetime.timedelta(2)] * 20)],
    ids=["bytes", "lists", "objects", "durations"],
)  # fmt: skip
@pytest.mark.parametrize("column", ["x", "y"])
def test_what_is_neither_number_nor_text_nor_time_is_refused(tmp_path: Path, values: pa.Array, column: str) -> None:
    columns = {"x": pa.array(range(40)), "z": pa.array(range(40)), "y": pa.array([0.5, 1.5] * 20)} | {column: values}
    pa.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")

    said = refused(tmp_path, dataset="a.parquet", data={"target": "y"})

    assert f"{column!r} holds {str(values.type).partition('<')[0]}" in said


def test_few_classes_that_are_numbers_and_words_are_classes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv("x,y", *(f"{at},{['1', '2', '3', 'none yet'][at % 4]}" for at in range(40))))

    assert load(tmp_path, dataset="a.csv", data={"target": "y"}).classes == ("1", "2", "3", "none yet")


def test_numbers_in_texts_may_have_spaces_and_a_plus(tmp_path: Path) -> None:
    texts = ["+1", " 2.5 ", "-3e2", ".5"]
    pa.parquet.write_table(pa.table({"x": texts, "y": [0.5, 1.5, 4, 3]}), tmp_path / "a.parquet")

    assert tensors(load(tmp_path, dataset="a.parquet", data={"target": "y"}))[0].flatten().tolist() == [
        1,
        2.5,
        -300,
        0.5,
    ]


def test_a_column_without_a_name_may_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv(",x,y", *(f"{at},{at * 3 % 7},{at * 7 % 11}.5" for at in range(20))))

    assert load(tmp_path, dataset="a.csv", data={"target": "y", "features": ["x"]}).feature_names == ("x",)


def test_an_index_that_pandas_wrote_is_no_feature(tmp_path: Path) -> None:
    table = {"x": [1.0, 3, 2, 5], "y": [0.5, 1.5, 4, 3], "__index_level_0__": [7, 2, 9, 4]}
    pa.parquet.write_table(pa.table(table), tmp_path / "a.parquet")

    assert load(tmp_path, dataset="a.parquet", data={"target": "y"}).feature_names == ("x",)
    named = load(tmp_path, dataset="a.parquet", data={"target": "y", "features": ["x", "__index_level_0__"]})
    assert named.feature_names == ("x", "__index_level_0__")


def test_leading_zeros_of_a_categorical_column_stay(tmp_path: Path) -> None:
    lines = (f"{at * 7 % 11},{['01067', '1067', '80331'][at % 3]},{at % 4},{at}.5" for at in range(30))
    (tmp_path / "a.csv").write_bytes(csv("x,postal code,floor,y", *lines))

    data = load(tmp_path, dataset="a.csv", data={"target": "y", "categorical": ["postal code", "floor"]})

    assert [one.datatype for one in data.columns] == ["FP32", "BYTES", "INT64"]
    assert data.feature_names[1:4] == ("postal code=01067", "postal code=1067", "postal code=80331")


def test_bytes_of_an_npz_file_s_images_are_numbers_and_a_row_of_whole_numbers_is_ids(tmp_path: Path) -> None:
    own = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=own.integers(0, 256, (12, 1, 4, 4), np.uint8), y=np.arange(12) % 2)
    np.savez(tmp_path / "b.npz", x=own.integers(0, 256, (12, 4)), y=np.arange(12) % 2)

    assert tensors(load(tmp_path, dataset="a.npz"))[0].dtype == torch.float32
    assert tensors(load(tmp_path, dataset="b.npz"))[0].dtype == torch.int64


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_said_with_the_way_out(tmp_path: Path, case: str) -> None:
    name, content, data, words = BAD[case]
    (tmp_path / name).write_bytes(content)

    said = refused(tmp_path, dataset=name, data=data)

    for word in words:
        assert word in said


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return print, ("unpickled",)

    np.savez(tmp_path / "a.npz", x=np.array([[Bomb()]], dtype=object), y=np.zeros(1))

    assert "allow_pickle" in refused(tmp_path, dataset="a.npz")


@pytest.mark.parametrize("shape", [(2**40, 8), (2**62, 2**62), (41, 2), (39, 2), (-40, -2)])
def test_an_array_whose_header_lies_is_refused_before_anything_is_allocated(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    target, features = io.BytesIO(), io.BytesIO()
    np.save(target, np.arange(40) % 2)
    np.lib.format.write_array_header_1_0(features, {"descr": "<f8", "fortran_order": False, "shape": shape})
    features.write(bytes(40 * 2 * 8))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", features.getvalue())
        archive.writestr("y.npy", target.getvalue())

    assert "bytes that its header says" in refused(tmp_path, dataset="a.npz")


def test_a_damaged_npz_file_is_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, x=np.random.default_rng(0).normal(size=(40, 2)), y=np.arange(40) % 2)
    own = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(file.getvalue())
        for at in own.integers(0, len(damaged), 3):
            damaged[at] = own.integers(0, 256)
        with contextlib.suppress(DataError):
            read_npz("a.npz", bytes(damaged), Data())


def test_an_npz_file_that_unpacks_to_more_than_memory_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    np.savez_compressed(packed, x=np.zeros((10_000, 100)), y=np.zeros(10_000))
    (tmp_path / "a.npz").write_bytes(packed.getvalue())
    assert len(packed.getvalue()) < 50_000

    assert "data.memoryBytes" in refused(tmp_path, dataset="a.npz", data={"memoryBytes": 1_000_000})


def test_a_csv_file_of_ten_gigabytes_is_refused_at_preview_with_what_to_do(tmp_path: Path) -> None:
    with (tmp_path / "big.csv").open("wb") as stream:
        stream.truncate(10 * 2**30)

    _, problems = Job.validate({"dataset": "big.csv", "data": {"target": "y"}}, tmp_path)

    assert [problem.property for problem in problems] == ["dataset"]
    assert "10,737,418,240 bytes" in problems[0].message
    assert "Parquet" in problems[0].message


def test_masked_columns_are_gone_before_anything_is_learnt(folder: Path) -> None:
    data = load(
        folder,
        dataset="people.csv",
        data={"target": "income"},
        masking={"city": {"method": "drop"}, "age": {"method": "generalise", "step": 10}},
    )

    assert data.feature_names == ("age",)
    assert set(tensors(data)[0].flatten().tolist()) == {20, 30, 40, 50, 60}
    assert data.masked.keys() == {"city", "age"}


def test_findings_that_are_allowed_are_told_and_the_others_stop(tmp_path: Path) -> None:
    lines = [f"{at},{at},{at * 13 % 17 + 0.5}" for at in range(30)]
    (tmp_path / "a.csv").write_bytes(csv("x,same,y", *lines, lines[0]))
    asked: dict[str, object] = {"dataset": "a.csv", "data": {"target": "y"}}

    said = refused(tmp_path, **asked)
    data = load(tmp_path, **asked, quality={"allow": ["duplicateColumns", "duplicateRows"]})

    assert "duplicateColumns: 'x', 'same' hold the same values" in said
    assert "duplicateRows" not in said.partition("to train anyway")[0]
    assert [one.kind for one in data.findings] == ["duplicateColumns", "duplicateRows"]


def test_a_missing_library_s_error_is_one_for_people(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        load(tmp_path, dataset="nowhere://bucket/a.csv", data={"target": "y"})


@pytest.mark.parametrize("dataset", ["people.csv", "people.parquet"])
def test_a_table_that_is_not_as_its_schema_says_is_refused_with_every_column_that_differs(
    folder: Path, dataset: str
) -> None:
    pa.parquet.write_table(pa.csv.read_csv(folder / "people.csv"), folder / "people.parquet")
    data = {"target": "income", "features": ["age"]}
    schema = {"age": "whole", "city": "text", "income": "number"}
    load(folder, dataset=dataset, data=data, quality={"schema": schema})

    message = refused(
        folder, dataset=dataset, data=data,
        quality={"schema": {"age": "number", "city": "boolean", "income": "whole"}},
    )  # fmt: skip

    assert "'city' holds texts, not booleans; 'income' holds numbers with fractions, not whole numbers" in message
    assert "'age'" not in message.partition("its columns")[0]


def test_a_schema_of_a_type_that_there_is_not_is_told_before_anything_runs(folder: Path) -> None:
    _, problems = Job.validate({"dataset": "iris", "quality": {"schema": {"age": "int"}}}, folder)

    assert (
        "quality.schema is {'age': 'int'}; allowed: an object of types by column, each type one of number, whole"
        in str(problems[0])
    )


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_boolean_columns_are_one_number_each_and_a_boolean_target_is_two_classes(tmp_path: Path, form: str) -> None:
    flags = [at % 3 == 0 for at in range(30)]
    table = pa.table(
        {"flag": flags, "x": [float(at * 7 % 11) for at in range(30)], "y": [at % 2 == 0 for at in range(30)]}
    )
    write = pyarrow.csv.write_csv if form == "csv" else pyarrow.parquet.write_table
    write(table, tmp_path / f"a.{form}")

    dataset = load(tmp_path, dataset=f"a.{form}", data={"target": "y"})

    features, target = dataset.rows.first(30)
    assert dataset.feature_names == ("flag", "x")
    assert features[:, 0].tolist() == [float(one) for one in flags]
    assert dataset.classes == ("false", "true")
    assert target.tolist() == [int(at % 2 == 0) for at in range(30)]
