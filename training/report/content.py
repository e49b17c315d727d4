"""Contents of a report. A part that is None was not made or not requested, and is not shown.

Values only: nothing here measures, draws or writes. Units are in the names or beside the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Task = Literal["regression", "classification"]


@dataclass(frozen=True)
class Curves:
    """Training curves, epoch by epoch. Every sequence is as long as `epochs`. None in a sequence means not measured."""

    epochs: tuple[int, ...]
    training_loss: tuple[float, ...]
    validation_loss: tuple[float | None, ...] | None = None
    learning_rate: tuple[float, ...] | None = None
    metrics: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    """Metrics of the validation rows."""
    loss_name: str = "loss"
    """Name of the loss, with its unit if it has one: "cross-entropy (nats)"."""

    def __post_init__(self) -> None:
        for values in (self.training_loss, self.validation_loss, self.learning_rate, *self.metrics.values()):
            if values is not None and len(values) != len(self.epochs):
                raise ValueError(f"a curve has {len(values)} values for {len(self.epochs)} epochs")


@dataclass(frozen=True)
class Column:
    """One column over the training rows, in its own unit. The numbers are None if the column has none, such as text."""

    name: str
    mean: float | None = None
    deviation: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    missing: int = 0
    """Number of rows without a value."""


@dataclass(frozen=True)
class DataReport:
    """Rows that the model was trained and measured on."""

    rows_train: int
    rows_held_out: int
    rows_validation: int | None = None
    columns: tuple[Column, ...] = ()
    labels: Mapping[str, int] | None = None
    """Number of training rows of each class."""
    findings: tuple[Mapping[str, object], ...] = ()
    """Findings of the quality checks that did not stop the run, as JSON values by name."""
    masked: Mapping[str, str] = field(default_factory=dict)
    """Masking of each column, applied before any of its values was used."""
    rows_left_out: int | None = None
    """Number of rows left out because they have no target. None if such rows are refused."""


@dataclass(frozen=True)
class Confusion:
    """Confusion matrix of the held-out rows. Sparse: (true, predicted, rows), with rows above 0."""

    cells: tuple[tuple[int, int, int], ...]
    size: int
    """Number of classes."""

    def __post_init__(self) -> None:
        if any(not (0 <= true < self.size and 0 <= said < self.size and rows > 0) for true, said, rows in self.cells):
            raise ValueError(f"a cell of the confusion matrix is outside {self.size} × {self.size}")


@dataclass(frozen=True)
class Residuals:
    """A regression on held-out rows, in the target's unit. A residual is the predicted minus the true value."""

    true: tuple[float, ...]
    predicted: tuple[float, ...]
    """Predictions for the same rows, or for a sample of them."""
    edges: tuple[float, ...]
    """Edges of the residuals' histogram, one more than `counts`."""
    counts: tuple[int, ...]
    """Counts of all rows."""
    target: str = "target"
    """Name of the target, with the unit if it is known."""

    def __post_init__(self) -> None:
        if len(self.true) != len(self.predicted) or len(self.edges) != len(self.counts) + 1:
            raise ValueError("the residuals' sequences have different lengths")


@dataclass(frozen=True)
class Importance:
    """Importance of one feature. `deviation` is over repetitions, None without repetitions."""

    mean: float
    deviation: float | None = None


@dataclass(frozen=True)
class HeatMap:
    """Heat map over the places of an image or of a sequence: rows of equal length, with numbers from 0."""

    values: tuple[tuple[float, ...], ...]
    rows: str = "row"
    columns: str = "column"


@dataclass(frozen=True)
class Importances:
    """Importance of the model's inputs."""

    method: str
    """Method that measured them, in a sentence that a reader can assess."""
    unit: str
    """Unit of the numbers: "loss of accuracy"."""
    values: Mapping[str, Importance] = field(default_factory=dict)
    heat_map: HeatMap | None = None


@dataclass(frozen=True)
class GateReport:
    """One condition that the model had to meet to be sealed."""

    name: str
    value: float
    threshold: float
    bound: Literal["minimum", "maximum"]
    """Whether the threshold is the value's minimum or maximum."""
    passed: bool


@dataclass(frozen=True)
class Compression:
    """The model before and after compression. `accepted` says which of the two was sealed."""

    method: str
    bytes_before: int
    bytes_after: int
    metrics_before: Mapping[str, float]
    metrics_after: Mapping[str, float]
    accepted: bool


@dataclass(frozen=True)
class Fold:
    """One round of the cross-validation."""

    metrics: Mapping[str, float]
    rows_train: int
    rows_validation: int


@dataclass(frozen=True)
class Trial:
    """One set of settings that the search tried. `value` is None if it was stopped early or failed."""

    parameters: Mapping[str, object]
    value: float | None = None


@dataclass(frozen=True)
class SearchReport:
    """Hyperparameter search. `best` is the index in `trials` of the one that was trained and sealed."""

    metric: str
    direction: Literal["minimize", "maximize"]
    trials: tuple[Trial, ...]
    best: int | None = None

    def __post_init__(self) -> None:
        if self.best is not None and not 0 <= self.best < len(self.trials):
            raise ValueError(f"the best trial, {self.best}, is not among the {len(self.trials)} trials")


@dataclass(frozen=True)
class PrivacyReport:
    """Guarantee of differentially private training for each training row."""

    epsilon: float
    delta: float
    noise_multiplier: float | None = None
    max_gradient_norm: float | None = None


@dataclass(frozen=True)
class Environment:
    """Machine and libraries of the run."""

    python: str
    libraries: Mapping[str, str]
    operating_system: str
    cpu: str
    cores: int
    """Number of cores that this process may use."""
    memory_bytes: int
    threads: int
    """Number of torch's threads."""
    device: str
    """The word "cpu", or the GPU's name."""


@dataclass(frozen=True)
class Energy:
    """Energy that the run used, and its source."""

    joules: float
    method: str
    """Begins with "measured: " or "estimated: "."""
    co2_grams: float
    intensity_grams_per_kwh: float
    intensity_source: str


@dataclass(frozen=True)
class ModelCardReport:
    """Statements about the model that only its makers can make. None is shown as not stated."""

    intended_use: str | None = None
    limitations: str | None = None
    ethical_considerations: str | None = None
    licence: str | None = None
    data_licence: str | None = None
    contact: str | None = None


@dataclass(frozen=True)
class Provenance:
    """Digests and versions that reproduce and identify the model."""

    seed: int | None = None
    data_digest: str | None = None
    code_digest: str | None = None
    libraries: str | None = None
    content_digest: str | None = None


@dataclass(frozen=True)
class Report:
    """A whole report."""

    title: str
    model: str
    dataset: str
    task: Task
    classes: tuple[str, ...] = ()
    """Class names in the order of the model's outputs."""
    feature_names: tuple[str, ...] = ()
    metrics: Mapping[str, float] | None = None
    """Metrics of the held-out rows."""
    gates: tuple[GateReport, ...] | None = None
    curves: Curves | None = None
    confusion: Confusion | None = None
    residuals: Residuals | None = None
    importances: Importances | None = None
    data: DataReport | None = None
    hyperparameters: Mapping[str, object] | None = None
    """Settings as JSON values, by their names in Pulumi."""
    search: SearchReport | None = None
    folds: tuple[Fold, ...] | None = None
    compression: Compression | None = None
    privacy: PrivacyReport | None = None
    durations_seconds: Mapping[str, float] | None = None
    """Seconds of each phase, in order."""
    energy: Energy | None = None
    environment: Environment | None = None
    card: ModelCardReport | None = None
    provenance: Provenance | None = None
    omitted: Mapping[str, int] = field(default_factory=dict)
    """Number of entries of each part that thinning left out."""
