"""Shortens a report to what a page can show. `omitted` counts the entries left out.

Curves keep their extremes, confusion matrices their largest cells, searches their best trials. Other parts keep their
first entries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, TypeVar

from training.report.content import Confusion, Curves, DataReport, Importances, Report, Residuals, SearchReport

EPOCHS: Final = 1_000
CELLS: Final = 10_000
POINTS: Final = 1_000
TRIALS: Final = 500
ENTRIES: Final = 1_000
"""Largest number of columns, features, classes, labels, findings or folds."""

Item = TypeVar("Item")


def thin(report: Report) -> Report:
    """Returns the shortened report. A short report is returned equal, and thinning twice is the same as once."""
    omitted = dict(report.omitted)

    def cut_points(name: str, items: Sequence[Item], limit: int = ENTRIES) -> tuple[Item, ...]:
        _count(omitted, name, len(items) - limit)
        return tuple(items[:limit])

    def cut_mapping(name: str, items: Mapping[str, Item]) -> dict[str, Item]:
        _count(omitted, name, len(items) - ENTRIES)
        return dict(islice(items.items(), ENTRIES))

    def data(part: DataReport) -> DataReport:
        return replace(
            part,
            columns=cut_points("columns", part.columns),
            findings=cut_points("findings", part.findings),
            labels=None if part.labels is None else cut_mapping("labels", part.labels),
            masked=cut_mapping("masked columns", part.masked),
        )

    def importances(part: Importances) -> Importances:
        falling = sorted(part.values.items(), key=lambda item: -item[1].mean)
        values = dict(falling) if len(falling) > ENTRIES else part.values
        return replace(part, values=cut_mapping("importances", values))

    def confusion(part: Confusion) -> Confusion:
        largest = sorted(part.cells, key=lambda cell: -cell[2]) if len(part.cells) > CELLS else part.cells
        return replace(part, cells=cut_points("cells of the confusion matrix", largest, CELLS))

    def search(part: SearchReport) -> SearchReport:
        if len(part.trials) <= TRIALS:
            return part
        _count(omitted, "trials", len(part.trials) - TRIALS)
        kept = _best_trials(part)
        best = None if part.best is None else kept.index(part.best)
        return replace(part, trials=tuple(part.trials[at] for at in kept), best=best)

    def curves(part: Curves) -> Curves:
        kept = _extremes(part.training_loss)
        _count(omitted, "epochs", len(part.epochs) - len(kept))
        return _take_epochs(part, kept)

    def residuals(part: Residuals) -> Residuals:
        kept = _evenly(len(part.true), POINTS)
        _count(omitted, "points of predicted against true", len(part.true) - len(kept))
        return replace(part, true=_take(part.true, kept), predicted=_take(part.predicted, kept))

    return replace(
        report,
        classes=cut_points("classes", report.classes),
        feature_names=cut_points("features", report.feature_names),
        curves=report.curves and curves(report.curves),
        confusion=report.confusion and confusion(report.confusion),
        residuals=report.residuals and residuals(report.residuals),
        importances=report.importances and importances(report.importances),
        data=report.data and data(report.data),
        search=report.search and search(report.search),
        folds=None if report.folds is None else cut_points("folds", report.folds),
        omitted=omitted,
    )


def _count(omitted: dict[str, int], name: str, more: int) -> None:
    if more > 0:
        omitted[name] = omitted.get(name, 0) + more


def _extremes(values: Sequence[float]) -> list[int]:
    """Returns indices that keep every peak: minimum and maximum of equal stretches, and both ends. At most EPOCHS."""
    if len(values) <= EPOCHS:
        return list(range(len(values)))
    kept = {0, len(values) - 1}
    stretches = EPOCHS // 2 - 1
    for stretch in range(stretches):
        places = range(stretch * len(values) // stretches, (stretch + 1) * len(values) // stretches)
        kept |= {min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
    return sorted(kept)


def _take_epochs(curves: Curves, kept: list[int]) -> Curves:
    return replace(
        curves,
        epochs=_take(curves.epochs, kept),
        training_loss=_take(curves.training_loss, kept),
        validation_loss=None if curves.validation_loss is None else _take(curves.validation_loss, kept),
        learning_rate=None if curves.learning_rate is None else _take(curves.learning_rate, kept),
        metrics={name: _take(values, kept) for name, values in curves.metrics.items()},
    )


def _best_trials(search: SearchReport) -> list[int]:
    """Returns the indices of the best trials, in the order they ran. A trial without a value ranks last."""
    sign = 1 if search.direction == "minimize" else -1

    def rank(at: int) -> tuple[bool, bool, float]:
        value = search.trials[at].value
        return at != search.best, value is None, sign * (value or 0.0)

    return sorted(sorted(range(len(search.trials)), key=rank)[:TRIALS])


def _evenly(length: int, limit: int) -> list[int]:
    return list(range(length)) if length <= limit else [at * length // limit for at in range(limit)]


def _take(values: Sequence[Item], kept: Sequence[int]) -> tuple[Item, ...]:
    return tuple(values[at] for at in kept)
