"""DATASET → MODEL, in the data's order: rows, search, cross-validation, training, metrics, ONNX, compression.

Importing it loads torch. It keeps, checks and seals nothing: earlier results come in as `Progress`, and new ones go out
through the callback.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sealift.names import counted
from sealift.settings.kinds import is_reference
from training.findings import enforce
from training.job import Job
from training.recipe import columns, export, measurable, sgd
from training.recipe.callback import Progress, TrainerCallback
from training.recipe.datasets import quality
from training.recipe.datasets.dataset import Dataset, Rows, TensorRows
from training.recipe.datasets.load import load
from training.recipe.datasets.split import hold_out, set_aside
from training.recipe.finish import TrainedModel, finish, take_in
from training.recipe.loop_parts import LoopInputs, check_form
from training.recipe.train import apply_settings, cross_validate, search_settings, train


@dataclass(frozen=True)
class Inputs:
    """Inputs of a model, besides its job."""

    folder: Path
    run_key: bytes = field(repr=False)
    mask_key: bytes = field(default=b"", repr=False)
    device: str = "cpu"
    init: bytes | None = field(default=None, repr=False)
    provenance: Mapping[str, str] = field(default_factory=dict)


def make(job: Job, inputs: Inputs, progress: Progress, callback: TrainerCallback) -> TrainedModel:
    """Makes the model. Raises TrainingError for problems of data, model or settings, and the callback's errors."""
    generator = sgd.make_repeatable(job)
    callback.phase("data", f"reading {job.dataset}")
    dataset = load(job, inputs.folder, inputs.mask_key, lambda message: callback.phase("data", message))
    if job.data.drop_missing_target:
        callback.phase("data", f"leaving out {counted(dataset.rows_left_out, 'row')} without a target")
    columns.check_names(dataset.served_columns, [export.find_output_name(dataset.task)])
    rest, held_out = hold_out(dataset, job, generator)
    dataset = examine_split(job, dataset, rest, held_out)
    rows, validation = (rest, None) if job.source == "onnx" else set_aside(dataset, rest, job, generator)
    measurable.check(job, dataset, held_out, validation)
    if job.source == "onnx":
        callback.phase("load", f"reading {job.model}")
        return take_in(job, inputs.folder, dataset, rows, held_out)

    noise_key = derive_noise_key(inputs.run_key, job, inputs.provenance)
    shared = LoopInputs(dataset, rows, validation, inputs.folder, inputs.device, inputs.init, noise_key)
    if is_reference(job.model):  # refused before anybody waits for its training
        callback.phase("data", f"exporting the untrained {job.model}, to check that it can be served")
        check_form(job, shared)
    search = None
    if job.search is not None:
        search, progress = search_settings(job, shared, progress, callback)
        job = apply_settings(job, search.best)
    if job.folds:
        progress = cross_validate(job, shared, progress, callback)
    result = train(job, shared, progress, callback, generator)
    callback.phase("export", "exporting and checking the model")
    model = finish(job, dataset, rows, held_out, result)
    return replace(model, validation=validation, trials=search.trials if search else (), folds=progress.folds)


def examine_split(job: Job, dataset: Dataset, rest: Rows, held_out: Rows) -> Dataset:
    """Adds problems of the split to the findings. Raises DataError for those that are not allowed."""
    if not isinstance(rest, TensorRows) or not isinstance(held_out, TensorRows):
        return dataset
    findings = quality.examine_split(rest, held_out)
    enforce(findings, job.quality, job.dataset)
    return replace(dataset, findings=(*dataset.findings, *findings))


def derive_noise_key(key: bytes, job: Job, provenance: Mapping[str, str]) -> bytes:
    """Returns 32 bytes that differ for other runs and other data, since equal noise on two of them would reveal their
    difference.
    """
    made_from = json.dumps([job.identity(), dict(provenance)], sort_keys=True).encode()
    return hmac.new(key, b"sealift/1 privacy\0" + made_from, hashlib.sha256).digest()
