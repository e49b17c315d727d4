"""MODEL → EVIDENCE: collects the measurements of a run, which judgement.py then checks and reports."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import torch

from sealift.settings.urls import without_credentials, without_credentials_in
from training.fit import FitResult
from training.job import NEEDED_LIBRARIES, Job
from training.judgement import Evidence
from training.options import METRICS, VALIDATION
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.finish import TrainedModel, read_every_row
from training.recipe.folds import make_folds
from training.recipe.models.build import find_loss_name
from training.recipe.trainer_state import TrainerState
from training.report import content, measure
from training.report.content import Report
from training.report.environment import environment
from training.report.explanation import explain

if TYPE_CHECKING:
    from training.recipe.search import SearchTrial

DESCRIBED_ROWS: Final = 100_000
"""Largest number of training rows that the summaries of columns and labels cover."""


def gather_evidence(
    result: FitResult,
    energy: content.Energy,
    durations: Mapping[str, float],
    provenance: Mapping[str, str],
    device: str,
) -> Evidence:
    """Returns everything that is measured of the model, independent of the run's requirements."""
    trained = result.trained
    job, dataset = trained.job, trained.dataset
    features, target = read_every_row(trained.held_out)
    report = Report(
        title=without_credentials(f"{job.model} on {dataset.name}"),
        model=without_credentials(job.model),
        dataset=without_credentials(dataset.name),
        task=dataset.task,
        classes=dataset.classes,
        feature_names=dataset.feature_names,
        metrics=result.outcome["metrics"],
        curves=_make_curves(trained.loop.state, job, dataset) if trained.loop else None,
        confusion=measure.confusion(trained.answers, target) if dataset.classes else None,
        residuals=None if dataset.classes else measure.residuals(trained.answers, target, job.data.target or "target"),
        importances=_describe_importances(trained, features, target),
        data=_describe_data(trained),
        hyperparameters=without_credentials_in(job.identity()),
        search=_describe_search(trained.trials, job),
        folds=_describe_folds(trained),
        compression=_describe_compression(trained),
        privacy=_describe_privacy(result, job),
        durations_seconds=durations,
        energy=energy,
        environment=environment(NEEDED_LIBRARIES, job.threads, device),
        provenance=content.Provenance(
            seed=job.seed,
            data_digest=provenance["data_digest"],
            code_digest=provenance["code_digest"],
            libraries=provenance["libraries"],
            content_digest=str(result.description.content_digest),
        ),
    )
    return Evidence(report, dataset.findings, len(trained.content))


def _make_curves(state: TrainerState, job: Job, dataset: Dataset) -> content.Curves | None:
    history = state.history
    if not history:
        return None
    validated = sorted({name for entry in history for name in entry if name.startswith(VALIDATION)})
    curves = {name.removeprefix(VALIDATION): tuple(entry.get(name) for entry in history) for name in validated}
    loss = find_loss_name(job, dataset)
    return content.Curves(
        epochs=tuple(range(1, len(history) + 1)),
        training_loss=tuple(entry["loss"] for entry in history),
        validation_loss=curves.pop("loss", None) if dataset.classes else None,
        learning_rate=tuple(entry["learningRate"] for entry in history),
        metrics=curves,
        loss_name=f"{loss} of a standardised target" if dataset.task == "regression" else f"{loss} (nats)",
    )


def _describe_data(trained: TrainedModel) -> content.DataReport:
    dataset = trained.dataset
    features, target = trained.train.first(DESCRIBED_ROWS)
    private = trained.job.privacy is not None  # a column's smallest and largest value belong to somebody
    return content.DataReport(
        rows_train=len(trained.train),
        rows_held_out=len(trained.held_out),
        rows_validation=len(trained.validation) if trained.validation is not None else None,
        rows_left_out=dataset.rows_left_out if trained.job.data.drop_missing_target else None,
        columns=measure.columns(features, dataset.feature_names) if dataset.feature_names and not private else (),
        labels=measure.labels(target, dataset.classes) if dataset.classes else None,
        masked=dataset.masked,
    )


def _describe_importances(
    trained: TrainedModel, features: torch.Tensor, target: torch.Tensor
) -> content.Importances | None:
    if trained.loop is None:
        return None
    dataset = trained.dataset
    return explain(
        trained.loop.model, features, target, dataset.task, dataset.feature_names, dataset.words, trained.job.seed
    )


def _describe_search(trials: tuple["SearchTrial", ...], job: Job) -> content.SearchReport | None:
    if job.search is None:
        return None
    down = METRICS[job.search.metric] == "down"
    values = {at: trial.value for at, trial in enumerate(trials) if trial.value is not None}
    best = (min if down else max)(values, key=lambda at: values[at]) if values else None
    return content.SearchReport(
        metric=job.search.metric,
        direction="minimize" if down else "maximize",
        trials=tuple(content.Trial(trial.parameters, trial.value) for trial in trials),
        best=best,
    )


def _describe_folds(trained: TrainedModel) -> tuple[content.Fold, ...] | None:
    metrics = trained.folds
    if not metrics or not isinstance(trained.train, TensorRows):
        return None
    drawn = make_folds(trained.train, trained.job)
    return tuple(content.Fold(one, len(others), len(held)) for one, (others, held) in zip(metrics, drawn, strict=True))


def _describe_compression(trained: TrainedModel) -> content.Compression | None:
    compressed, asked = trained.compressed, trained.job.compress
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


def _describe_privacy(result: FitResult, job: Job) -> content.PrivacyReport | None:
    if job.privacy is None or result.outcome.get("epsilon") is None:
        return None
    return content.PrivacyReport(
        epsilon=result.outcome["epsilon"],
        delta=result.outcome["delta"],
        noise_multiplier=result.outcome.get("noise_multiplier"),
        max_gradient_norm=job.privacy.max_gradient_norm,
    )
