"""Quality checks of a data set, after masking and before training. They change nothing.

Findings name columns and counts, never values, since readers of a report may not be allowed to see the data.
training/findings.py decides which findings are allowed.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealift.names import counted
from sealift.settings.names import suggest
from training.errors import DataError
from training.findings import Finding
from training.options import Quality, Task
from training.recipe.datasets import encoding

if TYPE_CHECKING:  # importing it at run time would load torch
    from training.recipe.datasets.dataset import TensorRows

ONE_AND_THE_SAME: Final = 0.99999
"""Correlation with a numeric target beyond which a feature counts as the target itself."""
SHARED_ROWS: Final = 0.05
"""Largest share of the held-out rows that may also be among the training rows."""
SOME_ROWS: Final = 1000
SHOWN: Final = 8
"""Number of columns that a message names."""
ROUNDED: Final = 0.01
"""Share of a column's deviation. If rounding exceeds it, FP32 has too few digits for the column."""
EXACT: Final = 2**24
"""Largest whole number up to which FP32 is exact."""
HOLDS: Final[Mapping[str, Callable[[pa.DataType], bool]]] = {
    "number": lambda kind: pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind),
    "whole": pa.types.is_integer,
    "text": lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind),
    "boolean": pa.types.is_boolean,
    "time": lambda kind: pa.types.is_date(kind) or pa.types.is_timestamp(kind),
}
"""Checks of a column's type, by options.COLUMN_TYPES."""
WORDS: Final[Mapping[str, str]] = {
    "whole": "whole numbers", "number": "numbers", "text": "texts", "boolean": "booleans", "time": "dates or times",
}  # fmt: skip
"""Values of a column's type in a message. A whole number is a number too, so it comes first."""

Array = np.ndarray[Any, np.dtype[Any]]


def examine(
    table: pa.Table, target: str, task: Task, quality: Quality, categorical: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """Returns all findings of these rows, regardless of limits. Numbers of `categorical` columns are names. Raises
    DataError for a target that nothing can be learnt from.
    """
    strange = sorted(quality.ranges.keys() - set(table.column_names))
    if strange:
        raise DataError(
            "; ".join(
                f"quality.ranges names the column {name!r}, which does not exist{suggest(name, table.column_names)}"
                for name in strange
            ),
            f"the columns are {', '.join(table.column_names)}",
        )
    _check_target(table[target], target, task)
    features = [name for name in table.column_names if name != target]
    return (
        *_find_missing(table, features),
        *_find_constant(table, features),
        *_find_duplicate_columns(table, features),
        *_find_duplicate_rows(table),
        *_find_imbalance(table[target], target, task),
        *_find_leakage(table, features, target, task),
        *_find_out_of_range(table, quality),
        *_find_precision(table, [name for name in features if name not in categorical]),
    )


def demand_ranges(
    feature_names: Sequence[str], task: Task, ranges: Mapping[str, tuple[float, float]], target: str
) -> None:
    """Raises DataError for columns without a public range, which private training scales its columns by. A category's
    column is 0 or 1.
    """
    missing = [name for name in feature_names if name not in ranges and "=" not in name]
    if task == "regression" and target not in ranges:
        missing.append(target)
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise DataError(
            f"quality.ranges does not name {', '.join(map(repr, missing[:SHOWN]))}{more}; with privacy, it scales the "
            "columns",
            "give the lowest and highest possible value of each; those of the rows would reveal something of them",
        )


def _describe(kind: pa.DataType) -> str:
    """Returns the values of this type in the words of quality.schema, or Arrow's name of another type."""
    exact = next((name for name in WORDS if HOLDS[name](kind)), None)
    if exact is None:
        return f"values of type {kind}"
    return "numbers with fractions" if exact == "number" else WORDS[exact]


def check_schema(schema: pa.Schema, wanted: Mapping[str, str], name: str) -> None:
    """Raises DataError that lists every column that is missing or has another type."""
    problems = [
        f"{column!r} is missing"
        if column not in schema.names
        else f"{column!r} holds {_describe(encoding.find_value_type(schema.field(column).type))}, not {WORDS[kind]}"
        for column, kind in wanted.items()
        if column not in schema.names or not HOLDS[kind](encoding.find_value_type(schema.field(column).type))
    ]
    if problems:
        raise DataError(
            f"{name} does not match quality.schema: {'; '.join(problems)}",
            f"its columns: {_list_names(schema.names)}; correct the data or quality.schema",
        )


def examine_split(train: "TensorRows", held_out: "TensorRows") -> tuple[Finding, ...]:
    """Returns a finding if training also sees held-out rows, which would make a model look better than it is."""
    seen = np.isin(compute_fingerprints(held_out), compute_fingerprints(train))
    if seen.mean() <= SHARED_ROWS:
        return ()
    message = f"{seen.sum():,} of {len(seen):,} held-out rows ({seen.mean():.1%}) are also among the training rows"
    return (Finding("leakage", (), message),)


def find_missing(target: pa.ChunkedArray) -> Array:
    """Returns the rows without a target, (R,) bool. An infinite target does not count."""
    return _is_missing(target)


def count_lacking(target: pa.ChunkedArray) -> int:
    """Returns the number of rows whose target cannot be learnt from."""
    return int(_is_missing(target).sum()) + int(_is_infinite(target).sum())


def make_incomplete_error(target: str, rows: int, of: int) -> DataError:
    """Returns the error for rows without a usable target."""
    return DataError(
        f"the target {target!r} is missing, NaN or infinite in {rows:,} of {of:,} rows",
        "fill them in, or set data.dropMissingTarget to true to leave out rows without a target; in a CSV file, empty "
        "fields, NA, None and the like are missing values (data.missing lists them); values beyond FP32's 3.4e38 count "
        "as infinite",
    )


def compute_fingerprints(rows: "TensorRows") -> Array:
    """Returns (R,) uint64. Rows with equal features and target have equal numbers."""
    parts = [part.reshape(len(rows), -1).double().numpy() for part in (rows.features, rows.target)]
    return _mix(column for part in parts for column in part.T)


def _check_target(column: pa.ChunkedArray, target: str, task: Task) -> None:
    bad = count_lacking(column)
    if bad:
        raise make_incomplete_error(target, bad, len(column))
    if task == "regression" and _is_rounded_away(column):
        raise DataError(
            f"the target {target!r} has more digits than FP32, so rounding removes its differences",
            "subtract a constant from it, since a model's answers are FP32",
        )
    if task == "regression" and (merged := _describe_merged(column)):
        raise DataError(
            f"the target {target!r} has {merged}", "subtract a constant from it, or write it with a decimal point"
        )
    if not _varies(column):
        what = "one class" if task == "classification" else "one value"
        raise DataError(
            f"the target {target!r} has only {what}", "add rows with other values, so that there is something to learn"
        )


def _find_missing(table: pa.Table, features: list[str]) -> Iterator[Finding]:
    for name in features:
        count = int(_is_missing(table[name]).sum())
        if count:
            message = f"{name!r} has no value in {counted(count, 'row')} ({count / table.num_rows:.1%})"
            yield Finding("missingValues", (name,), message, count, table.num_rows)


def _find_constant(table: pa.Table, features: list[str]) -> Iterator[Finding]:
    same = tuple(name for name in features if not _varies(table[name]))
    if same:
        yield Finding(
            "constantColumns",
            same,
            f"{_list_names(same)} {'have' if len(same) > 1 else 'has'} the same value in all rows",
        )


def _find_duplicate_columns(table: pa.Table, features: list[str]) -> Iterator[Finding]:
    alike: dict[bytes, list[str]] = {}
    for name in features:
        if _varies(table[name]):  # constant columns are a separate finding
            alike.setdefault(_digest(table[name]), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            yield Finding("duplicateColumns", tuple(names), f"{_list_names(names)} hold the same values")


def _find_duplicate_rows(table: pa.Table) -> Iterator[Finding]:
    ordered_R = np.sort(_mix(_read_numbers(table[name]) for name in table.column_names))
    count = int((ordered_R[1:] == ordered_R[:-1]).sum())
    if count:
        copies = "is a copy of another row" if count == 1 else "are copies of other rows"
        yield Finding("duplicateRows", (), f"{count:,} of {table.num_rows:,} rows {copies}")


def _find_imbalance(column: pa.ChunkedArray, target: str, task: Task) -> Iterator[Finding]:
    if task != "classification":
        return
    counts = pc.value_counts(column).field("counts").to_numpy()
    fewest = int(counts.min())
    message = f"the rarest of {len(counts)} classes has {fewest:,} of {len(column):,} rows"
    yield Finding("imbalance", (target,), message, fewest, len(column))


def _find_leakage(table: pa.Table, features: list[str], target: str, task: Task) -> Iterator[Finding]:
    wanted_R = _read_numbers(table[target])
    for name in features:
        told = _tells_class if task == "classification" else _tells_number
        if told(_read_numbers(table[name]), wanted_R):
            yield Finding("leakage", (name, target), f"{name!r} contains the target {target!r} in another form")


def _tells_class(feature_R: Array, class_R: Array) -> bool:
    """Returns whether each class has one value and each value one class."""
    classes = len(np.unique(class_R))
    if len(np.unique(feature_R)) != classes:
        return False
    return len(np.unique(_mix((feature_R, class_R)))) == classes


def _tells_number(feature_R: Array, target_R: Array) -> bool:
    known = np.abs(feature_R) <= np.finfo(np.float32).max
    feature_R, target_R = feature_R[known], target_R[known]
    if len(feature_R) < 3 or feature_R.std() == 0 or target_R.std() == 0:
        return False
    return bool(abs(np.corrcoef(feature_R, target_R)[0, 1]) > ONE_AND_THE_SAME)


def _find_out_of_range(table: pa.Table, quality: Quality) -> Iterator[Finding]:
    for name in table.column_names:
        infinite = int(_is_infinite(table[name]).sum())
        if infinite:
            message = f"{name!r} is infinite, or too large for FP32, in {counted(infinite, 'row')}"
            yield Finding("outOfRange", (name,), message)
    for name, (low, high) in quality.ranges.items():
        values_R = _read_numbers(table[name])
        outside = int(((values_R < low) | (values_R > high)).sum())
        if outside:
            message = f"{name!r} is outside {low:g} to {high:g} in {outside:,} of {table.num_rows:,} rows"
            yield Finding("outOfRange", (name,), message)


def _varies(column: pa.ChunkedArray) -> bool:
    """Returns whether it has two different values, counting a missing one. The first rows nearly always show it."""
    return len(pc.unique(column[:SOME_ROWS])) > 1 or len(pc.unique(column)) > 1


def _find_precision(table: pa.Table, features: list[str]) -> Iterator[Finding]:
    for name in features:
        if _is_rounded_away(table[name]):
            yield Finding(
                "precision", (name,), f"{name!r} has more digits than FP32, so rounding removes its differences"
            )
        elif merged := _describe_merged(table[name]):
            yield Finding("precision", (name,), f"{name!r} has {merged}")


def _describe_merged(column: pa.ChunkedArray) -> str | None:
    """Describes whole numbers that become equal when FP32 rounds them. Returns None if it has no such numbers."""
    kind = encoding.find_value_type(column.type)
    if encoding.is_text(kind):
        different = encoding.find_whole_texts(column)
        if different is None:
            return None
    elif pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale <= 0):
        if encoding.find_largest(column) <= EXACT:
            return None
        different = pc.unique(column.cast(kind)).drop_null()
    else:
        return None
    left = len(np.unique(encoding.read_numbers(different)))
    if left == len(different):
        return None
    return (
        f"{len(different):,} different whole numbers, some beyond 2^24; FP32 has only {counted(left, 'value')} for them"
    )


def _is_rounded_away(column: pa.ChunkedArray) -> bool:
    """Returns whether FP32, in which a network sees the column, rounds by more than a hundredth of its deviation."""
    if not encoding.is_number(column.type) or pa.types.is_dictionary(column.type):
        return False
    exact_R = encoding.read_doubles(column)
    exact_R = exact_R[np.abs(exact_R) < np.finfo(np.float32).max]
    rounding_R = exact_R - exact_R.astype(np.float32)
    return bool(len(exact_R) and np.abs(rounding_R).mean() > ROUNDED * exact_R.std() > 0)


def _is_missing(column: pa.ChunkedArray) -> Array:
    """Returns which values are null, NaN or blank texts."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.equal(pc.utf8_trim_whitespace(column), "")
        return np.asarray(pc.fill_null(column, True))
    return np.asarray(pc.is_null(column, nan_is_null=True))


def _is_infinite(column: pa.ChunkedArray) -> Array:
    """Returns which values are infinite or beyond FP32, from 3.4e38 on."""
    if not pa.types.is_floating(column.type) and not pa.types.is_decimal(column.type):
        return np.zeros(len(column), dtype=bool)
    return np.isinf(encoding.read_numbers(column))


def _read_numbers(column: pa.ChunkedArray) -> Array:
    """Returns (R,) FP64: numbers, or for texts the number of each distinct one, in the order of their first rows. NaN
    means missing.
    """
    kind = column.type
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    ):
        return np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan))
    index = column if pa.types.is_dictionary(kind) else column.dictionary_encode()
    return np.asarray(index.combine_chunks().indices.cast(pa.float64()).fill_null(np.nan))


def _digest(column: pa.ChunkedArray) -> bytes:
    """Returns a digest that is equal for equal columns. Text columns that differ only in spelling are equal."""
    numbers_R = _read_numbers(column)
    numbers_R = np.where(np.isnan(numbers_R), np.nan, numbers_R + 0.0)
    return hashlib.sha256(numbers_R.tobytes()).digest()


def _mix(columns: Iterator[Array] | Sequence[Array]) -> Array:
    """Mixes rows into one number each, (R,) uint64, column by column (splitmix64's finaliser, Steele et al. 2014)."""
    mixed_R: Array | None = None
    for column_R in columns:
        bits_R: Array = np.where(np.isnan(column_R), np.nan, column_R + 0.0).view(np.uint64)  # one NaN, one zero
        mixed_R = bits_R if mixed_R is None else bits_R + mixed_R * np.uint64(0x9E3779B97F4A7C15)
        mixed_R = (mixed_R ^ (mixed_R >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed_R = (mixed_R ^ (mixed_R >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed_R ^= mixed_R >> np.uint64(31)
    if mixed_R is None:
        raise AssertionError("internal error: rows without columns")
    return mixed_R


def _list_names(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
