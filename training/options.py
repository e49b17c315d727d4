"""What a run can be told beyond its plain settings: one frozen dataclass for each object among a TrainingRun's inputs.

Standard library only. Each `read` takes the properties' values, notes what cannot be, and falls back to the default.
Names of properties are the fields' in camelCase.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from training.reading import (
    Accept,
    Reader,
    RefusedError,
    arguments,
    boolean,
    number_within,
    one_of,
    positive_number,
    shown,
    text,
    texts,
    whole_number,
)

Task = Literal["regression", "classification"]

METRICS: Final = {
    "loss": "down",
    "mse": "down",
    "mae": "down",
    "r2": "up",
    "accuracy": "up",
    "balancedAccuracy": "up",
    "f1": "up",
    "auroc": "up",
}
"""Metrics of held-out or validation rows, and which way is better. `loss` is the loss function's; mse, mae and r2 are a
regression's, in the target's own unit; the others a classification's (f1 macro-averaged, auroc one-versus-rest)."""


@dataclass(frozen=True)
class Data:
    """How to read a data set that is a file, a URL or a function."""

    target: str | None = None
    """The column to predict; needed for CSV and Parquet. In an NPZ file the array `y` unless another is named."""
    features: tuple[str, ...] = ()
    """The columns to predict from; none named: all but the target. In an NPZ file the array `x` unless one is named."""
    task: str | None = None
    """"regression" or "classification"; None: classes if the target is text, boolean or has at most 20 whole values."""
    delimiter: str | None = None
    """Of a CSV file, one character; None: from the file's name and first line."""
    text: str | None = None
    """The one text column whose words are the features (model "textClassifier"), instead of columns of numbers."""
    held_out: float = 0.2
    """Share of the rows that no training sees and that the metrics are measured on; above 0, below 1."""
    validation: float = 0.0
    """Share of the rest that early stopping and the search look at; 0: a tenth where one of them is asked for."""
    memory_bytes: int = 2 * 2**30
    """A Parquet or CSV file that would take more than this in memory is streamed (Parquet) or refused (CSV)."""
    arguments: Mapping[str, object] = field(default_factory=dict)
    """Keyword arguments of the function that a data set `package.module:function` names."""

    @staticmethod
    def read(reader: Reader) -> "Data":
        return Data(
            target=reader.read("target", text, None),
            features=reader.read("features", texts, ()),
            task=reader.read("task", one_of("regression", "classification"), None),
            delimiter=reader.read("delimiter", _character, None),
            text=reader.read("text", text, None),
            held_out=reader.read("heldOut", number_within(0.01, 0.9), 0.2),
            validation=reader.read("validation", number_within(0.0, 0.9), 0.0),
            memory_bytes=reader.read("memoryBytes", whole_number(1, 2**50), 2 * 2**30),
            arguments=reader.read("arguments", arguments, {}),
        )


@dataclass(frozen=True)
class Schedule:
    """The learning rate over time, from the run's learning rate on."""

    kind: str = "constant"
    """"constant"; "step": times `factor` after every `stepEpochs`; "cosine": down to `minimum` at the last epoch."""
    warmup_epochs: int = 0
    """Epochs at the beginning over which the rate rises in equal steps, one per batch."""
    step_epochs: int = 30
    """Of "step"."""
    factor: float = 0.1
    """Of "step"."""
    minimum: float = 0.0
    """Of the cosine, a learning rate."""

    @staticmethod
    def read(reader: Reader) -> "Schedule":
        return Schedule(
            kind=reader.read("kind", one_of("constant", "step", "cosine"), "constant"),
            warmup_epochs=reader.read("warmupEpochs", whole_number(0, 10_000_000), 0),
            step_epochs=reader.read("stepEpochs", whole_number(1, 10_000_000), 30),
            factor=reader.read("factor", number_within(1e-9, 1.0), 0.1),
            minimum=reader.read("minimum", number_within(0.0, 1e6), 0.0),
        )


@dataclass(frozen=True)
class EarlyStopping:
    """Stops when a metric of the validation rows no longer gets better; the best epoch's weights are kept."""

    metric: str = "loss"
    """One of METRICS."""
    patience: int = 10
    """Epochs without an improvement after which training stops."""
    minimum_change: float = 0.0
    """What counts as one."""

    @staticmethod
    def read(reader: Reader) -> "EarlyStopping":
        return EarlyStopping(
            metric=reader.read("metric", one_of(*METRICS), "loss"),
            patience=reader.read("patience", whole_number(1, 1_000_000), 10),
            minimum_change=reader.read("minimumChange", number_within(0.0, 1e6), 0.0),
        )


@dataclass(frozen=True)
class InitFrom:
    """A sealed artifact, of the run's own store, whose weights training starts from."""

    artifact_id: str = ""
    """Output of the TrainingRun that made it, as is the next."""
    payload_digest: str = ""
    """64 hex digits."""

    @staticmethod
    def read(reader: Reader) -> "InitFrom":
        for name in ("artifactId", "payloadDigest"):
            if not reader.read(name, text, ""):
                reader.refuse(name, "is missing; it is an output of the TrainingRun whose weights are meant")
        return InitFrom(
            reader.read("artifactId", _hexadecimal(32), ""), reader.read("payloadDigest", _hexadecimal(64), "")
        )


@dataclass(frozen=True)
class Range:
    """The values that a search tries for one setting: an interval or a list."""

    low: float | None = None
    """Of an interval, as is the next."""
    high: float | None = None
    """Above low; both are tried too."""
    log: bool = False
    """Whether factors are alike rather than differences: 0.001 to 0.01 is as far as 0.1 to 1."""
    choices: tuple[object, ...] = ()
    """A list of values instead."""

    @staticmethod
    def read(reader: Reader) -> "Range":
        low = reader.read("low", number_within(-1e9, 1e9), None)
        high = reader.read("high", number_within(-1e9, 1e9), None)
        log = reader.read("log", boolean, False)
        nothing: tuple[object, ...] = ()
        choices = reader.read("choices", _choices, nothing)
        if choices and (low is not None or high is not None):
            reader.refuse("choices", "cannot be together with low and high: give either")
        elif not choices and (low is None or high is None or not low < high or (log and low <= 0)):
            reader.refuse("low", "and high must be given, low below high (and above 0 if log is true), or else choices")
        return Range(low, high, log, choices)


SEARCHABLE: Final = ("learningRate", "batchSize", "momentum", "weightDecay", "epochs", "gradientClip")


@dataclass(frozen=True)
class Search:
    """A search for good settings before the run: the best trial's are what is trained and sealed."""

    trials: int = 20
    """Runs that are tried, at most `epochs` each."""
    metric: str = "loss"
    """Of the validation rows."""
    parameters: Mapping[str, Range] = field(default_factory=dict)
    """By setting: one of SEARCHABLE, or `modelArguments.NAME`."""

    @staticmethod
    def read(reader: Reader) -> "Search":
        parameters = reader.sections("parameters", lambda name, inner: Range.read(inner))
        for name in parameters:
            if name not in SEARCHABLE and not name.startswith("modelArguments."):
                reader.refuse("parameters", f"has {shown(name)}; allowed: {', '.join(SEARCHABLE)}, modelArguments.NAME")
        if not parameters:
            reader.refuse("parameters", "is missing; name at least one setting, such as learningRate")
        return Search(
            trials=reader.read("trials", whole_number(1, 10_000), 20),
            metric=reader.read("metric", one_of(*METRICS), "loss"),
            parameters=parameters,
        )


@dataclass(frozen=True)
class Privacy:
    """Differentially private SGD: Gaussian noise on gradients clipped row by row."""

    noise_multiplier: float | None = None
    """Noise in units of `maxGradientNorm`; None: as little as keeps epsilon."""
    epsilon: float | None = None
    """The budget that noise is chosen for, over all epochs."""
    delta: float = 1e-5
    """Probability that the budget is exceeded; below 1 by the number of rows."""
    max_gradient_norm: float = 1.0
    """A row's gradient is scaled down to this norm if it is longer."""

    @staticmethod
    def read(reader: Reader) -> "Privacy":
        noise = reader.read("noiseMultiplier", positive_number(1e6, "1.1"), None)
        epsilon = reader.read("epsilon", positive_number(1e6, "8"), None)
        if (noise is None) == (epsilon is None):
            reader.refuse("epsilon", "or noiseMultiplier must be given, and not both")
        return Privacy(
            noise_multiplier=noise,
            epsilon=epsilon,
            delta=reader.read("delta", number_within(1e-12, 0.5), 1e-5),
            max_gradient_norm=reader.read("maxGradientNorm", positive_number(1e6, "1"), 1.0),
        )


@dataclass(frozen=True)
class Masking:
    """What is done to one column before anything of it is used or kept."""

    method: str = "drop"
    """"drop" the column; "hash" its values (under a key of the store's, for that alone); "generalise" numbers into
    steps of `step`; "redact" personal data that is found in its text."""
    step: float | None = None
    """Width of the ranges that "generalise" makes; a value becomes the lower end of its range."""

    @staticmethod
    def read(reader: Reader) -> "Masking":
        method = reader.read("method", one_of("drop", "hash", "generalise", "redact"), "drop")
        step = reader.read("step", positive_number(1e12, "10"), None)
        if (method == "generalise") != (step is not None):
            reader.refuse("step", 'must be given with the method "generalise", and with no other')
        return Masking(method, step)


FINDINGS: Final = (
    "missingValues", "constantColumns", "duplicateColumns", "duplicateRows", "imbalance", "leakage", "outOfRange",
)  # fmt: skip


@dataclass(frozen=True)
class Quality:
    """What a data set is allowed to be. What is found and not allowed stops the run with a report."""

    maximum_missing: float = 0.0
    """Share of missing values that a feature may have; each is then the training rows' mean. A target has none."""
    minimum_class_share: float = 0.01
    """Of the rarest class among all rows."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Lowest and highest value by column."""
    allow: tuple[str, ...] = ("constantColumns", "duplicateRows")
    """Findings that are only warned of, out of FINDINGS."""

    @staticmethod
    def read(reader: Reader) -> "Quality":
        return Quality(
            maximum_missing=reader.read("maximumMissing", number_within(0.0, 1.0), 0.0),
            minimum_class_share=reader.read("minimumClassShare", number_within(0.0, 0.5), 0.01),
            ranges=reader.read("ranges", _ranges, {}),
            allow=reader.read("allow", _findings, Quality.allow),
        )


@dataclass(frozen=True)
class Gate:
    """What one metric of the held-out rows must be."""

    minimum: float | None = None
    """The metric is at least this."""
    maximum: float | None = None
    """The metric is at most this."""

    @staticmethod
    def read(reader: Reader) -> "Gate":
        gate = Gate(
            reader.read("minimum", number_within(-1e12, 1e12), None),
            reader.read("maximum", number_within(-1e12, 1e12), None),
        )
        if gate == Gate():
            reader.refuse("minimum", "or maximum must be given")
        return gate


@dataclass(frozen=True)
class Gates:
    """What a model must be in order to be sealed. A failing gate fails the run; what is deployed stays."""

    metrics: Mapping[str, Gate] = field(default_factory=dict)
    """By name, out of METRICS."""
    no_worse_than_deployed: str | None = None
    """A metric; it must be no worse than the artifact's that the stack has now."""
    tolerance: float = 0.0
    """By how much it may be worse all the same."""
    maximum_bytes: int | None = None
    """Of the ONNX file."""

    @staticmethod
    def read(reader: Reader) -> "Gates":
        metrics = reader.sections("metrics", lambda name, inner: Gate.read(inner))
        for name in sorted(metrics.keys() - METRICS.keys()):
            reader.refuse("metrics", f"has {shown(name)}; allowed: {', '.join(METRICS)}")
        return Gates(
            metrics=metrics,
            no_worse_than_deployed=reader.read("noWorseThanDeployed", one_of(*METRICS), None),
            tolerance=reader.read("tolerance", number_within(0.0, 1e12), 0.0),
            maximum_bytes=reader.read("maximumBytes", whole_number(1, 2**50), None),
        )


@dataclass(frozen=True)
class Compress:
    """Makes the model smaller, and is given up unless it stays nearly as good."""

    method: str = "dynamicInt8"
    """"dynamicInt8": weights as int8; "staticInt8": activations too, calibrated on training rows; "prune": the smallest
    weights become 0."""
    sparsity: float = 0.5
    """Share of the weights that "prune" sets to 0."""
    metric: str | None = None
    """What is compared; None: accuracy of classes, mae of a regression."""
    maximum_loss: float = 0.01
    """By how much that metric may get worse, relative to what it was."""

    @staticmethod
    def read(reader: Reader) -> "Compress":
        return Compress(
            method=reader.read("method", one_of("dynamicInt8", "staticInt8", "prune"), "dynamicInt8"),
            sparsity=reader.read("sparsity", number_within(0.01, 0.99), 0.5),
            metric=reader.read("metric", one_of(*METRICS), None),
            maximum_loss=reader.read("maximumLoss", number_within(0.0, 1.0), 0.01),
        )


@dataclass(frozen=True)
class Compute:
    """Where a run's processes are, and how many."""

    kind: str = "local"
    """"local": on this machine, started by torchrun."""
    processes: int = 1
    """Rows of a batch are shared out among them."""

    @staticmethod
    def read(reader: Reader) -> "Compute":
        return Compute(
            kind=reader.read("kind", one_of("local"), "local"),
            processes=reader.read("processes", whole_number(1, 64), 1),
        )


@dataclass(frozen=True)
class ModelCard:
    """What only its makers can say of a model. What is not said is shown as not stated."""

    intended_use: str | None = None
    """For whom and what it is made."""
    limitations: str | None = None
    """What it is not to be used for, and where it is known to fail."""
    licence: str | None = None
    """Of the model, such as an SPDX identifier."""
    data_licence: str | None = None
    """Of the data it was trained on."""
    contact: str | None = None
    """Who answers for it."""

    @staticmethod
    def read(reader: Reader) -> "ModelCard":
        return ModelCard(
            intended_use=reader.read("intendedUse", text, None),
            limitations=reader.read("limitations", text, None),
            licence=reader.read("licence", text, None),
            data_licence=reader.read("dataLicence", text, None),
            contact=reader.read("contact", text, None),
        )


def _character(value: object) -> str:
    if isinstance(value, str) and len(value) == 1:
        return value
    raise RefusedError("it must be one character, such as ';'")


def _hexadecimal(digits: int) -> Accept[str]:
    def accept(value: object) -> str:
        if isinstance(value, str) and len(value) == digits and set(value) <= set("0123456789abcdef"):
            return value
        raise RefusedError(f"it must be {digits} lower-case hex digits")

    return accept


def _choices(value: object) -> tuple[object, ...]:
    if isinstance(value, list) and value and all(isinstance(one, str | int | float | bool) for one in value):
        return tuple(int(one) if isinstance(one, float) and one.is_integer() else one for one in value)
    raise RefusedError("it must be a list of numbers or texts, at least one")


def _ranges(value: object) -> Mapping[str, tuple[float, float]]:
    accept = number_within(-1e300, 1e300)
    if isinstance(value, Mapping) and all(isinstance(pair, list) and len(pair) == 2 for pair in value.values()):
        return {str(name): (accept(pair[0]), accept(pair[1])) for name, pair in value.items()}
    raise RefusedError("it must be an object of [lowest, highest] by column")


def _findings(value: object) -> tuple[str, ...]:
    chosen = texts(value)
    if set(chosen) <= set(FINDINGS):
        return chosen
    raise RefusedError(f"it must be a list of some of {', '.join(FINDINGS)}")
