"""What a run can be told beyond its plain settings: one frozen dataclass for each object among a TrainingRun's inputs.

Standard library only. Names outside are the fields' in camelCase.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sealift.settings import Clash, Kind, Refused, kinds, section, sections, setting

Task = Literal["regression", "classification"]

VALIDATION: Final = "validation."
"""Begins the names of metrics of the validation rows, in an epoch's history."""

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
FINDINGS: Final = (
    "missingValues", "constantColumns", "duplicateColumns", "duplicateRows", "imbalance", "leakage", "outOfRange",
    "precision",
)  # fmt: skip
MISSING: Final = ("NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
ENCODINGS: Final = (
    "utf-8", "utf-16", "utf-32", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
    "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-9", "iso-8859-15", "koi8-r", "mac-roman", "cp437", "cp850",
    "shift_jis", "euc-jp", "gb18030", "big5", "euc-kr",
)  # fmt: skip
PICKLES: Final = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
SAFE_WAY: Final = "write the weights by safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
BALANCED: Final = "balanced"
COLUMN_TYPES: Final = ("number", "whole", "text", "boolean", "time")
SEARCHABLE: Final = ("learningRate", "batchSize", "momentum", "weightDecay", "epochs", "gradientClip")


def _character(value: object) -> str:
    if isinstance(value, str) and len(value) == 1:
        return value
    raise Refused("it must be one character, such as ';'")


def _hexadecimal(digits: int) -> Kind[str]:
    def accept(value: object) -> str:
        if isinstance(value, str) and len(value) == digits and set(value) <= set("0123456789abcdef"):
            return value
        raise Refused(f"it must be {digits} lower-case hex digits")

    return Kind("string", f"{digits} lower-case hex digits", accept)


def _choices(value: object) -> tuple[object, ...]:
    if isinstance(value, list) and value and all(isinstance(one, str | int | float | bool) for one in value):
        return tuple(int(one) if isinstance(one, float) and one.is_integer() else one for one in value)
    raise Refused("it must be a list of numbers or texts, at least one")


def _ranges(value: object) -> Mapping[str, tuple[float, float]]:
    accept = kinds.number_within(-1e300, 1e300).accept
    if isinstance(value, Mapping) and all(isinstance(pair, list) and len(pair) == 2 for pair in value.values()):
        return {str(name): (accept(pair[0]), accept(pair[1])) for name, pair in value.items()}
    raise Refused("it must be an object of [lowest, highest] by column")


def _schema(value: object) -> Mapping[str, str]:
    if isinstance(value, Mapping) and all(kind in COLUMN_TYPES for kind in value.values()):
        return {str(name): str(kind) for name, kind in value.items()}
    raise Refused(f"it must be an object by column, of {', '.join(COLUMN_TYPES)}")


def _class_weights(value: object) -> str | Mapping[str, float]:
    if value == BALANCED:
        return BALANCED
    accept = kinds.positive_number(1e6, "2").accept
    if isinstance(value, Mapping) and value:
        return {str(name): accept(one) for name, one in value.items()}
    raise Refused(f"it must be {BALANCED!r} or an object of weights by class")


def _findings(value: object) -> tuple[str, ...]:
    chosen = kinds.texts.accept(value)
    if set(chosen) <= set(FINDINGS):
        return chosen
    raise Refused(f"it must be a list of some of {', '.join(FINDINGS)}")


def _quote(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


METRIC: Final = kinds.one_of(*METRICS)
CHARACTER: Final = Kind("string", "one character", _character)
CHOICES: Final = Kind("array", "a list of numbers or texts", _choices)
SCHEMA: Final = Kind("object", f"by column, one of {_quote(COLUMN_TYPES)}", _schema, "string")
RANGES: Final = Kind("object", "[lowest, highest] by column", _ranges)
CLASS_WEIGHTS: Final = Kind("any", f'"{BALANCED}", or weights above 0 by class', _class_weights)
SOME_FINDINGS: Final = Kind("array", f"some of {_quote(FINDINGS)}", _findings, "string")


@dataclass(frozen=True)
class Split:
    """Which rows are held out, as a column of the table says it; by its values, whole numbers as texts."""

    column: str | None = setting(kinds.text, None, "That says it; no feature unless `features` names it.")
    held_out: tuple[str, ...] = setting(kinds.texts, ("test",), "Values of the rows that the metrics are measured on.")
    validation: tuple[str, ...] = setting(
        kinds.texts,
        ("validation",),
        "Values of the rows that early stopping and the search look at; where no row has one, rows are drawn for them.",
    )

    def clashes(self) -> Iterator[Clash]:
        """A column, and values that are not in both lists."""
        if self.column is None:
            yield Clash("column", "is missing; name the column that says which rows are held out")
        if not self.held_out:
            yield Clash("heldOut", "is empty; name at least one value")
        for value in sorted(set(self.held_out) & set(self.validation)):
            yield Clash("validation", f"has {kinds.show_value(value)}, which heldOut has too", ("heldOut",))


@dataclass(frozen=True)
class ImageColumn:
    """The one column of image files (PNG, JPEG, WebP) whose pixels are the features."""

    column: str | None = setting(kinds.text, None, "Of a Parquet file; it holds the files themselves, as bytes.")
    channels: int = setting(kinds.whole_number(1, 3), 3, "3: red, green, blue; 1: grey.")
    height: int | None = setting(
        kinds.whole_number(1, 4096), None, "Of the pixels, as is the next; images are scaled to it. None: as they are."
    )
    width: int | None = setting(kinds.whole_number(1, 4096), None, "None: as they are, all alike.")

    def clashes(self) -> Iterator[Clash]:
        """A column, both sides or none."""
        if self.column is None:
            yield Clash("column", "is missing; name the column of images")
        if self.channels == 2:
            yield Clash("channels", "is 2; allowed: 1, 3")
        if (self.height is None) != (self.width is None):
            yield Clash("height", "and width must be given together", ("width",))


@dataclass(frozen=True)
class Data:
    """How to read a data set that is a file, a URL or a function."""

    target: str | None = setting(
        kinds.text,
        None,
        "The column to predict; needed for CSV and Parquet. In an NPZ file the array `y` unless another is named.",
    )
    features: tuple[str, ...] = setting(
        kinds.texts,
        (),
        "The columns to predict from; none named: all but the target. In an NPZ file the array `x` unless another is.",
    )
    exclude: tuple[str, ...] = setting(
        kinds.texts, (), "Columns of a table that are left out, instead of naming all others in `features`."
    )
    categorical: tuple[str, ...] = setting(
        kinds.texts,
        (),
        "Columns of names, whatever they look like, such as postal codes; text that looks like no number is so anyway.",
    )
    task: str | None = setting(
        kinds.one_of("regression", "classification"),
        None,
        "None: classes if the target is text, boolean or has at most 20 whole values.",
    )
    encoding: str | None = setting(kinds.one_of(*ENCODINGS), None, "Of a CSV file's characters; none: UTF-8.")
    missing: tuple[str, ...] | None = setting(
        kinds.texts,
        None,
        "What stands for a missing value in a CSV file, as an empty field does; leave out NA where it is a value. "
        f"None: {', '.join(MISSING)}.",
    )
    drop_missing_target: bool = setting(
        kinds.boolean,
        False,
        "Whether rows of a table whose target is missing are left out; how many is shown in the progress, the report "
        "and the model's description. False: they are refused.",
    )
    delimiter: str | None = setting(CHARACTER, None, "Of a CSV file; none: from the file's name and first line.")
    text: str | None = setting(
        kinds.text,
        None,
        'The one text column whose words are the features (model "textClassifier"), instead of columns of numbers.',
    )
    image: ImageColumn | None = section(
        ImageColumn, None, "A column of images, instead of columns of numbers (model `cnn`)."
    )
    held_out: float = setting(
        kinds.number_within(0.01, 0.9),
        0.2,
        "Share of the rows that no training sees and that the metrics are measured on.",
    )
    validation: float = setting(
        kinds.number_within(0.0, 0.9),
        0.0,
        "Share of the rest that early stopping and the search look at; 0: a tenth where one of them is asked for.",
    )
    split: Split | None = section(Split, None, "By a column. None: rows are drawn by the run's seed.")
    time_column: str | None = setting(
        kinds.text,
        None,
        "A column of times or numbers: the latest rows are held out, and of the rest the latest validate, instead of "
        "rows that are drawn. It is no feature unless `features` names it.",
    )
    memory_bytes: int = setting(
        kinds.whole_number(1, 2**50),
        2 * 2**30,
        "A Parquet or CSV file that would take more than this in memory is streamed (Parquet) or refused (CSV).",
    )
    arguments: Mapping[str, object] = setting(
        kinds.arguments, {}, "Of the function that a data set `package.module:function` names."
    )

    def clashes(self) -> Iterator[Clash]:
        """One way to split."""
        if self.image is not None:
            for name in ("text", "features", "categorical"):
                if getattr(self, name):
                    yield Clash(name, "and image are two kinds of features; give either", ("image",))
        for name in self.exclude:
            if name == self.target:
                yield Clash("exclude", f"has {kinds.show_value(name)}, which is the target", ("target",))
            if name in self.features:
                yield Clash("exclude", f"has {kinds.show_value(name)}, which features names too", ("features",))
        if self.split is not None and self.time_column is not None:
            yield Clash("timeColumn", "and split are two ways to hold rows out; give either", ("split",))


@dataclass(frozen=True)
class Schedule:
    """The learning rate over time, from the run's learning rate on."""

    kind: str = setting(
        kinds.one_of("constant", "step", "cosine"),
        "constant",
        '"step": times `factor` after every `stepEpochs`; "cosine": down to `minimum` at the last epoch.',
    )
    warmup_epochs: int = setting(
        kinds.whole_number(0, 10_000_000),
        0,
        "Epochs at the beginning over which the rate rises in equal steps, one per batch.",
    )
    step_epochs: int = setting(kinds.whole_number(1, 10_000_000), 30, 'Of "step".')
    factor: float = setting(kinds.number_within(1e-9, 1.0), 0.1, 'Of "step".')
    minimum: float = setting(kinds.number_within(0.0, 1e6), 0.0, "Of the cosine, a learning rate.")


@dataclass(frozen=True)
class EarlyStopping:
    """Stops when a metric of the validation rows no longer gets better; the best epoch's weights are kept."""

    metric: str = setting(METRIC, "loss", "Of the validation rows.")
    patience: int = setting(
        kinds.whole_number(1, 1_000_000), 10, "Epochs without an improvement after which training stops."
    )
    minimum_change: float = setting(kinds.number_within(0.0, 1e6), 0.0, "What counts as one.")


@dataclass(frozen=True)
class InitFrom:
    """Whose weights training starts from: a sealed artifact of the run's own store, or a safetensors file."""

    artifact_id: str = setting(_hexadecimal(32), "", "Output of the TrainingRun that made it, as is the next.")
    payload_digest: str = setting(_hexadecimal(64), "", "Of its payload.")
    path: str | None = setting(
        kinds.place,
        None,
        "Or the path or URL of a safetensors file with the network's own state_dict, whose names may all begin with "
        "the same prefix.",
    )
    leave_out: tuple[str, ...] = setting(
        kinds.texts,
        (),
        "Beginnings of the names of parameters that are not taken, such as those of a head for other classes: they "
        "start as without.",
    )

    def clashes(self) -> Iterator[Clash]:
        """The artifact's two or the path."""
        told = (("artifactId", self.artifact_id), ("payloadDigest", self.payload_digest))
        if self.path is None:
            for name, value in told:
                if not value:
                    message = "is missing; it is an output of the TrainingRun whose weights are meant"
                    yield Clash(name, message, ("path",), "for weights from elsewhere, give path: a safetensors file")
            return
        if any(value for _, value in told):
            names = tuple(name for name, _ in told)
            yield Clash("path", "cannot be together with artifactId and payloadDigest: give either", names)
        ending = self.path.lower().partition("?")[0]
        if ending.endswith(PICKLES):
            message = f"is {kinds.show_value(self.path)}; a pickle can run any code when it is read, and is not read"
            yield Clash("path", message, (), SAFE_WAY)
        elif not ending.endswith(".safetensors"):
            yield Clash("path", f"is {kinds.show_value(self.path)}; it must end in .safetensors", (), SAFE_WAY)


@dataclass(frozen=True)
class Range:
    """The values that a search tries for one setting: an interval or a list."""

    low: float | None = setting(kinds.number_within(-1e9, 1e9), None, "Of an interval, as is the next.")
    high: float | None = setting(kinds.number_within(-1e9, 1e9), None, "Above low; both are tried too.")
    log: bool = setting(
        kinds.boolean, False, "Whether factors are alike rather than differences: 0.001 to 0.01 is as far as 0.1 to 1."
    )
    choices: tuple[object, ...] = setting(CHOICES, (), "A list of values instead.")

    def clashes(self) -> Iterator[Clash]:
        """An interval or a list."""
        low, high = self.low, self.high
        if self.choices and (low is not None or high is not None):
            yield Clash("choices", "cannot be together with low and high: give either")
        elif not self.choices and (low is None or high is None or not low < high or (self.log and low <= 0)):
            message = "and high must be given, low below high (and above 0 if log is true), or else choices"
            yield Clash("low", message, ("high", "choices"))


@dataclass(frozen=True)
class Search:
    """A search for good settings before the run: the best trial's are what is trained and sealed."""

    trials: int = setting(kinds.whole_number(1, 10_000), 20, "Runs that are tried, at most `epochs` each.")
    metric: str = setting(METRIC, "loss", "Of the validation rows.")
    parameters: Mapping[str, Range] = sections(
        Range, f"By setting: one of {_quote(SEARCHABLE)}, or `modelArguments.NAME`."
    )

    def clashes(self) -> Iterator[Clash]:
        """Only what can be searched."""
        for name in self.parameters:
            if name not in SEARCHABLE and not name.startswith("modelArguments."):
                yield Clash(
                    "parameters", f"has {kinds.show_value(name)}; allowed: {', '.join(SEARCHABLE)}, modelArguments.NAME"
                )
        if not self.parameters:
            yield Clash("parameters", "is missing; name at least one setting, such as learningRate")


@dataclass(frozen=True)
class Privacy:
    """Differentially private SGD: Gaussian noise on gradients clipped row by row."""

    noise_multiplier: float | None = setting(
        kinds.positive_number(1e6, "1.1"),
        None,
        "Noise in units of `maxGradientNorm`; none: as little as keeps epsilon.",
    )
    epsilon: float | None = setting(
        kinds.positive_number(1e6, "8"), None, "The budget that noise is chosen for, over all epochs."
    )
    delta: float = setting(
        kinds.number_within(1e-12, 0.5), 1e-5, "Probability that the budget is exceeded; below 1 by the number of rows."
    )
    max_gradient_norm: float = setting(
        kinds.positive_number(1e6, "1"), 1.0, "A row's gradient is scaled down to this norm if it is longer."
    )

    def clashes(self) -> Iterator[Clash]:
        """One of two."""
        if (self.noise_multiplier is None) == (self.epsilon is None):
            yield Clash("epsilon", "or noiseMultiplier must be given, and not both", ("noiseMultiplier",))


@dataclass(frozen=True)
class Masking:
    """What is done to one column before anything of it is used or kept."""

    method: str = setting(
        kinds.one_of("drop", "hash", "generalise", "redact"),
        "drop",
        '"drop" the column; "hash" its values (under a key of the store\'s, for that alone); "generalise" numbers into '
        'steps of `step`; "redact" personal data that is found in its text.',
    )
    step: float | None = setting(
        kinds.positive_number(1e12, "10"),
        None,
        'Width of the ranges that "generalise" makes; a value becomes the lower end of its range.',
    )

    def clashes(self) -> Iterator[Clash]:
        """A step for the one method that has steps."""
        if (self.method == "generalise") != (self.step is not None):
            yield Clash("step", 'must be given with the method "generalise", and with no other', ("method",))


@dataclass(frozen=True)
class Quality:
    """What a data set is allowed to be. What is found and not allowed stops the run with a report."""

    maximum_missing: float = setting(
        kinds.number_within(0.0, 1.0),
        0.0,
        "Share of missing values that a feature may have; each is then the training rows' mean. A target has none.",
        shapes=False,
    )
    minimum_class_share: float = setting(
        kinds.number_within(0.0, 0.5), 0.01, "Of the rarest class among all rows.", shapes=False
    )
    schema: Mapping[str, str] = setting(
        SCHEMA, {}, "Columns that a table must have, and what they hold; a whole number is a number too."
    )
    ranges: Mapping[str, tuple[float, float]] = setting(RANGES, {}, "Lowest and highest value by column.")
    allow: tuple[str, ...] = setting(
        SOME_FINDINGS, ("constantColumns", "duplicateRows"), "Findings that are only warned of.", shapes=False
    )


@dataclass(frozen=True)
class Gate:
    """What one metric of the held-out rows must be."""

    minimum: float | None = setting(kinds.number_within(-1e12, 1e12), None, "The metric is at least this.")
    maximum: float | None = setting(kinds.number_within(-1e12, 1e12), None, "The metric is at most this.")

    def clashes(self) -> Iterator[Clash]:
        """One of two at least."""
        if self.minimum is None and self.maximum is None:
            yield Clash("minimum", "or maximum must be given", ("maximum",))


@dataclass(frozen=True)
class Gates:
    """What a model must be in order to be sealed. A failing gate fails the run; what is deployed stays."""

    metrics: Mapping[str, Gate] = sections(Gate, f"By name: {_quote(tuple(METRICS))}.")
    no_worse_than_deployed: str | None = setting(
        METRIC, None, "A metric; it must be no worse than the artifact's that the stack has now."
    )
    tolerance: float = setting(kinds.number_within(0.0, 1e12), 0.0, "By how much it may be worse all the same.")
    maximum_bytes: int | None = setting(kinds.whole_number(1, 2**50), None, "Of the ONNX file.")

    def clashes(self) -> Iterator[Clash]:
        """Only metrics that there are."""
        for name in sorted(self.metrics.keys() - METRICS.keys()):
            yield Clash("metrics", f"has {kinds.show_value(name)}; allowed: {', '.join(METRICS)}")


@dataclass(frozen=True)
class Compress:
    """Makes the model smaller, and is given up unless it stays nearly as good."""

    method: str = setting(
        kinds.one_of("dynamicInt8", "staticInt8", "prune"),
        "dynamicInt8",
        '"dynamicInt8": weights as int8; "staticInt8": activations too, calibrated on training rows; "prune": the '
        "smallest weights become 0.",
    )
    sparsity: float = setting(kinds.number_within(0.01, 0.99), 0.5, 'Share of the weights that "prune" sets to 0.')
    metric: str | None = setting(METRIC, None, "What is compared; none: accuracy of classes, mae of a regression.")
    maximum_loss: float = setting(
        kinds.number_within(0.0, 1.0), 0.01, "By how much that metric may get worse, relative to what it was."
    )


@dataclass(frozen=True)
class Compute:
    """Where a run's processes are, and how many."""

    kind: str = setting(kinds.one_of("local"), "local", "On this machine, started by torchrun.")
    processes: int = setting(kinds.whole_number(1, 64), 1, "Rows of a batch are shared out among them.")


@dataclass(frozen=True)
class ModelCard:
    """What only its makers can say of a model. What is not said is shown as not stated."""

    intended_use: str | None = setting(kinds.text, None, "For whom and what it is made.")
    limitations: str | None = setting(kinds.text, None, "What it is not to be used for, and where it is known to fail.")
    ethical_considerations: str | None = setting(
        kinds.text, None, "Whom it may harm, what was done about that, and what was not."
    )
    licence: str | None = setting(kinds.text, None, "Of the model, such as an SPDX identifier.")
    data_licence: str | None = setting(kinds.text, None, "Of the data it was trained on.")
    contact: str | None = setting(kinds.text, None, "Who answers for it.")
