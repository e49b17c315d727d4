"""MODEL → EVIDENCE: gathers what a run left behind, which is judged and reported then (judgement.py)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import torch

from sealift.settings.urls import without_credentials, without_credentials_in
from training.fit import Fitted
from training.job import NEEDED_LIBRARIES, Job
from training.judgement import Evidence
from training.options import METRICS, VALIDATION
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.folds import folds
from training.recipe.make import Made, every_row
from training.recipe.models.build import loss_name
from training.recipe.sgd import Position
from training.report import content, measure
from training.report.content import Report
from training.report.environment import environment
from training.report.explanation import explain

if TYPE_CHECKING:
    from training.recipe.search import Trial

DESCRIBED_ROWS: Final = 100_000
"""Training rows that the columns' and labels' summaries are of, at most."""


def gather(
    fitted: Fitted, energy: content.Energy, durations: Mapping[str, float], provenance: Mapping[str, str], device: str
) -> Evidence:
    """All that can be said of the model without a word of what is asked of it."""
    made = fitted.made
    job, dataset, descended = made.job, made.dataset, made.descended
    features, target = every_row(made.held_out)
    report = Report(
        title=without_credentials(f"{job.model} on {dataset.name}"),
        model=without_credentials(job.model),
        dataset=without_credentials(dataset.name),
        task=dataset.task,
        classes=dataset.classes,
        feature_names=dataset.feature_names,
        metrics=fitted.outcome["metrics"],
        curves=_curves(descended.position, job, dataset),
        confusion=measure.confusion(made.answers, target) if dataset.classes else None,
        residuals=None if dataset.classes else measure.residuals(made.answers, target, job.data.target or "target"),
        importances=_importances(made, features, target),
        data=_data(made),
        hyperparameters=without_credentials_in(job.identity()),
        search=_search(descended.trials, job),
        folds=_folds(made),
        compression=_compression(made),
        privacy=_privacy(fitted, job),
        durations_seconds=durations,
        energy=energy,
        environment=environment(NEEDED_LIBRARIES, job.threads, device),
        provenance=content.Provenance(
            seed=job.seed,
            data_digest=provenance["data_digest"],
            code_digest=provenance["code_digest"],
            libraries=provenance["libraries"],
            content_digest=str(fitted.description.content_digest),
        ),
    )
    return Evidence(report, dataset.findings, len(made.content))


def _curves(position: Position, job: Job, dataset: Dataset) -> content.Curves | None:
    history = position.history
    if not history:
        return None
    validated = sorted({name for entry in history for name in entry if name.startswith(VALIDATION)})
    curves = {name.removeprefix(VALIDATION): tuple(entry.get(name) for entry in history) for name in validated}
    loss = loss_name(job, dataset)
    return content.Curves(
        epochs=tuple(range(1, len(history) + 1)),
        training_loss=tuple(entry["loss"] for entry in history),
        validation_loss=curves.pop("loss", None) if dataset.classes else None,
        learning_rate=tuple(entry["learningRate"] for entry in history),
        metrics=curves,
        loss_name=f"{loss} of a standardised target" if dataset.task == "regression" else f"{loss} (nats)",
    )


def _data(made: Made) -> content.Data:
    dataset = made.dataset
    features, target = made.train.first(DESCRIBED_ROWS)
    private = made.job.privacy is not None  # a column's least and greatest value are somebody's
    return content.Data(
        rows_train=len(made.train),
        rows_held_out=len(made.held_out),
        rows_validation=len(made.descended.validation) if made.descended.validation is not None else None,
        rows_left_out=dataset.rows_left_out if made.job.data.drop_missing_target else None,
        columns=measure.columns(features, dataset.feature_names) if dataset.feature_names and not private else (),
        labels=measure.labels(target, dataset.classes) if dataset.classes else None,
        masked=dataset.masked,
    )


def _importances(made: Made, features: torch.Tensor, target: torch.Tensor) -> content.Importances | None:
    if made.descended.model is None:
        return None
    dataset = made.dataset
    return explain(
        made.descended.model, features, target, dataset.task, dataset.feature_names, dataset.words, made.job.seed
    )


def _search(trials: tuple["Trial", ...], job: Job) -> content.Search | None:
    if job.search is None:
        return None
    down = METRICS[job.search.metric] == "down"
    values = {at: trial.value for at, trial in enumerate(trials) if trial.value is not None}
    best = (min if down else max)(values, key=lambda at: values[at]) if values else None
    return content.Search(
        metric=job.search.metric,
        direction="minimize" if down else "maximize",
        trials=tuple(content.Trial(trial.parameters, trial.value) for trial in trials),
        best=best,
    )


def _folds(made: Made) -> tuple[content.Fold, ...] | None:
    job, metrics = made.job, made.descended.folds
    if not metrics or not isinstance(made.train, TensorRows):
        return None
    drawing, in_time = torch.Generator().manual_seed(job.seed), job.data.time_column is not None
    drawn = folds(made.train, job.folds, drawing, in_time=in_time)
    return tuple(content.Fold(one, len(others), len(held)) for one, (others, held) in zip(metrics, drawn, strict=True))


def _compression(made: Made) -> content.Compression | None:
    compressed, asked = made.compressed, made.job.compress
    if compressed is None or asked is None:
        return None
    return content.Compression(
        method=asked.method,
        bytes_before=compressed.bytes_before,
        bytes_after=compressed.bytes_after,
        metrics_before=compressed.metrics_before,
        metrics_after=compressed.metrics_after,
        accepted=compressed.accepted,
    )


def _privacy(fitted: Fitted, job: Job) -> content.Privacy | None:
    if job.privacy is None or fitted.outcome.get("epsilon") is None:
        return None
    return content.Privacy(
        epsilon=fitted.outcome["epsilon"],
        delta=fitted.outcome["delta"],
        noise_multiplier=fitted.outcome.get("noise_multiplier"),
        max_gradient_norm=job.privacy.max_gradient_norm,
    )
