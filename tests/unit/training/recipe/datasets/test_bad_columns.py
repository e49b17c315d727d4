"""One run reports everything that is wrong with a table's columns, each with a hint."""

from pathlib import Path
from typing import Any

import pytest

from training.errors import DataError, ModelError
from training.job import Job
from training.recipe.datasets.dataset import Dataset
from training.recipe.datasets.load import load

KEY = bytes(range(32))
ROWS = 120


def loaded(folder: Path, dataset: str = "people.csv", **more: Any) -> Dataset:
    job, problems = Job.validate({"dataset": dataset, **more}, folder)
    assert job is not None, problems
    return load(job, folder, KEY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two columns of too many texts, one mixed, one with a value missing, one to learn from."""
    lines = (
        f"n{at},m{at * 7},{at if at < 100 else 'old'},{'' if at == 5 else at * 3 % 17},{at * 7 % 11},{at}.5"
        for at in range(ROWS)
    )
    (tmp_path / "people.csv").write_text("name,mail,age,height,weight,income\n" + "\n".join(lines))
    return tmp_path


def test_every_column_that_cannot_be_used_is_told_at_once_with_its_way_out(folder: Path) -> None:
    with pytest.raises(DataError) as raised:
        loaded(folder, data={"target": "income"})

    lines = raised.value.message.splitlines()
    assert lines[0] == "3 columns cannot be used:"
    for line, name, way_out in zip(
        lines[1:4], ("name", "mail", "age"), ("data.exclude",) * 2 + ("correct",), strict=True
    ):
        assert f"'{name}'" in line
        assert way_out in line
    assert "missingValues: 'height' has no value in 1 row" in lines[5]
    assert "data.exclude leaves out columns" in lines[3]
    assert raised.value.hint.startswith("to train anyway, set quality.allow to ")


def test_columns_are_left_out_by_name(folder: Path) -> None:
    data = {"target": "income", "exclude": ["name", "mail", "age", "height"]}

    assert loaded(folder, data=data).feature_names == ("weight",)


def test_all_names_that_no_column_has_are_told_with_what_was_meant(folder: Path) -> None:
    data = {"target": "incom", "features": ["weigth", "height"], "exclude": ["emale"]}

    with pytest.raises(DataError) as raised:
        loaded(folder, data=data)
    for said in (
        "data.target names the column 'incom', which people.csv does not contain; did you mean 'income'?",
        "data.features names the column 'weigth', which people.csv does not contain; did you mean 'weight'?",
        "data.exclude names the column 'emale', which people.csv does not contain",
    ):
        assert said in raised.value.message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"target": "a", "exclude": ["a"]}, "has 'a', which is the target"),
        ({"target": "y", "features": ["a"], "exclude": ["a"]}, "has 'a', which is in features too"),
    ],
)
def test_a_column_is_not_left_out_and_used(data: dict[str, Any], said: str) -> None:
    _, problems = Job.validate({"dataset": "a.csv", "data": data})

    assert [(one.property, one.message) for one in problems] == [("data.exclude", said)]


@pytest.mark.parametrize("rows", [20, 120])
def test_hashes_that_are_all_different_are_refused_with_the_reason(tmp_path: Path, rows: int) -> None:
    (tmp_path / "a.csv").write_text("mail,x,y\n" + "\n".join(f"m{at},{at * 7 % 11},{at}.5" for at in range(rows)))
    settings: dict[str, Any] = {"dataset": "a.csv", "data": {"target": "y"}}

    with pytest.raises(DataError, match=r"masking\.mail\.method is 'hash', but all values are different") as raised:
        loaded(tmp_path, **settings, masking={"mail": {"method": "hash"}})
    assert "set masking.mail.method to drop" in raised.value.hint
    assert loaded(tmp_path, **settings, masking={"mail": {"method": "drop"}}).feature_names == ("x",)


def test_hashes_of_few_values_are_categories(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("town,y\n" + "\n".join(f"t{at % 3},{at}.5" for at in range(30)))

    names = loaded(tmp_path, dataset="a.csv", data={"target": "y"}, masking={"town": {"method": "hash"}}).feature_names
    assert len(names) == 3


@pytest.mark.parametrize("target", ["{}.5", "c{}"])
def test_rows_without_a_target_are_refused_or_left_out_and_counted(tmp_path: Path, target: str) -> None:
    lines = (f"{at * 7 % 11},{'' if at % 5 == 0 else target.format(at % 4)}" for at in range(60))
    (tmp_path / "a.csv").write_text("x,y\n" + "\n".join(lines))
    data = {"target": "y", "heldOut": 0.5}

    with pytest.raises(DataError, match="missing, NaN or infinite in 12 of 60 rows") as raised:
        loaded(tmp_path, dataset="a.csv", data=data)
    assert "data.dropMissingTarget to true" in raised.value.hint
    dataset = loaded(tmp_path, dataset="a.csv", data=data | {"dropMissingTarget": True})
    assert (len(dataset.rows), dataset.rows_left_out) == (48, 12)


def test_an_infinite_target_is_not_left_out(tmp_path: Path) -> None:
    lines = (f"{at * 7 % 11},{'inf' if at == 3 else at}" for at in range(60))
    (tmp_path / "a.csv").write_text("x,y\n" + "\n".join(lines))

    with pytest.raises(DataError, match="infinite in 1 of 60 rows"):
        loaded(tmp_path, dataset="a.csv", data={"target": "y", "dropMissingTarget": True})


def test_rows_left_out_have_no_part_of_a_split_by_a_column(tmp_path: Path) -> None:
    lines = (f"{at * 7 % 11},{at},{'' if at % 5 == 0 else at}.5" for at in range(60))
    (tmp_path / "a.csv").write_text("x,day,y\n" + "\n".join(lines).replace(",.5", ","))
    data = {"target": "y", "timeColumn": "day", "dropMissingTarget": True, "task": "regression"}

    dataset = loaded(tmp_path, dataset="a.csv", data=data)

    assert dataset.parts is not None
    assert len(dataset.parts) == len(dataset.rows) == 48


def test_a_data_set_that_is_misspelt_is_told_with_what_was_meant(folder: Path) -> None:
    _, problems = Job.validate({"dataset": "diabtes"})
    assert "did you mean 'diabetes'?" in problems[0].message

    _, problems = Job.validate({"dataset": "peple.csv", "data": {"target": "income"}}, folder)
    assert "did you mean 'people.csv'?" in problems[0].message


def test_an_argument_that_is_misspelt_is_told_with_what_was_meant(tmp_path: Path) -> None:
    (tmp_path / f"rows_{tmp_path.name}.py").write_text("def make(rows, noise=0.1): ...\n")
    arguments = {"rows": 3, "nois": 0.2}

    with pytest.raises(
        DataError, match=r"data.arguments has 'nois', which is not one of its arguments; did you mean 'noise'\?"
    ):
        loaded(tmp_path, dataset=f"rows_{tmp_path.name}:make", data={"arguments": arguments})


def test_an_argument_of_a_network_that_is_misspelt_is_told_with_what_was_meant() -> None:
    from training.recipe.models.build import build

    job = Job(dataset="iris", model="mlp", model_arguments={"hiden": [3]})

    with pytest.raises(
        ModelError, match=r"modelArguments has 'hiden', which is not one of its arguments; did you mean 'hidden'\?"
    ):
        build(job, load(job, Path(), KEY), Path())
