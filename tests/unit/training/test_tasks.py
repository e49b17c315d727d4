"""What the settings alone tell of a run's task, and what does not fit it: without torch and without data."""

from typing import Any

import pytest

from training.job import Job
from training.options import METRICS
from training.tasks import LOSSES_OF, METRICS_OF, find_known_task

SEARCHED = {"parameters": {"learningRate": {"low": 0.1, "high": 0.5}}}


def test_each_metric_is_some_task_s() -> None:
    assert {name for names in METRICS_OF.values() for name in names} == METRICS.keys()


@pytest.mark.parametrize(
    ("settings", "task"),
    [
        ({"dataset": "diabetes"}, "regression"),
        ({"dataset": "linnerud"}, "regression"),
        ({"dataset": "iris"}, "classification"),
        ({"dataset": "diabetes", "data": {"task": "classification"}}, "classification"),
        ({"dataset": "a.csv", "data": {"target": "y", "task": "regression"}}, "regression"),
        ({"dataset": "a.csv", "data": {"target": "y"}, "loss": "bce"}, "classification"),
        ({"dataset": "a.csv", "data": {"target": "y"}, "loss": "huber"}, "regression"),
        ({"dataset": "a.csv", "data": {"target": "y"}}, None),
        ({"dataset": "rows:make"}, None),
    ],
)
def test_the_settings_tell_the_task_or_leave_it_to_the_data(settings: dict[str, Any], task: str | None) -> None:
    job, problems = Job.validate(settings)
    assert job is not None, problems

    known = find_known_task(job)

    assert (known.name if known else None) == task


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"gates": {"metrics": {"r2": {"minimum": 0.5}}}}, "gates.metrics"),
        ({"gates": {"noWorseThanDeployed": "mae"}}, "gates.noWorseThanDeployed"),
        ({"earlyStopping": {"metric": "mse"}}, "earlyStopping.metric"),
        ({"search": {"metric": "mae", **SEARCHED}}, "search.metric"),
        ({"compress": {"metric": "mae"}}, "compress.metric"),
        ({"loss": "mse"}, "loss"),
    ],
)
def test_a_name_of_another_task_is_refused_with_those_that_fit(settings: dict[str, Any], path: str) -> None:
    _, problems = Job.validate({"dataset": "iris", **settings})

    assert [one.property for one in problems] == [path]
    fitting = LOSSES_OF if path == "loss" else METRICS_OF
    assert f"but iris is a classification; allowed: {', '.join(fitting['classification'])}" in problems[0].message


def test_weights_of_classes_are_refused_for_a_regression() -> None:
    _, problems = Job.validate({"dataset": "diabetes", "classWeights": {"a": 2.0}})

    assert [str(one.property) for one in problems] == ["classWeights"]
    assert "is for classes, but diabetes is a regression; leave it out; or set data.task" in problems[0].message


def test_a_task_that_was_said_is_no_way_out() -> None:
    data = {"target": "y", "task": "regression"}
    _, problems = Job.validate({"dataset": "a.csv", "data": data, "loss": "bce"})

    assert [one.property for one in problems] == ["loss"]
    assert problems[0].message == "is 'bce', but data.task is 'regression'; allowed: mse, mae, huber"


def test_what_fits_is_taken() -> None:
    asked: dict[str, Any] = {"metrics": {"r2": {"minimum": 0.5}}, "noWorseThanDeployed": "loss"}
    _, problems = Job.validate({"dataset": "diabetes", "gates": asked, "compress": {"metric": "mae"}, "loss": "huber"})

    assert problems == []


def test_a_clash_is_none_while_the_data_set_is_not_known_yet() -> None:
    _, problems = Job.validate({"gates": {"metrics": {"accuracy": {"minimum": 0.5}}}}, unknown=["dataset"])

    assert problems == []
