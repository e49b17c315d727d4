"""Results of folds, search and compression, one line each, for the terminal. The report has all of them."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from training.fit import FitResult
from training.options import METRICS
from training.report import units


def list_highlights(result: FitResult, *, shown: bool) -> Iterator[str]:
    """Yields the lines, with metrics if `shown`."""
    trained = result.trained
    job = trained.job
    if job.search is not None and trained.trials:
        done = [trial for trial in trained.trials if trial.value is not None]
        pick = min if METRICS[job.search.metric] == "down" else max
        best = pick(done, key=lambda trial: trial.value or 0.0)
        settings = ", ".join(f"{name} {_spell(value)}" for name, value in best.parameters.items())
        score = f", {job.search.metric} {units.number(best.value or 0.0)}" if shown else ""
        number = trained.trials.index(best) + 1
        yield f"search: trial {number} of {len(trained.trials)} is the best{score}, with {settings}"
    if trained.folds:
        scores = _summarise_scores(trained.folds) if shown else "done; exposeMetrics shows the scores"
        yield f"cross-validation, {len(trained.folds)} folds: {scores}"
    if trained.compressed is not None and job.compress is not None:
        tried = trained.compressed
        sizes = f"{units.size(tried.bytes_before)} → {units.size(tried.bytes_after)}"
        before, after = tried.metrics_before, tried.metrics_after
        name = job.compress.metric or ("accuracy" if "accuracy" in before else "mae")
        change = f", {name} {units.number(before[name])} → {units.number(after[name])}" if shown else ""
        verdict = "" if tried.accepted else f"; undone, since {tried.objection}"
        yield f"compression by {job.compress.method}: {sizes}{change}{verdict}"


def _summarise_scores(folds: Sequence[Mapping[str, float]]) -> str:
    """Returns mean and sample standard deviation of each metric that all folds have."""
    names = [name for name in folds[0] if all(name in fold for fold in folds)]
    each = {name: [fold[name] for fold in folds] for name in names}
    return ", ".join(
        f"{name} {units.number(statistics.mean(values))} ± {units.number(statistics.stdev(values))}"
        for name, values in each.items()
    )


def _spell(value: object) -> str:
    return units.number(value) if isinstance(value, float) else str(value)
