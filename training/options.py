"""The nested settings of a run: one frozen dataclass for each object among a TrainingRun's inputs.

Standard library only. Outside Python, the names are the fields' in camelCase.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sealift.settings import Clash, Kind, Refused, kinds, quantity, section, sections, setting

Task = Literal["regression", "classification"]

VALIDATION: Final = "validation."
"""Prefix of the validation rows' metrics in an epoch's history."""

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
"""Metrics of held-out or validation rows, and which direction is better. `loss` is the loss function's value. mse, mae
and r2 belong to regressions and are in the target's own unit. The others belong to classifications (f1 macro-averaged,
auroc one-versus-rest)."""
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
SAFE_WAY: Final = "write the weights with safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
BALANCED: Final = "balanced"
COLUMN_TYPES: Final = ("number", "whole", "text", "boolean", "time")
SEARCHABLE: Final = ("learningRate", "batchSize", "momentum", "weightDecay", "epochs", "gradientClip")


def _character(value: object) -> str:
    if isinstance(value, str) and len(value) == 1:
        return value
    raise Refused("allowed: one character, such as ';'")


def _hexadecimal(digits: int) -> Kind[str]:
    def accept(value: object) -> str:
        if isinstance(value, str) and len(value) == digits and set(value) <= set("0123456789abcdef"):
            return value
        raise Refused(f"allowed: {digits} lower-case hex digits")

    return Kind("string", f"{digits} lower-case hex digits", accept)


def _choices(value: object) -> tuple[object, ...]:
    if isinstance(value, list) and value and all(isinstance(one, str | int | float | bool) for one in value):
        return tuple(int(one) if isinstance(one, float) and one.is_integer() else one for one in value)
    raise Refused("allowed: a list of at least one number or text")


def _ranges(value: object) -> Mapping[str, tuple[float, float]]:
    accept = kinds.number_within(-1e300, 1e300).accept
    if isinstance(value, Mapping) and all(isinstance(pair, list) and len(pair) == 2 for pair in value.values()):
        return {str(name): (accept(pair[0]), accept(pair[1])) for name, pair in value.items()}
    raise Refused("allowed: an object of [lowest, highest] pairs by column")


def _schema(value: object) -> Mapping[str, str]:
    if isinstance(value, Mapping) and all(kind in COLUMN_TYPES for kind in value.values()):
        return {str(name): str(kind) for name, kind in value.items()}
    raise Refused(f"allowed: an object of types by column, each type one of {', '.join(COLUMN_TYPES)}")


def _class_weights(value: object) -> str | Mapping[str, float]:
    if value == BALANCED:
        return BALANCED
    accept = kinds.positive_number(1e6, "2").accept
    if isinstance(value, Mapping) and value:
        return {str(name): accept(one) for name, one in value.items()}
    raise Refused(f"allowed: {BALANCED!r} or an object of weights by class")


def _findings(value: object) -> tuple[str, ...]:
    chosen = kinds.texts.accept(value)
    if set(chosen) <= set(FINDINGS):
        return chosen
    raise Refused(f"allowed: a list of findings, each one of {', '.join(FINDINGS)}")


def _quote(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


METRIC: Final = kinds.one_of(*METRICS)
CHARACTER: Final = Kind("string", "one character", _character)
CHOICES: Final = Kind("array", "a list of at least one number or text", _choices)
SCHEMA: Final = Kind("object", f"an object of types by column, each one of {_quote(COLUMN_TYPES)}", _schema, "string")
RANGES: Final = Kind("object", "an object of [lowest, highest] pairs by column", _ranges)
CLASS_WEIGHTS: Final = Kind("any", f'"{BALANCED}", or an object of weights above 0 by class', _class_weights)
SOME_FINDINGS: Final = Kind("array", f"a list of {_quote(FINDINGS)}", _findings, "string")


@dataclass(frozen=True)
class Split:
    """Split of the rows by a column of the table. Values are texts; write whole numbers as texts too, such as
    "2024".
    """

    column: str | None = setting(
        kinds.text, None, "Column whose values assign the rows. The model does not see it unless `features` names it."
    )
    held_out: tuple[str, ...] = setting(
        kinds.texts, ("test",), "Column values of the held-out rows, which the metrics are measured on."
    )
    validation: tuple[str, ...] = setting(
        kinds.texts,
        ("validation",),
        "Column values of the validation rows, which early stopping and the search use. If no row has such a value, "
        "validation rows are drawn at random.",
    )

    def clashes(self) -> Iterator[Clash]:
        """Requires a column, and values that are not in both lists."""
        if self.column is None:
            yield Clash("column", "is missing; name the column that assigns the rows")
        if not self.held_out:
            yield Clash("heldOut", "is empty; name at least one value")
        for value in sorted(set(self.held_out) & set(self.validation)):
            yield Clash("validation", f"has {kinds.show_value(value)}, which is in heldOut too", ("heldOut",))


@dataclass(frozen=True)
class ImageColumn:
    """Column of image files (PNG, JPEG, WebP) whose pixels are the features."""

    column: str | None = setting(
        kinds.text, None, "Name of a Parquet file's column that holds the image files as bytes."
    )
    channels: int = setting(
        kinds.whole_number(1, 3), 3, "Number of colour channels: 3 for red, green and blue, 1 for grey."
    )
    height: int | None = setting(
        kinds.whole_number(1, 4096),
        None,
        "Height in pixels that every image is scaled to. If not set, images keep their size.",
    )
    width: int | None = setting(
        kinds.whole_number(1, 4096),
        None,
        "Width in pixels that every image is scaled to. If not set, images keep their size, which must be the same.",
    )

    def clashes(self) -> Iterator[Clash]:
        """Requires a column, and either both sides or neither."""
        if self.column is None:
            yield Clash("column", "is missing; name the column of images")
        if self.channels == 2:
            yield Clash("channels", "is 2; allowed: 1, 3")
        if (self.height is None) != (self.width is None):
            yield Clash("height", "and width must be given together", ("width",))


@dataclass(frozen=True)
class Data:
    """Instructions for reading a data set that is a file, a URL or a function."""

    target: str | None = setting(
        kinds.text,
        None,
        "Column to predict. CSV and Parquet files need it. In an NPZ file it names the target's array, by default `y`.",
    )
    features: tuple[str, ...] = setting(
        kinds.texts,
        (),
        "Columns to predict from. By default, all columns except the target. In an NPZ file it names the features' "
        "array, by default `x`.",
    )
    exclude: tuple[str, ...] = setting(
        kinds.texts,
        (),
        "Columns of a table that are left out. A shorter way than to name all the others in `features`.",
    )
    categorical: tuple[str, ...] = setting(
        kinds.texts,
        (),
        "Columns whose values are categories although they look like numbers, such as postal codes. Columns of other "
        "text are categories anyway.",
    )
    task: str | None = setting(
        kinds.one_of("regression", "classification"),
        None,
        "Kind of prediction. If not set, it is a classification if the target is text, boolean or has at most 20 "
        "different whole numbers, and a regression otherwise.",
    )
    encoding: str | None = setting(
        kinds.one_of(*ENCODINGS), None, "Character encoding of a CSV file. If not set, UTF-8."
    )
    missing: tuple[str, ...] | None = setting(
        kinds.texts,
        None,
        "Texts that mean a missing value in a CSV file, as an empty field always does. Name your own list if NA is a "
        f"value in your data. If not set: {', '.join(MISSING)}.",
    )
    drop_missing_target: bool = setting(
        kinds.boolean,
        False,
        "Whether rows whose target is missing are left out. The progress, the report and the model's description show "
        "their number. If false, such rows are an error.",
    )
    delimiter: str | None = setting(
        CHARACTER,
        None,
        "Character between a CSV file's fields, such as ';'. If not set, it follows from the file's name and first "
        "line.",
    )
    text: str | None = setting(
        kinds.text,
        None,
        "Text column whose words are the features, instead of columns of numbers. Use it with the model "
        "`textClassifier`.",
    )
    image: ImageColumn | None = section(
        ImageColumn, None, "Image column that is used instead of columns of numbers, for instance with the model `cnn`."
    )
    held_out: float = setting(
        kinds.number_within(0.01, 0.9),
        0.2,
        "Share of the rows that training never sees. The metrics are measured on them.",
    )
    validation: float = setting(
        kinds.number_within(0.0, 0.9),
        0.0,
        "Share of the remaining rows that early stopping and the search use. With 0, it is a tenth if either of them "
        "is set.",
    )
    split: Split | None = section(
        Split, None, "Column that assigns the rows to the split. If not set, rows are drawn at random by `seed`."
    )
    time_column: str | None = setting(
        kinds.text,
        None,
        "Column of times or numbers to split by, instead of at random: the latest rows are held out, and the latest of "
        "the rest validate. The model does not see the column unless `features` names it.",
    )
    memory_bytes: int = setting(
        kinds.whole_number(1, 2**50),
        2 * 2**30,
        "Memory limit of the data set, in bytes. A larger Parquet file is streamed, a larger CSV file is refused.",
    )
    arguments: Mapping[str, object] = setting(
        kinds.arguments, {}, "Keyword arguments of the function that `dataset` names as `package.module:function`."
    )

    def clashes(self) -> Iterator[Clash]:
        """Allows one kind of features, one way to split, and no column in two roles."""
        if self.image is not None:
            for name in ("text", "features", "categorical"):
                if getattr(self, name):
                    yield Clash(name, "and image are two kinds of features; give only one of them", ("image",))
        for name in self.exclude:
            if name == self.target:
                yield Clash("exclude", f"has {kinds.show_value(name)}, which is the target", ("target",))
            if name in self.features:
                yield Clash("exclude", f"has {kinds.show_value(name)}, which is in features too", ("features",))
        if self.split is not None and self.time_column is not None:
            yield Clash("timeColumn", "and split are two ways to hold out rows; give only one of them", ("split",))


@dataclass(frozen=True)
class Schedule:
    """Learning rate schedule, which starts from the run's `learningRate`."""

    kind: str = setting(
        kinds.one_of("constant", "step", "cosine"),
        "constant",
        'Shape of the schedule. "step" multiplies the rate by `factor` after every `stepEpochs`. "cosine" lowers it to '
        "`minimum` at the last epoch.",
    )
    warmup_epochs: int = setting(
        kinds.whole_number(0, 10_000_000),
        0,
        "Epochs at the start over which the rate rises in equal steps, one per batch.",
    )
    step_epochs: int = setting(
        kinds.whole_number(1, 10_000_000), 30, 'Epochs between two changes of the rate, with "step".'
    )
    factor: float = setting(
        kinds.number_within(1e-9, 1.0), 0.1, 'Factor that the rate is multiplied by at each change, with "step".'
    )
    minimum: float = setting(kinds.number_within(0.0, 1e6), 0.0, 'Learning rate at the last epoch, with "cosine".')


@dataclass(frozen=True)
class EarlyStopping:
    """Early stopping: training ends when a metric of the validation rows stops improving. The best epoch's weights are
    kept.
    """

    metric: str = setting(METRIC, "loss", "Metric of the validation rows that must improve.")
    patience: int = setting(
        kinds.whole_number(1, 1_000_000), 10, "Number of epochs without an improvement after which training ends."
    )
    minimum_change: float = setting(
        kinds.number_within(0.0, 1e6), 0.0, "Smallest change of the metric that counts as an improvement."
    )


@dataclass(frozen=True)
class InitFrom:
    """Weights that training starts from: a sealed artifact in the run's own store, or a safetensors file."""

    artifact_id: str = setting(
        _hexadecimal(32), "", "Id of the sealed artifact: the output `artifactId` of its TrainingRun."
    )
    payload_digest: str = setting(
        _hexadecimal(64), "", "Digest of the artifact's payload: the output `payloadDigest` of its TrainingRun."
    )
    path: str | None = setting(
        kinds.place,
        None,
        "Path or URL of a safetensors file with the network's state_dict, instead of an artifact. Its names may all "
        "begin with one prefix, such as `model.`.",
    )
    leave_out: tuple[str, ...] = setting(
        kinds.texts,
        (),
        "Prefixes of the names of parameters that are not loaded, such as `head.` if the classes differ. They start "
        "from random values, as in a run without `initFrom`.",
    )

    def clashes(self) -> Iterator[Clash]:
        """Requires either the artifact's id and digest, or the path."""
        given = (("artifactId", self.artifact_id), ("payloadDigest", self.payload_digest))
        if self.path is None:
            for name, value in given:
                if not value:
                    message = "is missing; it is an output of the TrainingRun that made the weights"
                    yield Clash(name, message, ("path",), "for weights from elsewhere, set path to a safetensors file")
            return
        if any(value for _, value in given):
            names = tuple(name for name, _ in given)
            yield Clash(
                "path",
                "cannot be combined with artifactId and payloadDigest; give either the path or the artifact",
                names,
            )
        ending = self.path.lower().partition("?")[0]
        if ending.endswith(PICKLES):
            message = f"is {kinds.show_value(self.path)}; it is a pickle, which can run code, and is refused"
            yield Clash("path", message, (), SAFE_WAY)
        elif not ending.endswith(".safetensors"):
            yield Clash("path", f"is {kinds.show_value(self.path)}; it must end in .safetensors", (), SAFE_WAY)


@dataclass(frozen=True)
class Range:
    """Values that a search tries for one setting: an interval or a list."""

    low: float | None = setting(kinds.number_within(-1e9, 1e9), None, "Lower end of the interval, which is tried too.")
    high: float | None = setting(kinds.number_within(-1e9, 1e9), None, "Upper end of the interval, which is tried too.")
    log: bool = setting(
        kinds.boolean,
        False,
        "Whether values are drawn on a logarithmic scale, where 0.001 to 0.01 is as wide as 0.1 to 1.",
    )
    choices: tuple[object, ...] = setting(CHOICES, (), "List of values to try, instead of an interval.")

    def clashes(self) -> Iterator[Clash]:
        """Requires either an interval or a list."""
        low, high = self.low, self.high
        if self.choices and (low is not None or high is not None):
            yield Clash("choices", "cannot be combined with low and high; give either the list or the interval")
        elif not self.choices and (low is None or high is None or not low < high or (self.log and low <= 0)):
            message = "and high must be given, low below high (and above 0 if log is true); or give choices"
            yield Clash("low", message, ("high", "choices"))


@dataclass(frozen=True)
class Search:
    """Hyperparameter search before the run. The settings of the best trial are then trained and sealed."""

    trials: int = setting(kinds.whole_number(1, 10_000), 20, "Number of trial runs, each of at most `epochs` epochs.")
    metric: str = setting(METRIC, "loss", "Metric of the validation rows that ranks the trials.")
    parameters: Mapping[str, Range] = sections(
        Range, f"Settings to search, and the values to try for each: {_quote(SEARCHABLE)} or `modelArguments.NAME`."
    )

    def clashes(self) -> Iterator[Clash]:
        """Allows only settings that can be searched, and requires at least one."""
        for name in self.parameters:
            if name not in SEARCHABLE and not name.startswith("modelArguments."):
                yield Clash(
                    "parameters", f"has {kinds.show_value(name)}; allowed: {', '.join(SEARCHABLE)}, modelArguments.NAME"
                )
        if not self.parameters:
            yield Clash("parameters", "is missing; name at least one setting, such as learningRate")


@dataclass(frozen=True)
class Privacy:
    """Differentially private SGD: each row's gradient is clipped, and Gaussian noise is added to their sum."""

    noise_multiplier: float | None = setting(
        kinds.positive_number(1e6, "1.1"),
        None,
        "Standard deviation of the noise, as a multiple of `maxGradientNorm`. If not set, the smallest that keeps "
        "`epsilon`.",
    )
    epsilon: float | None = setting(
        kinds.positive_number(1e6, "8"),
        None,
        "Privacy budget of the whole training, which the noise is chosen to keep.",
    )
    delta: float = setting(
        kinds.number_within(1e-12, 0.5),
        1e-5,
        "Probability that the budget does not hold. It should be below 1 divided by the number of rows.",
    )
    max_gradient_norm: float = setting(
        kinds.positive_number(1e6, "1"),
        1.0,
        "Largest norm of one row's gradient. A longer gradient is scaled down to it.",
    )

    def clashes(self) -> Iterator[Clash]:
        """Requires exactly one of `epsilon` and `noise_multiplier`."""
        if (self.noise_multiplier is None) == (self.epsilon is None):
            yield Clash("epsilon", "or noiseMultiplier must be given, but not both", ("noiseMultiplier",))


@dataclass(frozen=True)
class Masking:
    """Masking of one column, which happens before any of its values is used or kept."""

    method: str = setting(
        kinds.one_of("drop", "hash", "generalise", "redact"),
        "drop",
        'Kind of masking. "drop" removes the column. "hash" replaces its values by keyed hashes; the key belongs to '
        'the store and has no other use. "generalise" rounds numbers down to multiples of `step`. "redact" removes '
        "personal data that is found in its text.",
    )
    step: float | None = setting(
        kinds.positive_number(1e12, "10"),
        None,
        'Width of the ranges that "generalise" makes. A value becomes the lower end of its range: with 10, 37 becomes '
        "30.",
    )

    def clashes(self) -> Iterator[Clash]:
        """Requires a step for "generalise", and refuses it for the other methods."""
        if (self.method == "generalise") != (self.step is not None):
            yield Clash("step", 'must be given with the method "generalise", and only with it', ("method",))


@dataclass(frozen=True)
class Quality:
    """Quality checks of the data set. A finding that is not allowed stops the run, with a report."""

    maximum_missing: float = setting(
        kinds.number_within(0.0, 1.0),
        0.0,
        "Largest share of missing values that a feature may have. They are replaced by the mean of the training rows. "
        "A target must not have any.",
        shapes=False,
    )
    minimum_class_share: float = setting(
        kinds.number_within(0.0, 0.5), 0.01, "Smallest share of all rows that the rarest class may have.", shapes=False
    )
    schema: Mapping[str, str] = setting(
        SCHEMA, {}, "Columns that a table must have, and their types. A whole number is a number too."
    )
    ranges: Mapping[str, tuple[float, float]] = setting(
        RANGES, {}, "Lowest and highest allowed value of each column named."
    )
    allow: tuple[str, ...] = setting(
        SOME_FINDINGS,
        ("constantColumns", "duplicateRows"),
        "Findings that cause a warning instead of an error.",
        shapes=False,
    )


@dataclass(frozen=True)
class Gate:
    """Limits of one metric of the held-out rows."""

    minimum: float | None = setting(kinds.number_within(-1e12, 1e12), None, "Smallest value that the metric may have.")
    maximum: float | None = setting(kinds.number_within(-1e12, 1e12), None, "Largest value that the metric may have.")

    def clashes(self) -> Iterator[Clash]:
        """Requires at least one of the two limits."""
        if self.minimum is None and self.maximum is None:
            yield Clash("minimum", "or maximum must be given", ("maximum",))


@dataclass(frozen=True)
class Gates:
    """Quality gates that a model must pass to be sealed. If one fails, the run fails and the deployed model stays."""

    metrics: Mapping[str, Gate] = sections(
        Gate, f"Limits of the held-out rows' metrics, by name: {_quote(tuple(METRICS))}."
    )
    no_worse_than_deployed: str | None = setting(
        METRIC, None, "Metric that must be no worse than that of the model that the stack has now."
    )
    tolerance: float = setting(
        kinds.number_within(0.0, 1e12), 0.0, "Amount by which the metric of `noWorseThanDeployed` may still be worse."
    )
    maximum_bytes: int | None = setting(kinds.whole_number(1, 2**50), None, "Largest size of the ONNX file, in bytes.")

    def clashes(self) -> Iterator[Clash]:
        """Allows only metrics that exist."""
        for name in sorted(self.metrics.keys() - METRICS.keys()):
            yield Clash("metrics", f"has {kinds.show_value(name)}; allowed: {', '.join(METRICS)}")


@dataclass(frozen=True)
class Compress:
    """Compression of the model. It is undone if the model gets worse by more than `maximumLoss`."""

    method: str = setting(
        kinds.one_of("dynamicInt8", "staticInt8", "prune"),
        "dynamicInt8",
        'Kind of compression. "dynamicInt8" stores weights as int8. "staticInt8" does so with activations too, '
        'calibrated on training rows. "prune" sets the smallest weights to 0.',
    )
    sparsity: float = setting(kinds.number_within(0.01, 0.99), 0.5, 'Share of the weights that "prune" sets to 0.')
    metric: str | None = setting(
        METRIC, None, "Metric that is compared. If not set, accuracy for a classification and mae for a regression."
    )
    maximum_loss: float = setting(
        kinds.number_within(0.0, 1.0),
        0.01,
        "Largest relative loss of the compared metric. With 0.01, it may get worse by one percent.",
    )


def _quantity(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    found = quantity.parse(text.removesuffix(".0"))
    if found is None or found.amount <= 0:
        raise Refused("allowed: a quantity of Kubernetes above 0, such as '500m' or '4Gi'")
    return found.text


QUANTITY: Final = Kind("string", "a quantity of Kubernetes above 0, such as `500m` or `4Gi`", _quantity)


@dataclass(frozen=True)
class Compute:
    """Processes of a run: their place and their number. The place does not change the model."""

    kind: str = setting(
        kinds.one_of("local", "job"),
        "local",
        'Place of the processes: "local" is this machine, and "job" is a pod of a Kubernetes Job.',
        shapes=False,
    )
    processes: int = setting(kinds.whole_number(1, 64), 1, "Number of processes that share the rows of each batch.")
    nodes: int = setting(
        kinds.whole_number(1, 64),
        1,
        "Number of the Job's pods, which share the processes evenly. They may be on different nodes.",
        shapes=False,
    )
    image: str | None = setting(
        kinds.text,
        None,
        "Image of the Job's pods, with Python as `python3` and the packages of requirements.lock.",
        shapes=False,
    )
    namespace: str = setting(kinds.text, "default", "Namespace of the Job, which must exist.", shapes=False)
    context: str | None = setting(
        kinds.text,
        None,
        "Context of the kubeconfig file for the Job. If not set, the current context.",
        shapes=False,
    )
    cpu: str = setting(QUANTITY, "1", "CPUs of each pod of the Job, as request and limit.", shapes=False)
    memory: str = setting(
        QUANTITY, "2Gi", "Memory of each pod of the Job in bytes, as request and limit.", shapes=False
    )
    gpus: int = setting(kinds.whole_number(0, 64), 0, "NVIDIA GPUs of each pod of the Job.", shapes=False)
    packages_claim: str | None = setting(
        kinds.text,
        None,
        "PersistentVolumeClaim with Python packages, for an image without them, such as one on a shared file system. "
        "It is mounted read-only.",
        shapes=False,
    )
    packages_path: str = setting(
        kinds.any_text, "", "Folder of `packagesClaim` that has the packages (site-packages).", shapes=False
    )
    processor: str | None = setting(
        kinds.text,
        None,
        "Kind of the processor that trains, as the run reports it. If not set, that of this machine. A machine of "
        "another kind refuses the run, because it could make another model.",
        shapes=False,
    )


@dataclass(frozen=True)
class ModelCard:
    """Model card: statements about the model that only its makers can make. The report shows the rest as not stated."""

    intended_use: str | None = setting(kinds.text, None, "Purpose of the model, and the users it is made for.")
    limitations: str | None = setting(
        kinds.text, None, "Limits of the model: uses it is not meant for, and cases where it is known to fail."
    )
    ethical_considerations: str | None = setting(
        kinds.text, None, "People whom the model may harm, and what was and was not done about it."
    )
    licence: str | None = setting(kinds.text, None, "Licence of the model, such as the SPDX identifier Apache-2.0.")
    data_licence: str | None = setting(kinds.text, None, "Licence of the data that the model was trained on.")
    contact: str | None = setting(kinds.text, None, "Person or team responsible for the model, such as a mail address.")
