"""What a report can say. A part that is None was not made or not asked for, and is not shown.

Values only: nothing here measures, draws or writes. Units are in the names or said beside the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Task = Literal["regression", "classification"]


@dataclass(frozen=True)
class Curves:
    """The descent, epoch by epoch; every sequence is as long as `epochs`. None within one: not measured then."""

    epochs: tuple[int, ...]
    training_loss: tuple[float, ...]
    validation_loss: tuple[float | None, ...] | None = None
    learning_rate: tuple[float, ...] | None = None
    metrics: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    """Of the validation rows."""
    loss_name: str = "loss"
    """Which loss, and its unit where it has one: "cross-entropy (nats)"."""

    def __post_init__(self) -> None:
        for values in (self.training_loss, self.validation_loss, self.learning_rate, *self.metrics.values()):
            if values is not None and len(values) != len(self.epochs):
                raise ValueError(f"a curve has {len(values)} values for {len(self.epochs)} epochs")


@dataclass(frozen=True)
class Column:
    """One column over the training rows, in its own unit. The numbers are None where a column has none, as text has."""

    name: str
    mean: float | None = None
    deviation: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    missing: int = 0
    """Rows without a value."""


@dataclass(frozen=True)
class DataReport:
    """The rows that the model was made from and measured on."""

    rows_train: int
    rows_held_out: int
    rows_validation: int | None = None
    columns: tuple[Column, ...] = ()
    labels: Mapping[str, int] | None = None
    """Training rows of each class."""
    findings: tuple[Mapping[str, object], ...] = ()
    """What the quality checks found and did not stop the run for; JSON values by name."""
    masked: Mapping[str, str] = field(default_factory=dict)
    """What was done to which column before anything of it was used."""
    rows_left_out: int | None = None
    """Since they have no target; None: such rows were refused."""


@dataclass(frozen=True)
class Confusion:
    """How often which class was answered for which, on held-out rows. Sparse: (true, predicted, rows), rows above 0."""

    cells: tuple[tuple[int, int, int], ...]
    size: int
    """How many classes there are."""

    def __post_init__(self) -> None:
        if any(not (0 <= true < self.size and 0 <= said < self.size and rows > 0) for true, said, rows in self.cells):
            raise ValueError(f"a cell of the confusion matrix is outside {self.size} × {self.size}")


@dataclass(frozen=True)
class Residuals:
    """A regression on held-out rows, in the target's unit. A residual is predicted less true."""

    true: tuple[float, ...]
    predicted: tuple[float, ...]
    """Of the same rows, or of a sample of them."""
    edges: tuple[float, ...]
    """Of the residuals' histogram: one more than `counts`."""
    counts: tuple[int, ...]
    """Of all rows."""
    target: str = "target"
    """Its name, with the unit where one is known."""

    def __post_init__(self) -> None:
        if len(self.true) != len(self.predicted) or len(self.edges) != len(self.counts) + 1:
            raise ValueError("the residuals' sequences have different lengths")


@dataclass(frozen=True)
class Importance:
    """Of one feature. `deviation` is over repetitions; None if there were none."""

    mean: float
    deviation: float | None = None


@dataclass(frozen=True)
class HeatMap:
    """Of the places of an image or of a sequence: rows of equally many numbers from 0."""

    values: tuple[tuple[float, ...], ...]
    rows: str = "row"
    columns: str = "column"


@dataclass(frozen=True)
class Importances:
    """What the model's answers hang on."""

    method: str
    """How they were found, in a sentence a reader can judge."""
    unit: str
    """What the numbers count: "loss of accuracy"."""
    values: Mapping[str, Importance] = field(default_factory=dict)
    heat_map: HeatMap | None = None


@dataclass(frozen=True)
class GateReport:
    """One condition that the model had to meet in order to be sealed."""

    name: str
    value: float
    threshold: float
    bound: Literal["minimum", "maximum"]
    """What the threshold is for the value."""
    passed: bool


@dataclass(frozen=True)
class Compression:
    """The model before and after it was made smaller; `accepted` says which of the two was sealed."""

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
    """The search for good settings. `best` is the place in `trials` of the one that was trained and sealed."""

    metric: str
    direction: Literal["minimize", "maximize"]
    trials: tuple[Trial, ...]
    best: int | None = None

    def __post_init__(self) -> None:
        if self.best is not None and not 0 <= self.best < len(self.trials):
            raise ValueError(f"the best trial, {self.best}, is not among the {len(self.trials)} trials")


@dataclass(frozen=True)
class PrivacyReport:
    """What differentially private training promises of each training row."""

    epsilon: float
    delta: float
    noise_multiplier: float | None = None
    max_gradient_norm: float | None = None


@dataclass(frozen=True)
class Environment:
    """Where the run was."""

    python: str
    libraries: Mapping[str, str]
    operating_system: str
    cpu: str
    cores: int
    """That this process may use."""
    memory_bytes: int
    threads: int
    """Of torch."""
    device: str
    """The word "cpu", or the GPU's name."""


@dataclass(frozen=True)
class Energy:
    """What the run used, and how that is known."""

    joules: float
    method: str
    """Begins with "measured: " or "estimated: "."""
    co2_grams: float
    intensity_grams_per_kwh: float
    intensity_source: str


@dataclass(frozen=True)
class ModelCardReport:
    """What only its makers can say of a model; None is shown as not stated."""

    intended_use: str | None = None
    limitations: str | None = None
    ethical_considerations: str | None = None
    licence: str | None = None
    data_licence: str | None = None
    contact: str | None = None


@dataclass(frozen=True)
class Provenance:
    """What the model can be made again from, and told by."""

    seed: int | None = None
    data_digest: str | None = None
    code_digest: str | None = None
    libraries: str | None = None
    content_digest: str | None = None


@dataclass(frozen=True)
class Report:
    """All of it."""

    title: str
    model: str
    dataset: str
    task: Task
    classes: tuple[str, ...] = ()
    """In the order of the model's outputs."""
    feature_names: tuple[str, ...] = ()
    metrics: Mapping[str, float] | None = None
    """On held-out rows."""
    gates: tuple[GateReport, ...] | None = None
    curves: Curves | None = None
    confusion: Confusion | None = None
    residuals: Residuals | None = None
    importances: Importances | None = None
    data: DataReport | None = None
    hyperparameters: Mapping[str, object] | None = None
    """JSON values by name, as in Pulumi."""
    search: SearchReport | None = None
    folds: tuple[Fold, ...] | None = None
    compression: Compression | None = None
    privacy: PrivacyReport | None = None
    durations_seconds: Mapping[str, float] | None = None
    """By phase, in their order."""
    energy: Energy | None = None
    environment: Environment | None = None
    card: ModelCardReport | None = None
    provenance: Provenance | None = None
    omitted: Mapping[str, int] = field(default_factory=dict)
    """How many entries of which part thinning left out."""
