"""Whether what the settings name can be measured on the rows that there are."""

from pathlib import Path
from typing import Any

import pytest
import torch

from training.errors import ModelError
from training.job import Job
from training.recipe import measurable
from training.recipe.datasets.dataset import Rows, TensorRows
from training.recipe.datasets.load import load

GATED = {"gates": {"metrics": {"auroc": {"minimum": 0.5}}}}
STOPPED = {"earlyStopping": {"metric": "auroc"}}


def rows(*classes: int) -> TensorRows:
    target = torch.tensor(classes)
    return TensorRows(torch.zeros(len(target), 4), target)


def refusal(held_out: Rows, validation: Rows | None, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> str:
    """Of iris, which has three classes; rows are read two at a time."""
    monkeypatch.setattr(measurable, "ROWS_AT_ONCE", 2)
    job, problems = Job.validate({"dataset": "iris", **settings})
    assert job is not None, problems
    try:
        measurable.check(job, load(job, Path(), b""), held_out, validation)
    except ModelError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("settings", "share", "what"), [(GATED, "heldOut", "held-out"), (STOPPED, "validation", "validation")]
)
def test_auroc_is_refused_where_a_class_has_no_row_of_those_it_is_measured_on(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], share: str, what: str
) -> None:
    given = {"heldOut": rows(0, 1, 2, 0), "validation": rows(0, 1, 2, 0)} | {share: rows(0, 2, 0, 0, 2)}

    said = refusal(given["heldOut"], given["validation"], settings, monkeypatch)

    assert f"1 of 3 classes has no {what} row; raise data.{share}, or name another metric" in said


@pytest.mark.parametrize("settings", [GATED, STOPPED])
def test_rows_on_which_it_is_not_measured_may_lack_a_class(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    lacking, whole = rows(0, 0, 1), rows(2, 0, 0, 0, 1)
    pair = (whole, lacking) if settings is GATED else (lacking, whole)

    assert refusal(*pair, settings, monkeypatch) == ""


def test_without_validation_rows_only_held_out_ones_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(rows(0, 1, 2), None, GATED, monkeypatch) == ""
