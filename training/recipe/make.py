"""DATASET → MODEL, in the data's order: rows, search, cross-validation, descent, metrics, ONNX, compression.

Importing it loads torch. It keeps, judges and seals nothing: what was done before comes in as `Progress`, and what is
done goes out through `Watch`.
"""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import dataclasses
import hashlib
import hmac
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import safetensors.torch
import torch

from sealift.names import snake_case
from sealift.settings.kinds import is_reference
from training import quality, sources
from training.errors import DataError, ModelError
from training.findings import enforce
from training.job import Job
from training.recipe import columns, export, folds, foreign, measurable, sgd
from training.recipe.datasets.dataset import Dataset, Rows, TensorRows
from training.recipe.datasets.load import load
from training.recipe.datasets.split import hold_out, set_aside
from training.recipe.evaluate import answers, evaluate, measure
from training.recipe.explain import blame_model
from training.recipe.fidelity import faithful_onnx
from training.recipe.sgd import Position
from training.recipe.train import Descending, Setting, Trained, begin, check_form

if TYPE_CHECKING:  # they load Optuna and ONNX Runtime's tools, which most runs have no use for
    from training.recipe.compression import Compressed
    from training.recipe.search import Report, Trial

CALIBRATION_ROWS: Final = 512
LARGEST_MODEL: Final = 2**31 - 1
"""Bytes that one ONNX file can have."""
MOST_HELD_OUT: Final = 200_000
"""Rows that metrics are measured on, at most."""


@dataclass(frozen=True)
class Progress:
    """What of a run is done: the state of its search, the folds' metrics, and the loop's position and tensors."""

    study: str | None = None
    folds: tuple[Mapping[str, float], ...] = ()
    position: Mapping[str, Any] | None = None
    tensors: bytes = field(default=b"", repr=False)


class Watch(Protocol):
    """Whoever started the run. Both may raise to stop it."""

    def phase(self, name: str, message: str) -> None: ...

    def after(
        self, job: Job, progress: "Stage", position: Position, *, rows: int, epoch_ended: bool, last: bool
    ) -> None:
        """After a stretch of steps; `progress()` is what there is to keep, `rows` are those of an epoch, and the last
        one ends the descent.
        """


class Stage(Protocol):
    """Gives the progress when it is asked for, since tensors cost time to gather."""

    def __call__(self) -> Progress: ...


@dataclass(frozen=True)
class Inputs:
    """What a model is made from, beside its job."""

    folder: Path
    run_key: bytes = field(repr=False)
    mask_key: bytes = field(default=b"", repr=False)
    device: str = "cpu"
    init: bytes | None = field(default=None, repr=False)
    provenance: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Descended:
    """What a descent leaves behind, beside the model's bytes; of a model that was trained elsewhere, nothing."""

    model: torch.nn.Module | None = None
    position: Position = field(default_factory=Position)
    stop_reason: str = "trainedElsewhere"
    spent: Mapping[str, float] = field(default_factory=dict)
    """Of a privacy budget."""
    validation: Rows | None = None
    trials: tuple["Trial", ...] = ()
    folds: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True)
class Made:
    """A finished model, and all that it came from."""

    job: Job
    """With the settings that its search chose."""
    dataset: Dataset
    train: Rows
    held_out: Rows
    content: bytes
    """The ONNX file, or what holds a model too large for one."""
    metrics: Mapping[str, float]
    """Of the held-out rows."""
    answers: torch.Tensor
    """To the held-out rows."""
    descended: Descended
    compressed: "Compressed | None"


def make(job: Job, inputs: Inputs, progress: Progress, watch: Watch) -> Made:
    """Raises TrainingError for all that can be wrong with data, model and settings, and whatever `watch` raises."""
    generator = sgd.make_repeatable(job)
    watch.phase("data", f"reading {job.dataset}")
    dataset = load(job, inputs.folder, inputs.mask_key, lambda message: watch.phase("data", message))
    if job.data.drop_missing_target:
        watch.phase("data", f"{dataset.rows_left_out:,} rows without a target are left out")
    columns.check_names(dataset.served_columns, [export.output_name(dataset.task)])
    rest, held_out = hold_out(dataset, job, generator)
    dataset = examine_split(job, dataset, rest, held_out)
    rows, validation = (rest, None) if job.source == "onnx" else set_aside(dataset, rest, job, generator)
    measurable.check(job, dataset, held_out, validation)
    if job.source == "onnx":
        return take_in(job, inputs.folder, dataset, rows, held_out, watch)
    secret = derive_noise_key(inputs.run_key, job, inputs.provenance)
    setting = Setting(dataset, inputs.folder, inputs.device, inputs.init, secret)
    making = Making(job, setting, rows, validation, held_out, progress, watch)
    making.check_form()
    making.choose_settings()
    making.cross_validate()
    trained = making.descend(generator)
    watch.phase("export", "exporting and checking the model")
    return making.finish(trained)


class Making:
    """The stages between rows and a finished model. What each leaves behind stands in its attributes."""

    def __init__(
        self,
        job: Job,
        setting: Setting,
        rows: Rows,
        validation: Rows | None,
        held_out: Rows,
        progress: Progress,
        watch: Watch,
    ) -> None:
        self.job, self._setting = job, setting
        self._rows, self._validation, self._held_out = rows, validation, held_out
        self._watch = watch
        self._progress = progress
        self.trials: tuple[Trial, ...] = ()

    def check_form(self) -> None:
        """Refuses a network of the user's that cannot be served, before anybody waits for its training."""
        if is_reference(self.job.model):
            self._watch.phase("data", f"exporting {self.job.model} as it is, to see that it can be served")
            check_form(self.job, self._setting, self._rows)

    def choose_settings(self) -> None:
        """Tries settings on the validation rows; the best ones become the job's."""
        wanted = self.job.search
        if wanted is None:
            return
        self._watch.phase("search", f"searching {', '.join(wanted.parameters)} in {wanted.trials} trials")
        from training.recipe.search import search

        found = search(wanted, self.job.seed, self._try, self._progress.study, lambda study: self._keep(study=study))
        self.job, self.trials = apply_settings(self.job, found.best), found.trials
        settings = ", ".join(f"{name} {value}" for name, value in found.best.items())
        self._watch.phase("search", f"the best of {len(found.trials)} trials: {settings}")

    def cross_validate(self) -> None:
        """Trains and measures on each fold of the training rows."""
        if not self.job.folds:
            return
        if not isinstance(self._rows, TensorRows):
            raise DataError("folds needs rows in memory; this data set is streamed", "leave out folds")
        drawing = torch.Generator().manual_seed(self.job.seed)
        in_time = self.job.data.time_column is not None
        for number, (others, held) in enumerate(folds.folds(self._rows, self.job.folds, drawing, in_time=in_time)):
            if number < len(self._progress.folds):
                continue
            self._watch.phase("folds", f"cross-validation: fold {number + 1} of {self.job.folds}")
            generator = torch.Generator().manual_seed(self.job.seed)
            others_rows = self._rows.take(others)
            trained = self._short(begin(self.job, self._setting, others_rows, self._validation, generator))
            metrics = evaluate(trained.model, self._rows.take(held))
            self._keep(folds=(*self._progress.folds, metrics))

    def descend(self, generator: torch.Generator) -> Trained:
        """The descent whose model is shipped; goes on where the progress was."""
        resume, kept = None, self._progress
        if kept.position is not None:
            resume = Position(**kept.position), safetensors.torch.load(kept.tensors)
        self._watch.phase("train", f"training {self.job.model} on {len(self._rows):,} rows")

        descending = begin(self.job, self._setting, self._rows, self._validation, generator, resume)
        loop = descending.loop

        def progress() -> Progress:
            tensors = safetensors.torch.save(loop.state())
            return dataclasses.replace(self._progress, position=dataclasses.asdict(loop.position), tensors=tensors)

        for epoch_ended in descending.epochs():
            self._look(descending, progress, epoch_ended)
        return descending.trained()

    def finish(self, trained: Trained) -> Made:
        """Measures, exports, checks and compresses the model."""
        dataset, task = self._setting.dataset, self._setting.dataset.task
        features, target = every_row(self._held_out)
        with blame_model(self.job, self.job.model, "mend the model's code"):
            answer_RK = answers(trained.model, features)
        metrics = measure(answer_RK, target, task)
        if not all(map(math.isfinite, metrics.values())):
            raise sgd.not_finite(f"metrics on held-out rows are {metrics}", trained.position, self.job)
        with blame_model(self.job, self.job.model, "mend the model's code"):
            content = faithful_onnx(trained.model, self._rows, task, self.job.model)
        export.check(content, features, answer_RK)
        descended = Descended(
            trained.model, trained.position, trained.stop_reason, trained.spent, self._validation, self.trials,
            self._progress.folds,
        )  # fmt: skip
        made = Made(
            self.job, dataset, self._rows, self._held_out, content, metrics, answer_RK, descended, compressed=None
        )
        return add_columns(compress_model(made))

    def _try(self, settings: Mapping[str, object], report: "Report") -> float:
        """One trial: the metric of the validation rows after its last epoch."""
        wanted, validation = self.job.search, self._validation
        if wanted is None or validation is None:
            raise AssertionError("internal error: a trial without a search")

        def tell(position: Position) -> None:
            report(position.epoch, sgd.find_metric("search.metric", wanted.metric, position))

        generator = torch.Generator().manual_seed(self.job.seed)
        job = apply_settings(self.job, settings)
        trained = self._short(begin(job, self._setting, self._rows, validation, generator), tell)
        return evaluate(trained.model, validation)[wanted.metric]

    def _short(self, descending: Descending, tell: Callable[[Position], None] = lambda position: None) -> Trained:
        """A trial or a fold: it is short, so what is kept is what was done before it."""
        for epoch_ended in descending.epochs():
            self._look(descending, lambda: self._progress, epoch_ended)
            if epoch_ended:
                tell(descending.loop.position)
        return descending.trained()

    def _look(self, descending: Descending, progress: Stage, epoch_ended: bool) -> None:
        loop = descending.loop
        last = epoch_ended and loop.stop_reason != ""
        self._watch.after(descending.job, progress, loop.position, rows=loop.rows, epoch_ended=epoch_ended, last=last)

    def _keep(self, **done: Any) -> None:
        self._progress = dataclasses.replace(self._progress, **done)


def compress_model(made: Made) -> Made:
    """As the job asks, if what is lost is no more than it allows. Raises ModelError."""
    job = made.job
    if job.compress is None:
        return made
    from training.recipe.compression import compress

    features, target = every_row(made.held_out)
    tried = compress(
        made.content,
        job.compress,
        made.train.first(CALIBRATION_ROWS)[0].numpy(),
        lambda model: measure(export.run(model, features), target, made.dataset.task),
    )
    if not tried.accepted:
        return dataclasses.replace(made, compressed=tried)
    return dataclasses.replace(
        made,
        content=tried.model,
        metrics=tried.metrics_after,
        answers=export.run(tried.model, features),
        compressed=tried,
    )


def add_columns(made: Made) -> Made:
    """With the table's own columns as inputs, where some hold categories."""
    wanted = made.dataset.served_columns
    if not wanted:
        return made
    content = columns.in_columns(made.content, wanted)
    rows = made.held_out.first(export.CHECKED_ROWS)[0]
    columns.check(content, wanted, rows, export.run(made.content, rows))
    return dataclasses.replace(made, content=content)


def take_in(
    job: Job,
    folder: Path,
    dataset: Dataset,
    rows: Rows,
    held_out: Rows,
    watch: Watch,
    largest: int = foreign.LARGEST_FILE,
) -> Made:
    """A model that was trained elsewhere, measured on rows that are held out here. Raises ModelError."""
    watch.phase("load", f"reading {job.model}")
    beside = None if sources.is_url(job.model) else (folder / Path(job.model).expanduser()).parent
    model = foreign.load(sources.read(job.model, folder, LARGEST_MODEL), dataset, beside, largest)
    if model.folder is not None:
        _check_large(job, dataset)
    features, target = every_row(held_out)
    answer_RK = model.answers(features)
    metrics = measure(answer_RK, target, dataset.task)
    content = model.content()
    made = Made(job, dataset, rows, held_out, content, metrics, answer_RK, Descended(), compressed=None)
    return add_columns(compress_model(made))


def _check_large(job: Job, dataset: Dataset) -> None:
    """Raises ModelError for what is not done to a model that one ONNX file cannot hold."""
    if job.compress is not None:
        raise ModelError("a model above 2 GB is not compressed", "leave out training.compress")
    if dataset.served_columns:
        names = ", ".join(column.name for column in dataset.served_columns if column.datatype == "BYTES")
        raise ModelError(
            f"a model above 2 GB takes numbers only, and columns of {dataset.name} hold texts: {names}",
            "encode them before, in the data",
        )


def examine_split(job: Job, dataset: Dataset, rest: Rows, held_out: Rows) -> Dataset:
    """With what is wrong with the split among its findings. Raises DataError for what is not allowed."""
    if not isinstance(rest, TensorRows) or not isinstance(held_out, TensorRows):
        return dataset
    found = quality.examine_split(rest, held_out)
    enforce(found, job.quality, job.dataset)
    return dataclasses.replace(dataset, findings=(*dataset.findings, *found))


def derive_noise_key(key: bytes, job: Job, provenance: Mapping[str, str]) -> bytes:
    """32 bytes: other ones for another run or other data, since equal noise on both would tell their difference."""
    made_from = json.dumps([job.identity(), dict(provenance)], sort_keys=True).encode()
    return hmac.new(key, b"sealift/1 privacy\0" + made_from, hashlib.sha256).digest()


def every_row(rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """All of them at once, in memory: the held-out rows of a set that is streamed are a sample that fits."""
    return rows.first(min(len(rows), MOST_HELD_OUT))


def apply_settings(job: Job, settings: Mapping[str, object]) -> Job:
    """The job with these settings, named as `search.parameters` does."""
    arguments = {name.partition(".")[2]: value for name, value in settings.items() if "." in name}
    plain = {snake_case(name): value for name, value in settings.items() if "." not in name}
    return dataclasses.replace(job, **plain, model_arguments={**job.model_arguments, **arguments})  # type: ignore[arg-type]
