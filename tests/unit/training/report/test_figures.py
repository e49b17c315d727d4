"""Pictures that are right about odd numbers."""

import math
import re

import pytest

from training.report import Confusion, Curves, HeatMap, Importance, Importances, Residuals, SearchReport, Trial, figures
from training.report.svg import ORANGE


def test_a_loss_that_became_infinite_or_nan_is_drawn_as_far_as_it_was_finite() -> None:
    svg = figures.loss(Curves((1, 2, 3, 4), (1.0, 0.5, math.nan, math.inf)))

    assert "<path" in svg
    assert not re.search(r"\b(nan|inf)\b", re.sub(r'aria-label="[^"]*"', "", svg))


@pytest.mark.parametrize("losses", [(0.7,), (0.0, 0.0), (-1.0, 1e9), (math.nan,), (1e300, 1e-300)])
def test_no_loss_is_too_odd_to_draw(losses: tuple[float, ...]) -> None:
    curves = Curves(tuple(range(1, len(losses) + 1)), losses, losses, losses, {"a $ b": (None,) * len(losses)})

    for svg in (figures.loss(curves), figures.learning_rate(curves), figures.metric(curves, "a $ b", 0)):
        assert svg.startswith("<svg")
        assert svg.endswith("</svg>")


def test_validation_every_fifth_epoch_is_a_line_and_not_gaps() -> None:
    values = tuple(None if epoch % 5 else 1.0 / epoch for epoch in range(1, 21))

    svg = figures.metric(Curves(tuple(range(1, 21)), (1.0,) * 20, metrics={"mae": values}), "mae", 0)

    line = next(path for path in re.findall(r"<path[^>]*>", svg) if f'stroke="{ORANGE}"' in path)
    assert len(re.findall(r"[ML] ", line)) == 4


def test_a_loss_that_falls_far_has_a_logarithmic_axis() -> None:
    far, near = (figures.loss(Curves((1, 2), losses)) for losses in ((10.0, 0.001), (1.0, 0.5)))

    assert [label for label in ("0.01", "0.1", "1") if f">{label}</text>" in far] == ["0.01", "0.1", "1"]
    assert ">0.01</text>" not in near
    assert "$" not in far


def test_each_cell_of_a_small_confusion_has_its_number_and_an_empty_one_none() -> None:
    svg = figures.confusion(Confusion(((0, 0, 1234), (0, 1, 56), (1, 1, 789)), 2), ("no", "yes"))

    assert re.findall(r"text-anchor=\"middle\"[^>]*>([\d,]{2,})<", svg) == ["1,234", "56", "789"]


def test_a_confusion_of_many_classes_says_that_its_cells_are_blocks() -> None:
    assert "5,000 classes in 100 blocks" in figures.confusion(Confusion(((0, 4999, 1),), 5000), ())


def test_importances_that_are_all_zero_or_below_it_are_drawn() -> None:
    part = Importances("m", "loss of accuracy", {"a": Importance(0.0, 0.0), "b": Importance(-0.1)})

    assert "<svg" in figures.importances(part)


def test_one_row_and_one_trial_and_one_place_are_drawn() -> None:
    residuals = Residuals((1.0,), (1.0,), (-0.5, 0.5), (1,))
    for svg in (
        figures.predicted_against_true(residuals),
        figures.residuals(residuals),
        figures.search(SearchReport("loss", "minimize", (Trial({}, 1.0), Trial({})), best=0)),
        figures.heat_map(HeatMap(((0.0,),)), "unit"),
        figures.labels({"only": 1}),
    ):
        assert "<svg" in svg
