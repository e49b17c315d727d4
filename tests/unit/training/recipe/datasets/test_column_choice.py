"""Which columns a job uses, and that each name which is none is told with the setting that has it."""

from typing import Any

import pytest

from training.errors import DataError
from training.job import Job
from training.recipe.datasets.column_choice import ColumnsMissing, choose

NAMES = ["age", "plan", "city", "day", "churned"]


def job(data: dict[str, Any], **settings: Any) -> Job:
    made, problems = Job.validate({"dataset": "churn.csv", "data": {"target": "churned", **data}, **settings})
    assert made is not None, problems
    return made


def test_all_columns_but_the_target_are_features_and_one_that_splits_is_none() -> None:
    choice = choose(job({"timeColumn": "day", "exclude": ["city"]}), NAMES)

    assert choice.names == ["age", "plan", "churned"]
    assert choice.splitting == "day"


def test_a_masked_column_that_nothing_else_names_is_read_and_no_feature() -> None:
    choice = choose(job({}, masking={"city": {"method": "drop"}}), NAMES)

    assert "city" not in choice.names
    assert choice.read == ["age", "plan", "day", "churned", "city"]


def test_every_setting_that_names_a_column_which_is_not_there_is_told_at_once() -> None:
    data = {"target": "churnd", "features": ["aeg"], "exclude": ["citty"], "categorical": ["paln"], "timeColumn": "dya"}
    quality = {"schema": {"plann": "text"}, "ranges": {"agee": [0, 9]}}

    with pytest.raises(ColumnsMissing) as raised:
        choose(job(data, masking={"sity": {"method": "drop"}}, quality=quality), NAMES)

    told = {problem.property: problem.message for problem in raised.value.problems}
    assert told == {
        "data.target": "names the column 'churnd', which churn.csv does not contain; did you mean 'churned'?",
        "data.features": "names the column 'aeg', which churn.csv does not contain; did you mean 'age'?",
        "data.exclude": "names the column 'citty', which churn.csv does not contain; did you mean 'city'?",
        "data.categorical": "names 'paln', which is not a feature",
        "data.timeColumn": "names the column 'dya', which churn.csv does not contain; did you mean 'day'?",
        "masking": "names the column 'sity', which churn.csv does not contain; did you mean 'city'?",
        "quality.schema": "names the column 'plann', which churn.csv does not contain; did you mean 'plan'?",
        "quality.ranges": "names the column 'agee', which churn.csv does not contain; did you mean 'age'?",
    }
    assert "its columns: age, plan, city, day, churned" in raised.value.hint


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"text": "plann"}, "data.text"),
        ({"split": {"column": "plann", "heldOut": ["a"]}}, "data.split.column"),
    ],
)
def test_a_text_and_a_column_that_splits_are_named_too(data: dict[str, Any], named: str) -> None:
    with pytest.raises(ColumnsMissing, match="did you mean 'plan'") as raised:
        choose(job(data), NAMES)

    assert [problem.property for problem in raised.value.problems] == [named]


def test_a_range_of_a_column_that_is_there_and_not_used_is_told_so() -> None:
    with pytest.raises(ColumnsMissing, match="'city', which is neither a feature nor the target"):
        choose(job({"exclude": ["city"]}, quality={"ranges": {"city": [0, 1]}}), NAMES)


def test_a_column_without_a_name_is_no_feature() -> None:
    with pytest.raises(DataError, match=r"column 1 of churn\.csv has no name"):
        choose(job({}), ["", "age", "churned"])


def test_a_column_may_be_dropped_twice_and_one_that_is_dropped_is_no_feature() -> None:
    masking = {"city": {"method": "drop"}}

    assert "city" not in choose(job({"exclude": ["city"]}, masking=masking), NAMES).names
    with pytest.raises(ColumnsMissing, match=r"data\.features names the column 'city', which masking drops"):
        choose(job({"features": ["city", "age"]}, masking=masking), NAMES)
