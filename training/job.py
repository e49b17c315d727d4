"""One training run: its settings, their validation, and the digests of everything else that changes the model.

Standard library only: the plugin validates a preview with it where torch may not be installed. It trains nothing.
"""

import contextlib
import hashlib
import importlib.metadata
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

from sealift.durable import file_set
from sealift.names import camel_case
from sealift.settings import Clash, Kind, Problem, Refused, kinds, properties, read, section, sections, setting
from sealift.settings.declare import declarations
from sealift.settings.read import names_of, spell
from training import sources, user_code
from training.errors import InputError, TrainingError
from training.options import (
    CLASS_WEIGHTS,
    Compress,
    Compute,
    Data,
    EarlyStopping,
    Gates,
    InitFrom,
    Masking,
    ModelCard,
    Privacy,
    Quality,
    Schedule,
    Search,
)
from training.recipe import processor as machine
from training.recipe.models import NETWORKS
from training.tasks import LOSSES_OF, find_known_task, misfits
from training.weight_files import weight_files

RECIPE: Final = Path(__file__).with_name("recipe")
"""Package of all code that changes the model's bytes."""
LOSSES: Final = tuple(name for losses in LOSSES_OF.values() for name in losses)
SHAPING_LIBRARIES: Final = ("torch", "numpy", "scikit-learn", "onnx", "pyarrow")
"""Libraries whose versions may change the model's bytes."""
ALWAYS_SAID: Final = ("dataset", "model", "learning_rate", "epochs", "batch_size", "seed", "threads")
NEEDED_LIBRARIES: Final = (*SHAPING_LIBRARIES, "safetensors", "onnxruntime")


def _folds(value: object) -> int:
    number = kinds.whole_number(0, 20).accept(value)
    if number == 1:
        raise Refused("allowed: a whole number from 2 to 20, or 0 for no cross-validation")
    return number


FOLDS: Final = Kind("integer", "a whole number from 2 to 20, or 0 for no cross-validation", _folds)


def _check_accumulated(value: object) -> int:
    """Returns 0 for 1: both mean the same run, so they have the same value."""
    number = kinds.whole_number(0, 10_000).accept(value)
    return 0 if number == 1 else number


ACCUMULATED: Final = Kind("integer", "a whole number from 0 to 10,000", _check_accumulated)


@dataclass(frozen=True)
class Job:
    """Settings of one training run. Settings declared with `shapes=False` check the model, describe it or name a place.
    Two runs whose other settings, data, code, libraries and processor are equal make the same model, bit for bit.
    """

    source: str = setting(
        kinds.one_of("training", "onnx"),
        "training",
        'Origin of the model. With "onnx", `model` is the path or URL of an ONNX file trained elsewhere, with the '
        "files of its weights beside it.",
    )
    dataset: str = setting(
        kinds.place,
        "diabetes",
        f"Data set to train on: one that scikit-learn ships ({', '.join(sources.BUILT_IN)}), the path or URL of a CSV, "
        "TSV, Parquet or NPZ file, or `package.module:function`. A URL may be a secret: its password, query and "
        "fragment are never shown or kept in the clear.",
    )
    data: Data = section(Data, Data(), "Instructions for reading the data set.")
    model: str = setting(
        kinds.place,
        "net",
        f"Network to train: {', '.join(f'`{name}`' for name in NETWORKS)}, or `package.module:Class` for a torch "
        "module of the program's folder or of an installed package.",
    )
    model_arguments: Mapping[str, object] = setting(
        kinds.arguments, {}, "Keyword arguments of the model's constructor."
    )
    model_path: str | None = setting(
        kinds.text,
        None,
        "Folder of your modules (model, augment, a data set's function), relative to the program's folder. If not set, "
        "`models` and then the program's own folder.",
        shapes=False,
    )
    loss: str | None = setting(
        kinds.one_of(*LOSSES),
        None,
        "Loss function to minimise. If not set, mse for a regression and crossEntropy for a classification.",
    )
    class_weights: str | Mapping[str, float] | None = setting(
        CLASS_WEIGHTS,
        None,
        "Weight of each class in the losses crossEntropy and bce, which are then weighted means. A class that is not "
        'named has the weight 1. "balanced" makes weights inverse to the classes\' shares of the training rows. '
        "Metrics count every row alike.",
    )
    learning_rate: float = setting(
        kinds.positive_number(1e6, "0.01"), 0.01, "Learning rate of SGD: the step size along the gradient."
    )
    momentum: float = setting(
        kinds.number_within(0, 1, below=True),
        0.0,
        "Momentum of SGD: the share of each step that is added to the following step.",
    )
    nesterov: bool = setting(kinds.boolean, False, "Whether the momentum is Nesterov's (1983), as in torch.optim.SGD.")
    weight_decay: float = setting(
        kinds.number_within(0, 1e6), 0.0, "L2 penalty added to the gradient (weight decay): this times the weight."
    )
    gradient_clip: float | None = setting(
        kinds.positive_number(1e9, "1"),
        None,
        "Largest norm of all gradients together. Longer gradients are scaled down to it. If not set, there is no "
        "limit.",
    )
    schedule: Schedule = section(Schedule, Schedule(), "Schedule of the learning rate over the epochs.")
    epochs: int = setting(kinds.whole_number(1, 10_000_000), 100, "Largest number of passes over the training rows.")
    batch_size: int = setting(
        kinds.whole_number(1, 1_000_000), 32, "Training rows per batch. If there are fewer, each batch has all of them."
    )
    accumulate_steps: int = setting(
        ACCUMULATED,
        0,
        "Number of batches whose gradients are averaged before each step (gradient accumulation): the step of a larger "
        "batch, in the memory of one. The average is weighted by rows, or by their `classWeights`. With 0 or 1, each "
        "batch is a step.",
    )
    seed: int = setting(
        kinds.whole_number(0, kinds.LARGEST_WHOLE),
        0,
        "Seed of the random split, the initial weights and the shuffling.",
    )
    stop_loss: float | None = setting(
        kinds.positive_number(1e6, "0.5; leave it out to run all epochs"),
        None,
        "Mean training loss of an epoch at or below which training ends. If not set, the loss never ends it. It is the "
        "loss that progress shows, on a standardised target.",
    )
    early_stopping: EarlyStopping | None = section(
        EarlyStopping, None, "Early stopping by a metric of the validation rows. If not set, all epochs run."
    )
    init_from: InitFrom | None = section(
        InitFrom, None, "Weights that training starts from. If not set, they are random."
    )
    freeze: tuple[str, ...] = setting(
        kinds.texts, (), "Prefixes of the names of parameters that training does not change, such as `body.`."
    )
    augment: str | None = setting(
        kinds.reference,
        None,
        "Data augmentation: a function that gets a step's features and a seeded generator, and returns other features.",
    )
    folds: int = setting(
        FOLDS,
        0,
        "Number of folds of a cross-validation before the run. With `data.timeColumn`, "
        "each fold trains on earlier rows than those it is measured on.",
    )
    search: Search | None = section(Search, None, "Hyperparameter search before the run. If not set, none runs.")
    deterministic: bool = setting(
        kinds.boolean, True, "Whether operations are refused whose result cannot be repeated bit for bit."
    )
    privacy: Privacy | None = section(
        Privacy, None, "Differentially private training. If not set, training is not private."
    )
    masking: Mapping[str, Masking] = sections(Masking, "Masking of columns, by the column's name.")
    quality: Quality = section(Quality, Quality(), "Quality checks that the data set must pass.")
    gates: Gates = section(Gates, Gates(), "Quality gates that the model must pass to be sealed.", shapes=False)
    compress: Compress | None = section(
        Compress, None, "Compression of the trained model. If not set, the model stays as trained."
    )
    compute: Compute = section(Compute, Compute(), "Number of processes that share the work, and their place.")
    device: str = setting(
        kinds.one_of("auto", "cpu", "cuda"),
        "cpu",
        'Device that trains the model. "auto" means cuda if a GPU is present, else cpu.',
    )
    precision: str = setting(
        kinds.one_of("fp32", "bf16"),
        "fp32",
        'Precision of the training. With "bf16", matrix products are in bfloat16 and weights in FP32.',
    )
    model_card: ModelCard = section(
        ModelCard, ModelCard(), "Model card: statements of the makers that the report shows.", shapes=False
    )
    threads: int = setting(
        kinds.whole_number(1, 64),
        1,
        "Number of torch's threads. Another number can change the model's last bits, so it retrains the model.",
    )

    @classmethod
    def validate(
        cls, raw: Mapping[str, object], folder: Path | None = None, *, path: str = "", unknown: Collection[str] = ()
    ) -> tuple[Self | None, list[Problem]]:
        """Returns the job that `raw` describes, or every problem. Names are Pulumi's; an absent or None value means the
        default.

        `folder` has the paths and the user's modules; without it, their existence is not checked. `path` is the prefix
        of property paths. `unknown` are names whose values are not known yet.
        """
        job, problems = read(
            cls, raw, "training", path=path, unknown=unknown, outside=lambda job: _find_missing(job, folder)
        )
        return (None if problems else job), problems

    def clashes(self) -> Iterator[Clash]:
        """Yields the conflicts between settings."""
        if sources.is_table(self.dataset) and self.data.target is None:
            yield Clash("data", "has no target; set data.target to the column to predict", ("dataset",))
        for name in ("split", "time_column", "drop_missing_target"):
            if getattr(self.data, name) and not sources.is_table(self.dataset):
                message = f"has {camel_case(name)}, which needs columns; dataset must be a CSV or Parquet file"
                yield Clash("data", message, ("dataset",))
        if self.data.image is not None and sources.form(self.dataset) != sources.PARQUET:
            yield Clash(
                "data", "has image, which needs a column of files; dataset must be a Parquet file", ("dataset",)
            )
        targets = sources.targets(self.dataset)
        if targets and self.data.target not in (None, *targets):
            message = f"has the target {kinds.show_value(self.data.target)}; allowed: {', '.join(targets)}"
            yield Clash("data", message, ("dataset",))
        if self.nesterov and self.momentum == 0:
            yield Clash("nesterov", "is true; it needs a momentum above 0, such as 0.9", ("momentum",))
        if self.source == "training" and not kinds.is_reference(self.model) and self.model not in NETWORKS:
            networks = ", ".join(map(repr, NETWORKS))
            message = f"is {kinds.show_value(self.model)}; allowed: {networks}, or package.module:Class"
            yield Clash("model", message, ("source",))
        task = find_known_task(self)
        if task is not None:
            yield from misfits(self, task)
        if self.source == "onnx":
            for name in (
                "augment",
                "class_weights",
                "folds",
                "freeze",
                "init_from",
                "privacy",
                "search",
                "early_stopping",
            ):
                if getattr(self, name):
                    yield Clash(
                        camel_case(name),
                        "is a setting of training; leave it out, since source 'onnx' trains nothing",
                        ("source",),
                    )
        if self.processes > 1:
            for name in ("privacy", "search", "folds"):
                if getattr(self, name):
                    yield Clash(
                        name, f"works in one process only, and compute.processes is {self.processes}", ("compute",)
                    )
        yield from self._clashes_with_place(self.compute)
        if self.search is not None:
            yield from self._clashes_in_search(self.search)
        if self.privacy is not None:
            yield from self._clashes_with_privacy()

    def _clashes_with_place(self, place: Compute) -> Iterator[Clash]:
        if place.kind == "local":
            for one in fields(Compute):
                if one.name not in ("kind", "processes", "processor") and getattr(place, one.name) != one.default:
                    message = f"is {kinds.show_value(getattr(place, one.name))}; it needs compute.kind 'job'"
                    yield Clash(f"compute.{camel_case(one.name)}", message, ("compute",))
            return
        if place.image is None:
            yield Clash("compute.image", "is missing; compute.kind 'job' needs the image of the pod", ("compute",))
        if place.processes % place.nodes:
            message = f"is {place.nodes}, which does not divide compute.processes, {place.processes}"
            yield Clash("compute.nodes", message, ("compute",))
        if (self.device == "cuda") != (place.gpus > 0):
            message = f"is {place.gpus}, and device is {self.device!r}; set both, or neither"
            yield Clash("compute.gpus", message, ("compute", "device"))
        if sources.is_url(self.dataset):
            message = "is a URL, which the pod has no credentials for; give a file, or set compute.kind to 'local'"
            yield Clash("dataset", message, ("compute",))
        if self.init_from is not None and self.init_from.path is None:
            message = "names an artifact, which the pod cannot read; give initFrom.path, or set compute.kind to 'local'"
            yield Clash("initFrom", message, ("compute",))

    def properties(self) -> dict[str, object]:
        """Returns the job in the form that `validate` reads, with Pulumi's names. Leaves out settings with their
        default, except those that describe every run.
        """
        said = {camel_case(name): spell(getattr(self, name)) for name in ALWAYS_SAID}
        return properties(self) | said

    def identity(self) -> dict[str, object]:
        """Returns the `properties` that change the model."""
        said = {camel_case(name): spell(getattr(self, name)) for name in ALWAYS_SAID}
        return {**spell(self, shapes=True), **said}

    def requirements(self) -> dict[str, object]:
        """Returns the other `properties`, which check the model or describe it."""
        return {**spell(self, shapes=False)}

    def digest(self, data_digest: str, code_digest: str, libraries: str, processor: str) -> str:
        """Returns the run's identity, 64 hex digits: SHA-256 of everything that changes the model, as canonical JSON.

        Settings that are off by default are left out while they are off, so that a release with a new setting
        recognises earlier runs. All other settings are included, so that a release with another default trains again.
        """
        job = spell(self, only_off=True, shapes=True)
        job["compute"]["kind"] = "local"  # once the only place; kept, so that the runs of earlier releases are found
        identity = {
            "job": job, "data": data_digest, "code": code_digest,
            "libraries": libraries, "processor": processor,
        }  # fmt: skip
        canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def roots(self, folder: Path) -> user_code.Roots:
        """Returns the folders of the user's modules. `folder` is the program's."""
        return user_code.roots(folder, self.model_path)

    @property
    def processes(self) -> int:
        """Number of processes that work on the run."""
        return self.compute.processes

    @property
    def rows_per_step(self) -> int:
        """Number of rows of all batches whose gradients make one step."""
        return self.batch_size * max(1, self.accumulate_steps)

    @property
    def hashes(self) -> bool:
        """Whether a mask hashes, so that a key is needed."""
        return any(masking.method == "hash" for masking in self.masking.values())

    @property
    def validates(self) -> bool:
        """Whether some rows are kept for validation during training."""
        return self.data.validation > 0 or self.early_stopping is not None or self.search is not None

    def _clashes_in_search(self, search: Search) -> Iterator[Clash]:
        """Yields a conflict for each value of the search that the setting itself would refuse."""
        for one in declarations(type(self)):
            tried = search.parameters.get(one.name)
            if tried is None or one.kind is None:
                continue
            for value in tried.choices or (tried.low, tried.high):
                try:
                    one.kind.accept(value)
                except Refused as refused:
                    yield Clash("search", f"would try {kinds.show_value(value)} for {one.name}; {refused}")

    def _clashes_with_privacy(self) -> Iterator[Clash]:
        if self.augment or self.gradient_clip:
            yield Clash("privacy", "clips each row's gradient itself; leave out gradientClip and augment")
        if self.class_weights is not None:
            yield Clash("classWeights", "makes one row's gradient depend on other rows; leave it out", ("privacy",))
        if self.accumulate_steps:
            yield Clash(
                "accumulateSteps",
                "needs batches of a fixed size, and privacy draws them at random; leave it out",
                ("privacy",),
            )
        for name in ("search", "folds", "early_stopping", "stop_loss"):
            if getattr(self, name):
                message = "would reveal more of the rows than the privacy budget allows; leave it out"
                yield Clash(camel_case(name), message, ("privacy",))
        if self.precision != "fp32":
            yield Clash("precision", f"is {self.precision!r}; with privacy it must be 'fp32'", ("privacy",))


INPUTS: Final = names_of(Job)
"""Inputs of TrainingRun, by their names in Pulumi."""


def data_digest(job: Job, folder: Path) -> str:
    """Returns 64 hex digits: SHA-256 of the data set's content, or of the code that makes it, and of the files of a
    foreign model or initial weights.

    Raises InputError.
    """
    with _find_named("dataset", job.dataset):
        digests = {"dataset": sources.digest(job.dataset, folder, job.data, job.roots(folder))}
    if job.source == "onnx":
        with _find_named("model", job.model):
            digests["model"] = sources.digest(job.model, folder, job.data)
            if not sources.is_url(job.model):
                beside = weight_files(folder / Path(job.model).expanduser())
                digests |= {f"model/{name}": sources.file_digest(path) for name, path in beside.items()}
    if job.init_from is not None and job.init_from.path is not None:
        with _find_named("initFrom.path", job.init_from.path):
            digests["initFrom"] = sources.digest(job.init_from.path, folder, job.data)
    return file_set.digest(digests)


def code_digest(job: Job, folder: Path) -> str:
    """Returns 64 hex digits: SHA-256 of the recipe's and the user's modules, independent of their paths, modes and
    times.

    Raises InputError.
    """
    digests = {path.relative_to(RECIPE).as_posix(): file_set.of_file(path) for path in RECIPE.rglob("*.py")}
    for name, code in (("model", job.model), ("augment", job.augment)):
        if code and job.source == "training" and kinds.is_reference(code):
            with _find_named(name, code):
                digests[code] = user_code.digest(code, job.roots(folder))
    return file_set.digest(digests)


def read_files(job: Job, folder: Path) -> set[Path]:
    """Returns the files that the user's code may read, since the digests cover them. Raises ModelError."""
    roots = job.roots(folder)
    code = [one for one in (job.dataset, job.model, job.augment) if one and kinds.is_reference(one)]
    found = {file for one in code if not sources.is_url(one) for file in user_code.files(one, roots)}
    named = [job.dataset, job.model, *([job.init_from.path] if job.init_from and job.init_from.path else [])]
    return found | {folder / Path(one).expanduser() for one in named if not sources.is_url(one)}


@contextlib.contextmanager
def _find_named(path: str, value: str) -> Iterator[None]:
    """Raises a TrainingError inside the block as InputError of this property."""
    try:
        yield
    except TrainingError as error:
        raise InputError(path, value, error) from error


def libraries(job: Job) -> str | None:
    """Returns the versions that can change the model, "torch 2.15.0, …". None if a needed library is missing."""
    shaping = (*SHAPING_LIBRARIES, *(["pillow"] if job.data.image is not None else []))
    try:
        versions = {name: importlib.metadata.version(name) for name in (*NEEDED_LIBRARIES, *shaping)}
    except importlib.metadata.PackageNotFoundError:
        return None
    return ", ".join(f"{name} {versions[name]}" for name in shaping)


def processor(job: Job) -> str:
    """Returns the kind of machine, as far as it can change the model's bytes. recipe.processor documents what is
    pinned.
    """
    return machine.describe_processor(gpus=job.device != "cpu", bf16=job.precision == "bf16")


def _find_missing(job: Job, folder: Path | None) -> Iterator[Clash]:
    """Yields a problem for each missing file or module, and for a data set that exceeds the memory limit."""
    roots = () if folder is None else job.roots(folder)
    problem = sources.check(job.dataset, folder, roots)
    if problem is None and folder is not None:
        problem = sources.too_large(job.dataset, folder, job.data.memory_bytes)
    if problem is not None:
        yield Clash("dataset", f"is {kinds.show_value(job.dataset)}; {problem}")
    if folder is None:
        return
    if job.model_path is not None and not roots[0].is_dir():
        yield Clash("modelPath", f"is {kinds.show_value(job.model_path)}; the folder {roots[0]} does not exist")
    for name in ("model", "augment"):
        code = getattr(job, name)
        missing = user_code.check(code, roots) if code and kinds.is_reference(code) else None
        if missing is not None:
            yield Clash(name, f"is {code!r}; {missing}")
    init = job.init_from.path if job.init_from is not None else None
    if init is not None and not sources.is_url(init) and not (folder / Path(init).expanduser()).is_file():
        yield Clash(
            "initFrom.path", f"is {kinds.show_value(init)}; the file {folder / Path(init).expanduser()} does not exist"
        )
    if job.source == "onnx" and "://" not in job.model and not (folder / job.model).is_file():
        path = "with source 'onnx' it must be the path or URL of an ONNX file"
        yield Clash("model", f"is {kinds.show_value(job.model)}; {path}")
