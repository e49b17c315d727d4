"""An artifact's description of its model. Training writes it into the manifest, encrypted. The server and the key's
owner read it.

The dataclasses are the schema. VERSION increases when readers of the previous version would misunderstand it. Artifacts
of version 1 do not state their version.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sealift.contents.codec import decode, encode, names_of
from sealift.contents.errors import ContentsError

VERSION: Final = 2
PLACE: Final = "description"


@dataclass(frozen=True)
class RowCounts:
    """Numbers of rows."""

    train: int
    held_out: int
    left_out: int | None = None
    """Number of rows without a target, if the run leaves them out."""


@dataclass(frozen=True)
class TensorForm:
    """An input or output of the model, in the terms of the Open Inference Protocol v2."""

    name: str
    datatype: str
    shape: tuple[object, ...]
    """Sizes of the dimensions, or names of those whose size is not fixed."""


@dataclass(frozen=True)
class Summary:
    """A feature's distribution over the training rows."""

    mean: float
    deviation: float
    minimum: float
    maximum: float


@dataclass(frozen=True)
class ValueRange:
    """The smallest and the largest of all values, for features without names that share a scale, such as pixels."""

    minimum: float
    maximum: float


@dataclass(frozen=True)
class Bins:
    """Histogram of a feature over the training rows, in bins between quantiles."""

    bounds: tuple[float, ...]
    """Upper bounds of the bins, which are inclusive. The last bin has no bound."""
    shares: tuple[float, ...]
    """Share of the rows in each bin, one more than the bounds."""

    def __post_init__(self) -> None:
        """Raises ValueError if the numbers of bounds and shares do not fit."""
        if not self.bounds or len(self.shares) != len(self.bounds) + 1:
            raise ValueError(f"{len(self.bounds)} bounds and {len(self.shares)} shares")


@dataclass(frozen=True, kw_only=True)
class Description:
    """An artifact's description of its model. Missing fields have the defaults."""

    task: str | None = None
    dataset: str | None = None
    model: str | None = None
    hyperparameters: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    epochs_run: int | None = None
    stop_reason: str | None = None
    data_digest: str | None = None
    code_digest: str | None = None
    libraries: str | None = None
    content_digest: str | None = None
    """SHA-256 of the plain model, in hex."""
    rows: RowCounts | None = None
    features: tuple[str, ...] = ()
    """Names of a row's values, in the model's order."""
    classes: tuple[str, ...] = ()
    """Names of the classes, in the order of the model's numbers."""
    words: tuple[str, ...] = ()
    """The vocabulary. A word's position is its id."""
    inputs: tuple[TensorForm, ...] = ()
    output: TensorForm | None = None
    input_reference: Mapping[str, Summary] = field(default_factory=dict)
    """Summaries by feature. Empty if training was private."""
    input_bins: Mapping[str, Bins] = field(default_factory=dict)
    input_range: ValueRange | None = None
    onnx_opset: int | None = None


def write_description(description: Description) -> dict[str, Any]:
    """Returns the description as JSON values."""
    return {"version": VERSION, **encode(description)}


def read_description(values: object) -> Description:
    """Reads a description of any version up to VERSION. Raises ContentsError, which names the invalid place."""
    if not isinstance(values, Mapping):
        raise ContentsError(PLACE)
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can contain and UTF-8 cannot
        raise ContentsError(PLACE) from None
    version = values.get("version", 1)
    if type(version) is not int:
        raise ContentsError(f"{PLACE}.version")
    if version == 1:
        return decode(Description, _of_version_1(values), PLACE)
    if version != VERSION:
        raise ContentsError(f"{PLACE}.version")
    return decode(Description, {name: value for name, value in values.items() if name != "version"}, PLACE)


def _of_version_1(values: Mapping[str, Any]) -> dict[str, Any]:
    """Converts version 1, which allowed any other fields too, and had an empty object for no range."""
    known = {name: value for name, value in values.items() if name in names_of(Description)}
    if known.get("inputRange") == {}:
        del known["inputRange"]
    if isinstance(labels := known.get("classes"), list):
        known["classes"] = [str(label) for label in labels]
    return known
