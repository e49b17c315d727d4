"""What a page cannot hold is left out where it says least, and counted."""

from dataclasses import replace

from tests.unit.training.report import samples
from training.report import Curves, SearchReport, Trial, thinning


def test_a_report_that_is_short_already_comes_back_equal() -> None:
    assert thinning.thin(samples.complete()) == samples.complete()


def test_thinning_twice_is_thinning_once() -> None:
    once = thinning.thin(samples.huge())

    assert thinning.thin(once) == once


def test_what_is_left_out_is_counted() -> None:
    thin = thinning.thin(samples.huge())

    assert thin.curves is not None
    assert thin.omitted["epochs"] == 10_000 - len(thin.curves.epochs)
    assert thin.omitted["columns"] == 4_000
    assert thin.omitted["trials"] == 1_500
    assert thin.omitted["points of predicted against true"] == 49_000


def test_curves_keep_both_ends_and_every_peak() -> None:
    losses = [1.0] * 50_000
    losses[31_417] = 99.0
    losses[27_182] = 0.25
    curves = Curves(tuple(range(1, 50_001)), tuple(losses), validation_loss=tuple(losses))

    thin = thinning.thin(replace(samples.SMALL, curves=curves)).curves

    assert thin is not None
    assert len(thin.epochs) <= thinning.EPOCHS
    assert {1, 31_418, 27_183, 50_000} <= set(thin.epochs)
    assert thin.validation_loss == thin.training_loss == tuple(losses[epoch - 1] for epoch in thin.epochs)


def test_a_search_keeps_its_best_trials_and_marks_the_same_one() -> None:
    trials = tuple(Trial({"at": at}, None if at % 2 else float(at)) for at in range(2_000))

    thin = thinning.thin(replace(samples.SMALL, search=SearchReport("r2", "maximize", trials, best=1_998))).search

    assert thin is not None
    assert thin.best is not None
    assert thin.trials[thin.best] == Trial({"at": 1_998}, 1_998.0)
    assert thin.trials[0] == Trial({"at": 1_000}, 1_000.0)


def test_a_confusion_keeps_its_largest_cells() -> None:
    full, thin = samples.huge().confusion, thinning.thin(samples.huge()).confusion

    assert full is not None
    assert thin is not None
    assert len(thin.cells) == thinning.CELLS
    assert min(rows for *_, rows in thin.cells) >= sorted(rows for *_, rows in full.cells)[-thinning.CELLS]
