"""A report is its JSON, and its JSON is the report."""

import dataclasses
import json
import math

import pytest

from tests.unit.training.report import samples
from training.report import Curves, Report, ReportError, from_json, to_json


@pytest.mark.parametrize("report", [samples.SMALL, samples.complete(), samples.complete("<&>\u2028\ud800")])
def test_a_report_comes_back_equal_through_json_text(report: Report) -> None:
    assert from_json(json.loads(json.dumps(to_json(report), allow_nan=False))) == report


def test_parts_that_are_none_are_not_in_the_json() -> None:
    assert to_json(samples.SMALL).keys() == {
        "version", "title", "model", "dataset", "task", "classes", "featureNames", "omitted",
    }  # fmt: skip


def test_every_part_of_the_sample_is_there_so_that_the_round_trip_covers_it() -> None:
    report = samples.complete()

    assert [field.name for field in dataclasses.fields(report) if getattr(report, field.name) is None] == []


def test_losses_that_json_has_no_number_for_survive() -> None:
    report = dataclasses.replace(samples.SMALL, curves=Curves((1, 2, 3), (math.inf, -math.inf, 0.5), (None, None, 1.0)))

    assert from_json(json.loads(json.dumps(to_json(report), allow_nan=False))) == report
    not_a_number = dataclasses.replace(samples.SMALL, metrics={"r2": math.nan})
    metrics = from_json(to_json(not_a_number)).metrics
    assert metrics is not None
    assert math.isnan(metrics["r2"])


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"version": 2}, "version is not 1"),
        ({"title": 3}, "report.title"),
        ({"task": "guessing"}, "report.task"),
        ({"surprise": 1}, "report"),
        ({"metrics": {"accuracy": "high"}}, "report.metrics.accuracy"),
        ({"metrics": {"accuracy": True}}, "report.metrics.accuracy"),
        ({"metrics": {"accuracy": 10**400}}, "report.metrics.accuracy"),
        ({"classes": ["a", None]}, "report.classes[1]"),
        ({"curves": {"epochs": [1, 2], "trainingLoss": [1.0]}}, "report.curves"),
        ({"curves": {"epochs": [1]}}, "report.curves"),
        ({"confusion": {"size": 2, "cells": [[0, 1]]}}, "report.confusion.cells[0]"),
        ({"confusion": {"size": 2, "cells": [[0, 2, 5]]}}, "report.confusion"),
        ({"search": {"metric": "loss", "direction": "minimize", "trials": [], "best": 0}}, "report.search"),
        ({"gates": {}}, "report.gates"),
    ],
)
def test_what_is_not_a_report_is_refused_at_its_place(changes: dict[str, object], place: str) -> None:
    with pytest.raises(ReportError) as refused:
        from_json(to_json(samples.SMALL) | changes)

    assert place in refused.value.message
