"""Training loops of one run: the trials of its search, its folds, and the one whose model is shipped. The callback sees
each loop (sgd.py) between two stretches of steps.

Parts that the progress contains are not repeated.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import safetensors.torch
import torch

from sealift.names import counted, snake_case
from training.errors import DataError
from training.job import Job
from training.recipe.callback import Progress, TrainerCallback
from training.recipe.datasets.dataset import TensorRows
from training.recipe.evaluate import evaluate
from training.recipe.folds import make_folds
from training.recipe.loop_parts import LoopInputs, make_loop
from training.recipe.sgd import Loop, LoopResult
from training.recipe.trainer_state import find_metric

if TYPE_CHECKING:  # it loads Optuna, which most runs do not need
    from training.recipe.search import MetricReport, SearchResult


def run_loop(
    loop: Loop,
    progress: Callable[[], Progress],
    callback: TrainerCallback,
    after_epoch: Callable[[], None] = lambda: None,
) -> LoopResult:
    """Runs the loop from its current state to its end. Raises its errors and the callback's."""
    for epoch_ended in loop.epochs():
        last = epoch_ended and loop.stop_reason != ""
        callback.after(loop.job, progress, loop.state, rows=len(loop.rows), epoch_ended=epoch_ended, last=last)
        if epoch_ended:
            after_epoch()
    return loop.result()


def search_settings(
    job: Job, inputs: LoopInputs, progress: Progress, callback: TrainerCallback
) -> tuple["SearchResult", Progress]:
    """Tries settings on the validation rows, each time from the same seed."""
    wanted, validation = job.search, inputs.validation
    if wanted is None or validation is None:
        raise AssertionError("internal error: a search without settings or rows")
    callback.phase("search", f"searching {', '.join(wanted.parameters)} in {counted(wanted.trials, 'trial')}")
    from training.recipe.search import search

    def attempt(settings: Mapping[str, object], report: "MetricReport") -> float:
        loop = make_loop(apply_settings(job, settings), inputs, _make_generator(job))

        def report_epoch() -> None:
            report(loop.state.epoch, find_metric("search.metric", wanted.metric, loop.state))

        result = run_loop(loop, lambda: progress, callback, report_epoch)
        return evaluate(result.model, validation)[wanted.metric]

    def keep(study: str) -> None:
        nonlocal progress
        progress = replace(progress, study=study)

    result = search(wanted, job.seed, attempt, progress.study, keep)
    settings = ", ".join(f"{name} {value}" for name, value in result.best.items())
    callback.phase("search", f"best of {counted(len(result.trials), 'trial')}: {settings}")
    return result, progress


def cross_validate(job: Job, inputs: LoopInputs, progress: Progress, callback: TrainerCallback) -> Progress:
    """Trains and measures on each fold of the training rows that has no metrics yet."""
    rows = inputs.rows
    if not isinstance(rows, TensorRows):
        raise DataError("folds needs all rows in memory, but this data set is streamed", "leave out folds")
    for number, (others, held) in list(enumerate(make_folds(rows, job)))[len(progress.folds) :]:
        callback.phase("folds", f"cross-validation: fold {number + 1} of {job.folds}")
        loop = make_loop(job, replace(inputs, rows=rows.take(others)), _make_generator(job))
        result = run_loop(loop, lambda: progress, callback)  # noqa: B023 - called before the next fold
        progress = replace(progress, folds=(*progress.folds, evaluate(result.model, rows.take(held))))
    return progress


def train(
    job: Job, inputs: LoopInputs, progress: Progress, callback: TrainerCallback, generator: torch.Generator
) -> LoopResult:
    """Trains the model that is shipped, continuing from the progress."""
    callback.phase("train", f"training {job.model} on {counted(len(inputs.rows), 'row')}")
    loop = make_loop(job, inputs, generator)
    if progress.state is not None:
        loop.load_state_dict(copy.deepcopy(progress.state), safetensors.torch.load(progress.tensors))

    def save() -> Progress:
        tensors = safetensors.torch.save(loop.state_dict())
        return replace(progress, state=copy.deepcopy(loop.state), tensors=tensors)

    return run_loop(loop, save, callback)


def apply_settings(job: Job, settings: Mapping[str, object]) -> Job:
    """Returns the job with these settings, named as in `search.parameters`."""
    arguments = {name.partition(".")[2]: value for name, value in settings.items() if "." in name}
    plain = {snake_case(name): value for name, value in settings.items() if "." not in name}
    return replace(job, **plain, model_arguments={**job.model_arguments, **arguments})  # type: ignore[arg-type]


def _make_generator(job: Job) -> torch.Generator:
    return torch.Generator().manual_seed(job.seed)
