"""What one training run is: its settings, whether they can be one, and the digests of all else that shapes the model.

Standard library only: the plugin validates a preview with it where torch may not be installed. It trains nothing.
"""

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from training import sources, user_code
from training.options import (
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
from training.reading import (
    LARGEST_WHOLE,
    Problem,
    Reader,
    RefusedError,
    arguments,
    boolean,
    is_reference,
    number_within,
    one_of,
    positive_number,
    reference,
    shown,
    text,
    texts,
    whole_number,
)
from training.recipe import processor as machine

RECIPE: Final = Path(__file__).with_name("recipe")
"""The package of all that shapes the model's bytes."""
NETWORKS: Final = ("net", "mlp", "cnn", "textClassifier", "recommender", "audioCnn")
LOSSES: Final = ("mse", "mae", "huber", "crossEntropy", "bce")
SHAPING_LIBRARIES: Final = ("torch", "numpy", "scikit-learn", "onnx", "pyarrow")
"""Another version of these may give other bytes of the same model."""
NEEDED_LIBRARIES: Final = (*SHAPING_LIBRARIES, "safetensors", "onnxruntime")


@dataclass(frozen=True)
class Job:
    """The settings of one run. Two runs with equal jobs, data, code, libraries and processor make the same model, bit
    for bit.
    """

    source: str = "training"
    """"training", or "onnx": `model` is the path or URL of an ONNX file that was trained elsewhere."""
    dataset: str = "diabetes"
    """A set that scikit-learn ships ("diabetes", "digits", "iris", "wine", "breast_cancer"); the path or URL of a CSV,
    TSV, Parquet or NPZ file; or `package.module:function`."""
    data: Data = field(default_factory=Data)
    model: str = "net"
    """One of NETWORKS, or `package.module:Class`: a torch module of the program's folder or of an installed package."""
    model_arguments: Mapping[str, object] = field(default_factory=dict)
    """Keyword arguments of its constructor."""
    loss: str | None = None
    """One of LOSSES; None: mse for a regression, crossEntropy for classes."""
    learning_rate: float = 0.01
    """Of SGD; above 0, at most 1,000,000."""
    momentum: float = 0.0
    """Share of each step that the next one keeps; from 0, below 1."""
    nesterov: bool = False
    """Look ahead along the momentum (Nesterov 1983), as torch.optim.SGD does."""
    weight_decay: float = 0.0
    """Share of a weight that is added to its gradient; from 0."""
    gradient_clip: float | None = None
    """Largest norm that all gradients together may have; longer ones are scaled down to it. None: any."""
    schedule: Schedule = field(default_factory=Schedule)
    epochs: int = 100
    """Passes over the training rows, at most; 1 to 10,000,000."""
    batch_size: int = 32
    """Rows per step, 1 to 1,000,000; more than there are means all of them."""
    seed: int = 0
    """Of the split, the initial weights and the shuffling; 0 to 2^53 - 1."""
    stop_loss: float | None = None
    """Stop after the epoch whose mean training loss is at or below this; above 0, at most 1,000,000; None: never.
    The loss is the one that progress shows: the loss function's, on a standardised target."""
    early_stopping: EarlyStopping | None = None
    init_from: InitFrom | None = None
    freeze: tuple[str, ...] = ()
    """Beginnings of the names of parameters that training leaves as they are."""
    augment: str | None = None
    """`package.module:function`, called with a batch's features and a seeded generator; returns other features."""
    folds: int = 0
    """Folds of a cross-validation before the run, 2 to 20; 0: none."""
    search: Search | None = None
    deterministic: bool = True
    """Refuse what cannot be repeated bit for bit."""
    privacy: Privacy | None = None
    masking: Mapping[str, Masking] = field(default_factory=dict)
    """By column."""
    quality: Quality = field(default_factory=Quality)
    gates: Gates = field(default_factory=Gates)
    compress: Compress | None = None
    compute: Compute = field(default_factory=Compute)
    device: str = "cpu"
    """"cpu", "cuda", or "auto": cuda where there is one."""
    precision: str = "fp32"
    """"fp32", or "bf16": matrix products in bfloat16, weights in FP32."""
    model_card: ModelCard = field(default_factory=ModelCard)
    threads: int = 1
    """Of torch, 1 to 64. Part of the run's identity: sums are split by thread, so it can change the last bit."""

    @staticmethod
    def validate(raw: Mapping[str, object], folder: Path | None = None) -> "tuple[Job | None, list[Problem]]":
        """The job that `raw` describes, or every problem it has. Names as in Pulumi; absent or None: the default.

        `folder` is where paths and the user's modules are; without it, whether they are there is not looked at.
        """
        reader = Reader(raw)
        plain = Job()
        job = Job(
            source=reader.read("source", one_of("training", "onnx"), plain.source),
            dataset=reader.read("dataset", text, plain.dataset),
            data=reader.section("data", Data.read) or plain.data,
            model=reader.read("model", text, plain.model),
            model_arguments=reader.read("modelArguments", arguments, {}),
            loss=reader.read("loss", one_of(*LOSSES), None),
            learning_rate=reader.read("learningRate", positive_number(1e6, "0.01"), plain.learning_rate),
            momentum=reader.read("momentum", number_within(0, 1, below=True), 0.0),
            nesterov=reader.read("nesterov", boolean, False),
            weight_decay=reader.read("weightDecay", number_within(0, 1e6), 0.0),
            gradient_clip=reader.read("gradientClip", positive_number(1e9, "1"), None),
            schedule=reader.section("schedule", Schedule.read) or plain.schedule,
            epochs=reader.read("epochs", whole_number(1, 10_000_000), plain.epochs),
            batch_size=reader.read("batchSize", whole_number(1, 1_000_000), plain.batch_size),
            seed=reader.read("seed", whole_number(0, LARGEST_WHOLE), plain.seed),
            stop_loss=reader.read("stopLoss", positive_number(1e6, "0.5; without it, all epochs run"), None),
            early_stopping=reader.section("earlyStopping", EarlyStopping.read),
            init_from=reader.section("initFrom", InitFrom.read),
            freeze=reader.read("freeze", texts, ()),
            augment=reader.read("augment", reference, None),
            folds=reader.read("folds", _folds, 0),
            search=reader.section("search", Search.read),
            deterministic=reader.read("deterministic", boolean, True),
            privacy=reader.section("privacy", Privacy.read),
            masking=reader.sections("masking", lambda name, inner: Masking.read(inner)),
            quality=reader.section("quality", Quality.read) or plain.quality,
            gates=reader.section("gates", Gates.read) or plain.gates,
            compress=reader.section("compress", Compress.read),
            compute=reader.section("compute", Compute.read) or plain.compute,
            device=reader.read("device", one_of("auto", "cpu", "cuda"), plain.device),
            precision=reader.read("precision", one_of("fp32", "bf16"), plain.precision),
            model_card=reader.section("modelCard", ModelCard.read) or plain.model_card,
            threads=reader.read("threads", whole_number(1, 64), plain.threads),
        )
        job._refuse_contradictions(reader)
        job._refuse_missing(reader, folder)
        problems = sorted(reader.problems, key=lambda problem: INPUTS.index(problem.property.partition(".")[0]))
        reader.refuse_unknown("a training run")
        problems += [problem for problem in reader.problems if problem not in problems]
        return (None if problems else job), problems

    def properties(self) -> dict[str, object]:
        """The job as `validate` reads it: property names as in Pulumi; what is as by default is left out."""
        given = {
            name: value for name, value in vars(self).items() if name in ALWAYS_SAID or value != getattr(DEFAULT, name)
        }
        return {_camel_case(name): _properties(value) for name, value in given.items()}

    def digest(self, data_digest: str, code_digest: str, libraries: str, processor: str) -> str:
        """The run's identity, 64 hex digits: SHA-256 of all that shapes the model, as canonical JSON.

        What is off by default, and is off, is no part of it, so that a release with a new setting knows the runs of the
        last one; every other setting is, also as by default, so that a release with another default trains anew.
        """
        identity = {
            "job": _said(self), "data": data_digest, "code": code_digest, "libraries": libraries,
            "processor": processor,
        }  # fmt: skip
        canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def processes(self) -> int:
        """That work on it together."""
        return self.compute.processes

    @property
    def hashes(self) -> bool:
        """Whether a mask hashes, which needs a key."""
        return any(masking.method == "hash" for masking in self.masking.values())

    @property
    def validates(self) -> bool:
        """Whether rows are set aside to look at while training."""
        return self.data.validation > 0 or self.early_stopping is not None or self.search is not None

    def _refuse_contradictions(self, reader: Reader) -> None:
        if sources.is_table(self.dataset) and self.data.target is None:
            reader.refuse("data", "names no target; give data.target, the column to predict")
        if self.nesterov and self.momentum == 0:
            reader.refuse("nesterov", "is true; it needs a momentum above 0, such as 0.9")
        if self.source == "training" and not is_reference(self.model) and self.model not in NETWORKS:
            networks = ", ".join(map(repr, NETWORKS))
            reader.refuse("model", f"is {shown(self.model)}; allowed: {networks}, or package.module:Class")
        if self.source == "onnx":
            for name in ("augment", "folds", "freeze", "init_from", "privacy", "search", "early_stopping"):
                if getattr(self, name):
                    reader.refuse(_camel_case(name), "is for training; with source 'onnx' nothing is trained")
        if self.processes > 1:
            for name in ("privacy", "search", "folds"):
                if getattr(self, name):
                    reader.refuse(_camel_case(name), f"works in one process; compute asks for {self.processes}")
        if self.privacy is not None:
            self._refuse_beside_privacy(reader)

    def _refuse_beside_privacy(self, reader: Reader) -> None:
        if self.augment or self.gradient_clip:
            reader.refuse("privacy", "clips each row's gradient itself; leave out gradientClip and augment")
        for name in ("search", "folds", "early_stopping", "stop_loss"):
            if getattr(self, name):
                reader.refuse(_camel_case(name), "would tell of rows beyond the budget of privacy; leave it out")
        if self.precision != "fp32":
            reader.refuse("precision", f"is {self.precision!r}; with privacy it must be 'fp32'")

    def _refuse_missing(self, reader: Reader, folder: Path | None) -> None:
        problem = sources.check(self.dataset, folder)
        if problem is None and folder is not None:
            problem = sources.too_large(self.dataset, folder, self.data.memory_bytes)
        if problem is not None:
            reader.refuse("dataset", f"is {shown(self.dataset)}; {problem}")
        if folder is None:
            return
        for name in ("model", "augment"):
            code = getattr(self, name)
            missing = user_code.check(code, folder) if code and is_reference(code) else None
            if missing is not None:
                reader.refuse(name, f"is {code!r}; {missing}")
        if self.source == "onnx" and "://" not in self.model and not (folder / self.model).is_file():
            reader.refuse("model", f"is {self.model!r}; with source 'onnx' it must be the path or URL of an ONNX file")


DEFAULT: Final = Job()
ALWAYS_SAID: Final = ("dataset", "model", "learning_rate", "epochs", "batch_size", "seed", "threads")
INPUTS: Final = tuple(  # of TrainingRun, as Pulumi spells them
    first + "".join(word.capitalize() for word in rest)
    for first, *rest in (one.name.split("_") for one in dataclasses.fields(Job))
)


def data_digest(job: Job, folder: Path) -> str:
    """64 hex digits: SHA-256 of the data set's content, or of the code that makes it, and of an ONNX file to take in.

    Raises DataError, ModelError.
    """
    digests = {"dataset": sources.digest(job.dataset, folder, job.data)}
    if job.source == "onnx":
        digests["model"] = sources.digest(job.model, folder, job.data)
    return _digest(digests)


def code_digest(job: Job, folder: Path) -> str:
    """64 hex digits: SHA-256 over the recipe's modules and the user's, whatever their path, modes and times.

    Raises ModelError.
    """
    digests = {path.relative_to(RECIPE).as_posix(): _hashed(path) for path in sorted(RECIPE.rglob("*.py"))}
    for code in (job.model, job.augment):
        if code and job.source == "training" and is_reference(code):
            digests[code] = user_code.digest(code, folder)
    return _digest(digests)


def libraries() -> str | None:
    """The versions that can change the model's bytes, "torch 2.15.0, …"; None if any needed library is absent."""
    try:
        versions = {name: importlib.metadata.version(name) for name in NEEDED_LIBRARIES}
    except importlib.metadata.PackageNotFoundError:
        return None
    return ", ".join(f"{name} {versions[name]}" for name in SHAPING_LIBRARIES)


def processor(job: Job) -> str:
    """The kind of machine, as far as it can change the model's bytes: recipe.processor says what is pinned."""
    return machine.processor(gpus=job.device != "cpu", bf16=job.precision == "bf16")


def _folds(value: object) -> int:
    number = whole_number(0, 20)(value)
    if number == 1:
        raise RefusedError("it must be a whole number from 2 to 20, or 0 for none")
    return number


def _said(settings: object) -> dict[str, object]:
    """A dataclass of settings, spelt as in Pulumi and without what is off by default and is off."""
    default = type(settings)()
    said = {}
    for name, value in vars(settings).items():
        plain = getattr(default, name)
        if isinstance(value, Mapping):
            spelt: object = {key: _spelt(one) for key, one in value.items()}
        else:
            spelt = _spelt(value)
        if value != plain or spelt:
            said[_camel_case(name)] = spelt
    return said


def _spelt(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return _said(value)
    return list(value) if isinstance(value, tuple) else value


def _properties(value: object) -> object:
    """Objects inside, spelt as in Pulumi and without what they have by default."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        default = type(value)()
        given = {name: one for name, one in vars(value).items() if one != getattr(default, name)}
        return {_camel_case(name): _properties(one) for name, one in given.items()}
    if isinstance(value, Mapping):
        return {name: _properties(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _hashed(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(digests: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()
