"""What folds, search and compression came to, a line each, for the terminal: the report has the whole."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from training.fit import Fitted
from training.options import METRICS
from training.report import units


def highlights(fitted: Fitted, *, shown: bool) -> Iterator[str]:
    """`shown`: with metrics, for those who may see them."""
    made = fitted.made
    job, descended = made.job, made.descended
    if job.search is not None and descended.trials:
        done = [trial for trial in descended.trials if trial.value is not None]
        pick = min if METRICS[job.search.metric] == "down" else max
        best = pick(done, key=lambda trial: trial.value or 0.0)
        settings = ", ".join(f"{name} {_spelt(value)}" for name, value in best.parameters.items())
        score = f", {job.search.metric} {units.number(best.value or 0.0)}" if shown else ""
        number = descended.trials.index(best) + 1
        yield f"search: trial {number} of {len(descended.trials)} is best{score}, with {settings}"
    if descended.folds:
        scores = _scores(descended.folds) if shown else "measured; exposeMetrics shows the scores"
        yield f"cross-validation, {len(descended.folds)} folds: {scores}"
    if made.compressed is not None and job.compress is not None:
        tried = made.compressed
        sizes = f"{units.size(tried.bytes_before)} → {units.size(tried.bytes_after)}"
        before, after = tried.metrics_before, tried.metrics_after
        name = job.compress.metric or ("accuracy" if "accuracy" in before else "mae")
        change = f", {name} {units.number(before[name])} → {units.number(after[name])}" if shown else ""
        verdict = "" if tried.accepted else ": given up, the model stays as it was"
        yield f"compression by {job.compress.method}: {sizes}{change}{verdict}"


def _scores(folds: Sequence[Mapping[str, float]]) -> str:
    """Mean and sample standard deviation of each metric that all folds have."""
    names = [name for name in folds[0] if all(name in fold for fold in folds)]
    each = {name: [fold[name] for fold in folds] for name in names}
    return ", ".join(
        f"{name} {units.number(statistics.mean(values))} ± {units.number(statistics.stdev(values))}"
        for name, values in each.items()
    )


def _spelt(value: object) -> str:
    return units.number(value) if isinstance(value, float) else str(value)
