"""Figures of the report: each function draws one part.

They are as wide as a phone, so that texts stay readable there. A figure leaves out what it cannot show and says so in
its title. Its label describes it in words.

Shapes: K classes, or blocks of them.
"""

# ruff: noqa: N803, N806 (names of arrays carry the letters of their shape)

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from sealift.names import counted
from training.report import units
from training.report.content import Confusion, Curves, HeatMap, Importances, Residuals, SearchReport
from training.report.svg import BLUE, GREY, ORANGE, picture

BARS: Final = 20
MOST_NUMBERED: Final = 12
"""Largest number of classes for which the confusion matrix's cells show their numbers."""
MOST_NAMED: Final = 30
"""Largest number of classes for which the confusion matrix's rows and columns show their names."""
MOST_BLOCKS: Final = 100
"""Largest number of cells per side. More classes share cells."""
LOG_FROM: Final = 50
"""Factor by which a loss must fall to be drawn on a logarithmic axis."""
COLOURS: Final = "cividis"
"""Colour map with even steps of brightness, equal for every kind of colour blindness."""
ON_DARK, ON_BRIGHT = "#fefefe", "#010101"


def loss(curves: Curves) -> str:
    """Draws training and validation loss by epoch."""

    def paint(axes: Axes) -> None:
        _line(axes, curves.epochs, curves.training_loss, BLUE, "-", "training")
        if curves.validation_loss is not None:
            _line(axes, curves.epochs, curves.validation_loss, ORANGE, "--", "validation")
            axes.legend()
        if _falls_far(curves.training_loss):
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
        _by_epoch(axes, "Loss", curves.loss_name)

    ends = f"from {units.number(curves.training_loss[0])} to {units.number(curves.training_loss[-1])}"
    return picture("loss", f"Line chart of the loss by epoch. The training loss goes {ends}.", paint)


def learning_rate(curves: Curves) -> str:
    """Draws the learning rate by epoch."""
    rates = curves.learning_rate or ()

    def paint(axes: Axes) -> None:
        _line(axes, curves.epochs, rates, BLUE, "-", "learning rate")
        axes.set_ylim(bottom=0)
        _by_epoch(axes, "Learning rate", "learning rate")

    ends = f"from {units.number(rates[0])} to {units.number(rates[-1])}"
    return picture("learning-rate", f"Line chart of the learning rate by epoch, {ends}.", paint)


def metric(curves: Curves, name: str, at: int) -> str:
    """Draws one metric of the validation rows by epoch. `at` makes its ids differ from those of the other metrics."""

    def paint(axes: Axes) -> None:
        _line(axes, curves.epochs, curves.metrics[name], ORANGE, "-", name)
        _by_epoch(axes, f"Validation: {units.name(name)}", units.name(name))

    return picture(f"metric-{at}", f"Line chart of {units.name(name)} of the validation rows by epoch.", paint)


def confusion(part: Confusion, classes: Sequence[str]) -> str:
    """Draws the share of each true class that was predicted as each class. Many classes are summed in blocks."""
    blocks = min(part.size, MOST_BLOCKS)
    rows_KK = np.zeros((blocks, blocks))
    for true, predicted, rows in part.cells:
        rows_KK[true * blocks // part.size, predicted * blocks // part.size] += rows
    share_KK = rows_KK / np.maximum(rows_KK.sum(axis=1, keepdims=True), 1)
    edge = part.size - 0.5
    title = "Confusion matrix" + (f" ({part.size:,} classes in {blocks} blocks)" if part.size > blocks else "")

    def paint(axes: Axes) -> None:
        image = axes.imshow(
            share_KK, cmap=COLOURS, vmin=0, vmax=1, interpolation="none", extent=(-0.5, edge, edge, -0.5)
        )
        _bar(axes, image, "share of the true class's rows")
        if part.size <= MOST_NUMBERED:
            _number_cells(axes, rows_KK, share_KK)
        if part.size <= MOST_NAMED:
            names = [units.name(name, 12) for name in classes] or [str(at) for at in range(part.size)]
            axes.set_xticks(range(len(names)), names, rotation=0 if max(map(len, names)) <= 2 else 90)
            axes.set_yticks(range(len(names)), names)
        axes.grid(visible=False)
        _make_title(axes, title, "answered", "true")

    right = sum(rows for true, said, rows in part.cells if true == said)
    total = sum(rows for _, _, rows in part.cells)
    label = f"Confusion matrix of {part.size} classes; {right:,} of {total:,} held-out rows are on the diagonal."
    return picture("confusion", label, paint, height_inches=4.6)


def predicted_against_true(part: Residuals) -> str:
    """Draws one dot for each held-out row. Those of a perfect model lie on the line."""
    ends = [min(part.true + part.predicted), max(part.true + part.predicted)]

    def paint(axes: Axes) -> None:
        axes.plot(ends, ends, color=GREY, linestyle="--", label="perfect")
        axes.plot(part.true, part.predicted, "o", color=BLUE, markersize=4, alpha=0.7, markeredgewidth=0)
        axes.legend()
        target = units.name(part.target, 40)
        _make_title(axes, "Predicted against true", f"true {target}", f"predicted {target}")

    label = f"Scatter plot of predicted against true {units.name(part.target)}, {len(part.true):,} held-out rows."
    return picture("predicted", label, paint, height_inches=4.2)


def residuals(part: Residuals) -> str:
    """Draws the histogram of predicted minus true values."""
    widths = np.diff(part.edges)

    def paint(axes: Axes) -> None:
        axes.bar(part.edges[:-1], part.counts, widths, align="edge", color=BLUE, alpha=0.8)
        axes.axvline(0, color=ORANGE, linestyle="--")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        _make_title(axes, "Residuals", f"predicted − true {units.name(part.target, 40)}", "held-out rows")

    spread = f"{units.number(part.edges[0])} to {units.number(part.edges[-1])}"
    return picture("residuals", f"Histogram of the residuals, which range from {spread}.", paint)


def importances(part: Importances) -> str:
    """Draws the largest importances as bars, with their deviation."""
    largest = sorted(part.values.items(), key=lambda item: item[1].mean, reverse=True)[:BARS]
    more = "" if len(part.values) <= BARS else f" (largest {BARS} of {len(part.values):,})"
    errors = [one.deviation or 0.0 for _, one in largest]
    values = {name: one.mean for name, one in largest}
    label = f"Bar chart of importances{more}; the largest is {units.name(largest[0][0])}."
    return _bars("importances", f"Importance{more}", values, part.unit, label, errors)


def labels(counts: Mapping[str, int]) -> str:
    """Draws the number of training rows of each class, or of the most frequent ones."""
    largest = dict(sorted(counts.items(), key=lambda item: -item[1])[:BARS]) if len(counts) > BARS else counts
    more = "" if len(counts) <= BARS else f" (largest {BARS} of {len(counts):,})"
    label = f"Bar chart of the training rows of each class{more}; {min(counts.values()):,} to {max(counts.values()):,}."
    return _bars("labels", f"Label balance{more}", largest, "training rows", label)


def heat_map(part: HeatMap, unit: str) -> str:
    """Draws the attribution by place."""
    values = np.array(part.values)

    def paint(axes: Axes) -> None:
        image = axes.imshow(values, cmap=COLOURS, interpolation="none", aspect="auto" if _is_long(values) else "equal")
        _bar(axes, image, unit)
        axes.grid(visible=False)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        _make_title(axes, "Attribution by place", part.columns, part.rows)

    height, width = values.shape
    return picture("heat-map", f"Heat map of {unit}, {height} by {width} places.", paint, height_inches=4.0)


def search(part: SearchReport) -> str:
    """Draws each trial's value, and marks the best one."""
    valued = [(at + 1, trial.value) for at, trial in enumerate(part.trials) if trial.value is not None]

    def paint(axes: Axes) -> None:
        axes.plot(*zip(*valued, strict=True), "o", color=BLUE, markersize=4, label="trial")
        if part.best is not None and (value := part.trials[part.best].value) is not None:
            axes.plot([part.best + 1], [value], "D", color=ORANGE, markersize=8, label="best")
        axes.legend()
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _make_title(axes, "Value of each trial", "trial", units.name(part.metric))

    return picture("search", f"Scatter plot of {units.name(part.metric)} of {counted(len(valued), 'trial')}.", paint)


def _line(
    axes: Axes, epochs: Sequence[int], values: Sequence[float | None], colour: str, style: str, name: str
) -> None:
    """Draws a line without the epochs that have no value."""
    known = [(epoch, value) for epoch, value in zip(epochs, values, strict=True) if value is not None]
    marker = "o" if len(known) == 1 else None
    axes.plot(
        [epoch for epoch, _ in known], [value for _, value in known], style, color=colour, label=name, marker=marker
    )


def _by_epoch(axes: Axes, title: str, unit: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _make_title(axes, title, "epoch", unit)


def _make_title(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _bars(
    key: str, title: str, values: Mapping[str, float], unit: str, label: str, errors: Sequence[float] | None = None
) -> str:
    """Draws horizontal bars, with the first on top."""
    places = range(len(values))

    def paint(axes: Axes) -> None:
        axes.barh(places, list(values.values()), xerr=errors, color=BLUE, ecolor=GREY, capsize=2)
        axes.set_yticks(places, [units.name(name, 22) for name in values])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        _make_title(axes, title, unit, "")

    return picture(key, label, paint, height_inches=1.1 + 0.22 * max(4, len(values)))


def _number_cells(axes: Axes, rows_KK: npt.NDArray[np.float64], share_KK: npt.NDArray[np.float64]) -> None:
    for (true, predicted), rows in np.ndenumerate(rows_KK):
        if rows:
            colour = ON_BRIGHT if share_KK[true, predicted] > 0.6 else ON_DARK
            axes.text(predicted, true, f"{int(rows):,}", ha="center", va="center", fontsize=8, color=colour)


def _bar(axes: Axes, image: object, unit: str) -> None:
    figure = axes.get_figure(root=True)
    if figure is not None:
        bar = figure.colorbar(image, ax=axes, shrink=0.8)  # type: ignore[arg-type]
        bar.set_label(unit)
        bar.outline.set_visible(False)


def _falls_far(values: Sequence[float]) -> bool:
    finite = [value for value in values if math.isfinite(value)]
    return len(finite) > 0 and 0 < LOG_FROM * min(finite) <= max(finite)


def _is_long(values: npt.NDArray[np.float64]) -> bool:
    return bool(max(values.shape) > 3 * min(values.shape))
