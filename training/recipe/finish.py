"""NETWORK → MODEL: measured on the held-out rows, exported, checked, compressed, and given its table's columns.

A model that was trained elsewhere is measured, compressed and given its columns in the same way.
"""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from training import sources
from training.errors import ModelError
from training.job import Job
from training.recipe import columns, export, foreign
from training.recipe.datasets.dataset import Dataset, Rows
from training.recipe.evaluate import compute_answers, measure
from training.recipe.explain import blame_model
from training.recipe.fidelity import make_faithful_onnx
from training.recipe.sgd import LoopResult
from training.recipe.trainer_state import make_not_finite_error

if TYPE_CHECKING:  # they load Optuna and ONNX Runtime's tools, which most runs do not need
    from training.recipe.compression import CompressedModel
    from training.recipe.search import SearchTrial

CALIBRATION_ROWS: Final = 512
LARGEST_MODEL: Final = 2**31 - 1
"""Largest size of one ONNX file, in bytes."""
MOST_HELD_OUT: Final = 200_000
"""Largest number of rows that metrics are measured on."""
TRAINED_ELSEWHERE: Final = "trainedElsewhere"


@dataclass(frozen=True)
class TrainedModel:
    """A finished model, with everything it was made from."""

    job: Job
    """The job, with the settings that its search chose."""
    dataset: Dataset
    train: Rows
    validation: Rows | None
    held_out: Rows
    content: bytes
    """The ONNX file, or the large form of a model that is too large for one."""
    metrics: Mapping[str, float]
    """Metrics of the held-out rows."""
    answers: torch.Tensor
    """The model's answers for the held-out rows."""
    loop: LoopResult | None = None
    """Result of the loop. None if the model was trained elsewhere."""
    trials: tuple["SearchTrial", ...] = ()
    folds: tuple[Mapping[str, float], ...] = ()
    compressed: "CompressedModel | None" = None

    @property
    def epochs(self) -> int:
        """Number of epochs that it was trained for here."""
        return self.loop.state.epoch if self.loop else 0

    @property
    def stop_reason(self) -> str:
        """Reason why training ended."""
        return self.loop.stop_reason if self.loop else TRAINED_ELSEWHERE


def finish(job: Job, dataset: Dataset, rows: Rows, held_out: Rows, result: LoopResult) -> TrainedModel:
    """Makes a model of the loop's network. Raises ModelError, ExportError, NonFiniteLossError."""
    features, target = read_every_row(held_out)
    with blame_model(job, job.model, "correct the model's code"):
        answer_RK = compute_answers(result.model, features)
    metrics = measure(answer_RK, target, dataset.task)
    if not all(map(math.isfinite, metrics.values())):
        raise make_not_finite_error(f"metrics on held-out rows are {metrics}", result.state, job)
    with blame_model(job, job.model, "correct the model's code"):
        content = make_faithful_onnx(result.model, rows, dataset.task, job.model)
    export.check(content, features, answer_RK)
    model = TrainedModel(job, dataset, rows, None, held_out, content, metrics, answer_RK, result)
    return add_columns(compress_model(model))


def take_in(
    job: Job, folder: Path, dataset: Dataset, rows: Rows, held_out: Rows, largest: int = foreign.LARGEST_FILE
) -> TrainedModel:
    """Makes a model of one that was trained elsewhere, measured on rows that are held out here. Raises ModelError."""
    beside = None if sources.is_url(job.model) else (folder / Path(job.model).expanduser()).parent
    taken = foreign.load(sources.read(job.model, folder, LARGEST_MODEL), dataset, beside, largest)
    if taken.folder is not None:
        _check_large(job, dataset)
    features, target = read_every_row(held_out)
    answer_RK = taken.answers(features)
    metrics = measure(answer_RK, target, dataset.task)
    model = TrainedModel(job, dataset, rows, None, held_out, taken.content(), metrics, answer_RK)
    return add_columns(compress_model(model))


def compress_model(model: TrainedModel) -> TrainedModel:
    """Compresses the model as the job asks, unless it loses more than the job allows. Raises ModelError."""
    job = model.job
    if job.compress is None:
        return model
    from training.recipe.compression import compress

    features, target = read_every_row(model.held_out)
    tried = compress(
        model.content,
        job.compress,
        model.train.first(CALIBRATION_ROWS)[0].numpy(),
        lambda content: measure(export.run(content, features), target, model.dataset.task),
    )
    if not tried.accepted:
        return replace(model, compressed=tried)
    answer_RK = export.run(tried.model, features)
    return replace(model, content=tried.model, metrics=tried.metrics_after, answers=answer_RK, compressed=tried)


def add_columns(model: TrainedModel) -> TrainedModel:
    """Gives the model the table's own columns as inputs, if some hold categories."""
    wanted = model.dataset.served_columns
    if not wanted:
        return model
    content = columns.wrap_in_columns(model.content, wanted)
    rows = model.held_out.first(export.CHECKED_ROWS)[0]
    columns.check(content, wanted, rows, export.run(model.content, rows))
    return replace(model, content=content)


def read_every_row(rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns all rows at once, in memory. The held-out rows of a streamed set are a sample that fits."""
    return rows.first(min(len(rows), MOST_HELD_OUT))


def _check_large(job: Job, dataset: Dataset) -> None:
    """Raises ModelError for settings that a model too large for one ONNX file does not support."""
    if job.compress is not None:
        raise ModelError("a model above 2 GB cannot be compressed", "leave out training.compress")
    if dataset.served_columns:
        names = ", ".join(column.name for column in dataset.served_columns if column.datatype == "BYTES")
        raise ModelError(
            f"a model above 2 GB takes only numbers, but columns of {dataset.name} hold texts: {names}",
            "encode them as numbers in the data",
        )
