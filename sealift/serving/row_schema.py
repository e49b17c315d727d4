"""Name, usual value and range of each value of a row, as training described them.

The usual value is a mean or the most frequent category, so no training row is revealed. Bounds are rounded outwards to
the column's order of magnitude, because the smallest and the largest value each belong to one row. Models trained with
differential privacy, or elsewhere, do not describe their rows; the usual value is then 0 or an empty text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import numpy as np

from sealift.contents.description import Description, Summary, ValueRange
from sealift.serving.tensor import ANY, KINDS, Array, Tensor

Value = float | str
USUAL_DIGITS: Final = 2
"""Digits of a mean beyond the order of magnitude of the column's deviation."""


@dataclass(frozen=True)
class Field:
    """One value of a row."""

    name: str
    """Name of the value. Empty if it has none, such as a pixel."""
    usual: Value
    lowest: float | None = None
    highest: float | None = None
    choices: tuple[Value, ...] = ()
    """Categories that training saw, for a categorical value."""


@dataclass(frozen=True)
class Row:
    """The values of one input for one row: a field for each element of its shape, in order."""

    tensor: Tensor
    shape: tuple[int, ...]
    fields: tuple[Field, ...]


def make_rows(tensors: Iterable[Tensor], known: Description) -> list[Row]:
    """Makes the row of each input. Variable dimensions become 1."""
    inputs = list(tensors)
    return [_make_row(tensor, known, alone=len(inputs) == 1) for tensor in inputs]


def make_usual_row(row: Row, text: str = "", number: int = 0) -> Array:
    """Makes the usual row. `text` and `number` replace empty texts and zeros, which training did not describe."""
    usual = [one.usual or (text if row.tensor.datatype == "BYTES" else number) for one in row.fields]
    return np.array(usual, KINDS[row.tensor.datatype]).reshape(row.shape)


def _make_row(tensor: Tensor, known: Description, *, alone: bool) -> Row:
    shape = tuple(1 if size == ANY else size for size in tensor.shape)
    count, names = math.prod(shape), known.features
    if count == 1 and tensor.name in names:
        return Row(tensor, shape, (_make_column_field(tensor, known),))
    if not alone or len(names) != count:
        return Row(tensor, shape, (_make_unnamed_field(tensor, known.input_range),) * count)
    return Row(
        tensor, shape, tuple(_make_number_field(name, tensor, known.input_reference.get(name)) for name in names)
    )


def _make_unnamed_field(tensor: Tensor, known: ValueRange | None) -> Field:
    if known is None or not tensor.datatype.startswith("FP"):
        return Field("", _zero_of(tensor))
    return Field("", known.minimum, known.minimum, known.maximum)


def _make_column_field(tensor: Tensor, known: Description) -> Field:
    """Makes the field of a table's column. For categorical columns, training has each share as `column=category`."""
    shares = {
        name.removeprefix(f"{tensor.name}="): one.mean
        for name, one in known.input_reference.items()
        if _find_column(name, known.features) == tensor.name
    }
    if not shares or tensor.name in known.input_reference:
        return _make_number_field(tensor.name, tensor, known.input_reference.get(tensor.name))
    most = max(shares, key=shares.__getitem__)
    spelt: type[int | str] = str if tensor.datatype == "BYTES" else int
    return Field(tensor.name, spelt(most), choices=tuple(map(spelt, shares)))


def _find_column(name: str, columns: Sequence[str]) -> str | None:
    """The column that `column=category` belongs to. A column may itself have a name of that form."""
    if name in columns:
        return None
    return max((one for one in columns if name.startswith(f"{one}=")), key=len, default=None)


def _make_number_field(name: str, tensor: Tensor, known: Summary | None) -> Field:
    if known is None:
        return Field(name, _zero_of(tensor))
    mean, deviation = known.mean, known.deviation
    whole = not tensor.datatype.startswith("FP")
    if not deviation or not all(map(math.isfinite, astuple(known))):  # all rows have the same value, or no finite one
        usual = mean if math.isfinite(mean) else 0
        return Field(name, round(usual) if whole else usual)
    magnitude = math.floor(math.log10(deviation))
    if whole:
        magnitude, mean = max(magnitude, 0), round(mean)
    usual = round(mean, USUAL_DIGITS - magnitude)
    return Field(
        name,
        usual,
        _round_to(known.minimum, magnitude, ROUND_FLOOR),
        _round_to(known.maximum, magnitude, ROUND_CEILING),
    )


def _round_to(value: float, magnitude: int, towards: str) -> float:
    """Rounds to a multiple of that power of ten. Uses decimals, because 7.9 / 0.1 is more than 79 as floats."""
    step = Decimal(1).scaleb(magnitude)
    return float((Decimal(str(value)) / step).to_integral_value(towards) * step)


def _zero_of(tensor: Tensor) -> Value:
    return "" if tensor.datatype == "BYTES" else 0
