"""What one training run is: its settings, whether they can be one, and the digests of all else that shapes the model.

Standard library only: the plugin validates a preview with it where torch may not be installed. It trains nothing.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TypeVar

from training.errors import MissingLibraryError

DATA_FILES: Final = {
    "diabetes": ("diabetes_data_raw.csv.gz", "diabetes_target.csv.gz"),
    "digits": ("digits.csv.gz",),
}
"""The files of scikit-learn's `datasets/data` that each data set is shipped as."""

DATASETS: Final = tuple(DATA_FILES)
MODELS: Final = ("net",)
SHAPING_LIBRARIES: Final = ("torch", "numpy", "scikit-learn", "onnx")
"""Another version of these may give other bytes of the same model."""
NEEDED_LIBRARIES: Final = (*SHAPING_LIBRARIES, "safetensors", "onnxruntime")
LARGEST_SEED: Final = 2**53 - 1
"""Numbers reach us as doubles: whole numbers above this would arrive as others."""

Chosen = TypeVar("Chosen")


@dataclass(frozen=True)
class Problem:
    """One property that cannot be. `message` continues the sentence that `property` begins: value, what is allowed."""

    property: str
    value: object
    message: str


@dataclass(frozen=True)
class Job:
    """The settings of one run. Two runs with equal jobs, data, code and libraries make the same model, bit for bit."""

    dataset: str = "diabetes"
    """One of DATASETS."""
    model: str = "net"
    """One of MODELS. "net" is features → 20 (ReLU) → outputs."""
    learning_rate: float = 0.01
    """Of plain SGD; above 0, at most 1,000,000."""
    epochs: int = 100
    """Passes over the training rows, at most; 1 to 10,000,000."""
    batch_size: int = 32
    """Rows per step, 1 to 1,000,000; more than there are means all of them."""
    seed: int = 0
    """Of the split, the initial weights and the shuffling; 0 to 2^53 - 1."""
    stop_loss: float | None = None
    """Stop after the epoch whose mean training loss is at or below this; above 0, at most 1,000,000; None: never.
    The loss is the one that progress shows: mean squared error of the standardised target, or cross-entropy in nats."""
    threads: int = 1
    """Of torch, 1 to 64. Part of the run's identity: sums are split by thread, so it can change the last bit."""

    @staticmethod
    def validate(raw: Mapping[str, object]) -> "tuple[Job | None, list[Problem]]":
        """The job that `raw` describes, or every problem it has. Names as in Pulumi; absent or None: the default."""
        reader = _Reader(raw)
        job = Job(
            dataset=reader.read("dataset", _one_of(DATASETS), Job.dataset),
            model=reader.read("model", _one_of(MODELS), Job.model),
            learning_rate=reader.read("learningRate", _positive_number(1e6, "0.01"), Job.learning_rate),
            epochs=reader.read("epochs", _whole_number(1, 10_000_000), Job.epochs),
            batch_size=reader.read("batchSize", _whole_number(1, 1_000_000), Job.batch_size),
            seed=reader.read("seed", _whole_number(0, LARGEST_SEED), Job.seed),
            stop_loss=reader.read("stopLoss", _positive_number(1e6, "0.5; without it, all epochs run"), Job.stop_loss),
            threads=reader.read("threads", _whole_number(1, 64), Job.threads),
        )
        problems = reader.problems + reader.unknown_properties()
        return (None if problems else job), problems

    def properties(self) -> dict[str, object]:
        """The job as `validate` reads it: property names as in Pulumi; a stop_loss of None is left out."""
        values = {_camel_case(name): value for name, value in asdict(self).items()}
        return {name: value for name, value in values.items() if value is not None}

    def digest(self, data_digest: str, code_digest: str, libraries: str) -> str:
        """The run's identity, 64 hex digits: SHA-256 of all that shapes the model, as canonical JSON."""
        identity = {"job": asdict(self), "data": data_digest, "code": code_digest, "libraries": libraries}
        canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def data_paths(dataset: str) -> tuple[Path, ...]:
    """Where scikit-learn, which is not imported, ships this data set's files. Raises MissingLibraryError without it."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise MissingLibraryError("scikit-learn, which ships the data sets, is not installed", "run `make setup`")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "data"
    return tuple(folder / name for name in DATA_FILES[dataset])


def read_data(dataset: str) -> tuple[bytes, ...]:
    """The data set's files, as shipped. Raises MissingLibraryError if one cannot be read."""
    try:
        return tuple(path.read_bytes() for path in data_paths(dataset))
    except OSError as error:
        raise MissingLibraryError(
            f"the data set {dataset!r} cannot be read: {error.strerror}: {error.filename}",
            "install scikit-learn anew: run `make setup`",
        ) from error


def data_digest(dataset: str) -> str:
    """64 hex digits: SHA-256 over the names and bytes of the files that the data set is shipped as."""
    return digest_data(dataset, read_data(dataset))


def digest_data(dataset: str, files: tuple[bytes, ...]) -> str:
    """The `data_digest` of files that `read_data` read."""
    return _digest_files(dict(zip(DATA_FILES[dataset], files, strict=True)))


def code_digest() -> str:
    """64 hex digits: SHA-256 over the names and bytes of this package's modules, whatever its path, modes and times."""
    return _digest_files({path.name: path.read_bytes() for path in Path(__file__).parent.glob("*.py")})


def libraries() -> str | None:
    """The versions that can change the model's bytes, "torch 2.15.0, …"; None if any needed library is absent."""
    try:
        versions = {name: importlib.metadata.version(name) for name in NEEDED_LIBRARIES}
    except importlib.metadata.PackageNotFoundError:
        return None
    return ", ".join(f"{name} {versions[name]}" for name in SHAPING_LIBRARIES)


class _RefusedError(Exception):
    """A value that a property cannot have; the text continues "is VALUE; "."""


class _Reader:
    """Reads properties one by one and collects the problems instead of stopping at the first."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self._raw = raw
        self._known: list[str] = []
        self.problems: list[Problem] = []

    def read(self, name: str, accept: Callable[[object], Chosen], default: Chosen) -> Chosen:
        """The accepted value; the default if there is none, or if there is a problem, which is then noted."""
        self._known.append(name)
        value = self._raw.get(name)
        if value is None:
            return default
        try:
            return accept(value)
        except _RefusedError as refused:
            self.problems.append(Problem(name, value, f"is {_shown(value)}; {refused}"))
            return default

    def unknown_properties(self) -> list[Problem]:
        """One problem for each property that no run has."""
        allowed = ", ".join(self._known)
        return [
            Problem(name, self._raw[name], f"is not a property of a training run; allowed: {allowed}")
            for name in sorted(self._raw.keys() - set(self._known))
        ]


def _one_of(names: tuple[str, ...]) -> Callable[[object], str]:
    def accept(value: object) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise _RefusedError("allowed: " + ", ".join(repr(name) for name in names))

    return accept


def _positive_number(largest: float, example: str) -> Callable[[object], float]:
    def accept(value: object) -> float:
        number = _number(value)
        if number is None or not 0 < number <= largest:
            raise _RefusedError(f"it must be a number above 0, at most {largest:,.0f}, such as {example}")
        return number

    return accept


def _whole_number(smallest: int, largest: int) -> Callable[[object], int]:
    def accept(value: object) -> int:
        number = _number(value)
        if number is None or not smallest <= number <= largest or number != int(number):
            raise _RefusedError(f"it must be a whole number from {smallest:,} to {largest:,}")
        return int(number)

    return accept


def _number(value: object) -> float | None:
    """Numbers only: True is not 1 and "0.01" is not 0.01, since both show a mistake made elsewhere."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shown(value: object) -> str:
    """The value as a user would write it, in at most 60 characters."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_SEED:
        value = int(value)
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _digest_files(files: Mapping[str, bytes]) -> str:
    """Sorted by name; each name and content is hashed for itself, so that no byte can move from one to the next."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(files[name]).digest())
    return total.hexdigest()
