"""TABLE → ARRAYS: what each column is, learnt once from the distinct values and then applied to any of its rows.

numbers, booleans    one FP32 column; missing is NaN
dates, times         days since 1970-01-01, as FP32
text                 one column of 0 and 1 for each distinct text, in alphabetical order
target               a number (regression), or the index of its class
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealift.names import counted
from training.errors import DataError
from training.options import Data, Task
from training.recipe.datasets import spelling

MOST_CATEGORIES: Final = 50
MOST_CLASSES: Final = 1000
MOST_WHOLE_CLASSES: Final = 20
"""Largest number of different whole numbers of a target that is taken for classes, unless data.task is set."""
NUMBER: Final = spelling.PLAIN
DIGITS: Final = r"^\s*[-+]?\d+\s*$"
WHOLE: Final = r"^\s*[-+]?\d+(\.0*)?\s*$"
INT64_MAX: Final = 2**63 - 1
EXACT_DOUBLE: Final = 2**53
"""Largest whole number up to which FP64 is exact."""
MICROSECONDS_A_DAY: Final = 86_400_000_000

Array = np.ndarray[Any, np.dtype[Any]]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Distinct = Callable[[str], pa.Array]
"""Function that returns the distinct values of a column."""


@dataclass(frozen=True)
class ColumnEncoding:
    """Encoding of one column. `categories` are its texts, or whole numbers that are names. None means that it is a
    number.
    """

    name: str
    categories: pa.Array | None

    @property
    def feature_names(self) -> list[str]:
        """Names of the tensor's columns that it becomes."""
        if self.categories is None:
            return [self.name]
        return [f"{self.name}={category}" for category in self.categories.to_pylist()]

    @property
    def datatype(self) -> str:
        """Type of its values in a request, by its name in the Open Inference Protocol."""
        if self.categories is None:
            return "FP32"
        return "INT64" if pa.types.is_integer(self.categories.type) else "BYTES"

    @property
    def names(self) -> np.ndarray[Any, Any]:
        """The categories, followed by a value that is not one of them."""
        values = [] if self.categories is None else self.categories.to_pylist()
        if self.datatype != "INT64":
            return np.array([*values, ""], object)
        known = set(values)
        unknown = next(
            one for one in range(min(max(values, default=0) + 1, INT64_MAX), -INT64_MAX, -1) if one not in known
        )
        return np.array([*values, unknown], np.int64)

    def encode(self, column: pa.ChunkedArray) -> Floats:
        """Encodes a column as FP32 (R, columns)."""
        if self.categories is None:
            return read_numbers(column)[:, np.newaxis]
        values = _decode_dictionary(column).cast(self.categories.type)
        index_R = pc.index_in(values, self.categories).fill_null(-1).to_numpy()
        one_hot_RC: Floats = (index_R[:, np.newaxis] == np.arange(len(self.categories))).astype(np.float32)
        return one_hot_RC

    def decode(self, one_hot_RC: Floats) -> np.ndarray[Any, Any]:
        """Decodes to (R, 1) request values that `encode` maps back. A row of no category gets another value."""
        if self.categories is None:
            return one_hot_RC
        index_R = np.where(one_hot_RC.any(axis=1), one_hot_RC.argmax(axis=1), len(self.categories))
        decoded_R1: np.ndarray[Any, Any] = self.names[index_R][:, np.newaxis]
        return decoded_R1


@dataclass(frozen=True)
class Encoding:
    """Encoding of a whole table."""

    columns: tuple[ColumnEncoding, ...]
    target: str
    task: Task
    classes: pa.Array | None
    whole: bool = False
    """Whether features stay whole numbers (ids)."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the tensor's columns."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names in the order of the model's outputs."""
        return () if self.classes is None else tuple(map(spell, self.classes.to_pylist()))

    def encode(self, table: pa.Table) -> tuple[Array, Array]:
        """Returns features (R, F), FP32 or int64, and the target of these rows."""
        if self.whole:
            ids_RF = np.stack([read_ids(table[column.name], column.name) for column in self.columns], axis=1)
            return ids_RF, self.encode_target(table)
        encoded = [column.encode(table[column.name]) for column in self.columns]
        return np.ascontiguousarray(np.concatenate(encoded, axis=1)), self.encode_target(table)

    def encode_target(self, table: pa.Table) -> Array:
        """Returns the target, (R, 1) FP32 or (R,) int64."""
        column = table[self.target]
        if self.classes is None:
            return read_numbers(column)[:, np.newaxis]
        index_R: Array = pc.index_in(_decode_dictionary(column), self.classes).to_numpy().astype(np.int64)
        return index_R


class BadColumns(DataError):
    """Columns that cannot be encoded. The message lists all such features, `names` has their names."""

    def __init__(self, problems: Mapping[str, DataError]) -> None:
        self.names = tuple(problems)
        if len(problems) == 1:
            (only,) = problems.values()
            super().__init__(only.message, only.hint)
            return
        lines = "".join(f"\n  {one.message}; {one.hint}" for one in problems.values())
        super().__init__(f"{len(problems)} columns cannot be used:{lines}", "data.exclude leaves out columns")


def learn(
    schema: pa.Schema,
    names: list[str],
    options: Data,
    distinct: Distinct,
    *,
    whole: bool,
    hashed: Mapping[str, bool] = MappingProxyType({}),
) -> Encoding:
    """Learns the encoding. `names` are the features' columns and, last, the target's. `hashed` are those that masking
    hashes, and whether all of their values differ. Raises DataError that lists all features that cannot be encoded.
    """
    *features, target = names
    check_kinds(schema, [target])
    problems: dict[str, DataError] = {}
    columns = []
    for name in features:
        try:
            check_kinds(schema, [name, target])
            columns.append(_learn_column(name, schema.field(name).type, options, distinct, hashed.get(name)))
        except DataError as error:
            problems[name] = error
    _check_spelling(schema, names, options, distinct, problems)
    if problems:
        raise BadColumns(problems)
    task = find_target_task(target, schema.field(target).type, options, distinct)
    if whole and any(column.categories is not None for column in columns):
        raise DataError(
            "the model recommender takes ids (whole numbers), but a feature is text", "replace its values by numbers"
        )
    classes = _find_classes(target, distinct) if task == "classification" else None
    return Encoding(tuple(columns), target, task, classes, whole)


def _learn_column(
    name: str, kind: pa.DataType, options: Data, distinct: Distinct, all_differ: bool | None
) -> ColumnEncoding:
    if all_differ is not None:
        _check_hashed(name, len(distinct(name).drop_null()), all_differ=all_differ)
    return (
        _make_categorical(name, kind, distinct) if name in options.categorical else _make_column(name, kind, distinct)
    )


def _check_hashed(name: str, different: int, *, all_differ: bool) -> None:
    """Raises DataError for hashes that nothing can be learnt from: each is a category, whatever its original value."""
    if all_differ or different > MOST_CATEGORIES:
        what = "all values are different" if all_differ else f"there are {different:,} different values"
        raise DataError(
            f"masking.{name}.method is 'hash', but {what}: each becomes a category, at most {MOST_CATEGORIES} are "
            "allowed, and a category of a single row teaches the model nothing",
            f"set masking.{name}.method to drop, or to generalise if the column has numbers or dates",
        )


def find_target_task(target: str, kind: pa.DataType, options: Data, distinct: Distinct) -> Task:
    """Returns the task that data.task gives, or that the target's values suggest. Raises DataError for a regression of
    text.
    """
    textual = is_text(kind)
    if options.task is not None:
        if options.task == "regression" and textual:
            raise DataError(f"data.task is 'regression', but the target {target!r} is text", _hint_at_mixed(target))
        return cast(Task, options.task)
    if textual:
        _check_names_of_classes(target, _to_text(distinct(target)).drop_null())
    if textual or pa.types.is_boolean(kind):
        return "classification"
    values = distinct(target).drop_null()
    few = len(values) <= MOST_WHOLE_CLASSES
    whole = few and not _is_time(find_value_type(kind)) and all(float(one).is_integer() for one in values.to_pylist())
    return "classification" if whole else "regression"


def _check_spelling(
    schema: pa.Schema, names: list[str], options: Data, distinct: Distinct, problems: Mapping[str, DataError]
) -> None:
    """Raises DataError that lists the columns, the target last, whose texts look like numbers or dates, and then the
    other problems.
    """
    by_choice = {*options.categorical, *([names[-1]] if options.task == "classification" else [])}
    looks = {
        name: spelling.look(distinct(name))
        for name in names
        if name not in by_choice and is_text(schema.field(name).type)
    }
    found = {name: one for name, one in looks.items() if one is not None}
    if not found:
        return
    lines = [
        f"\n  {name!r} holds {one.what}, written like {one.form!r} (9 is any digit); {one.way_out}"
        for name, one in found.items()
    ]
    others = "".join(f"\n  {one.message}; {one.hint}" for name, one in problems.items() if name not in found)
    raise DataError(
        f"these texts look like numbers or dates, but would become categories or classes:{''.join(lines)}"
        + (f"\nother columns cannot be used:{others}" if others else ""),
        "if they are names, list a feature in data.categorical, or set data.task to classification for a target; "
        "data.exclude leaves out columns",
    )


def check_kinds(schema: pa.Schema, names: list[str]) -> None:
    """Raises DataError for columns, the target last, that hold neither numbers nor text nor time."""
    *features, target = names
    for name in features:
        kind = schema.field(name).type
        if not is_text(kind) and not is_number(kind):
            raise DataError(
                f"the column {name!r} holds {kind}, which cannot be a feature", "leave it out with data.exclude"
            )
    kind = schema.field(target).type
    if not is_text(kind) and not is_number(kind):
        raise DataError(f"the target {target!r} holds {kind}", "it must hold numbers, texts, dates or booleans")


def read_numbers(column: pa.ChunkedArray) -> Floats:
    """Returns FP32 (R,). A missing value becomes NaN."""
    with np.errstate(over="ignore"):  # they become infinite, which quality.py reports
        values_R: Floats = read_doubles(column).astype(np.float32)
    return values_R


def read_ids(column: pa.ChunkedArray, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Returns exact INT64 (R,). Raises DataError for values that are not whole or exceed INT64."""
    kind = find_value_type(column.type)
    if pa.types.is_integer(kind):
        if pa.types.is_uint64(kind) and find_largest(column) > INT64_MAX:
            raise _make_beyond_error(name)
        exact = column.cast(pa.int64())
        if not exact.null_count:
            whole_R: np.ndarray[Any, np.dtype[np.int64]] = exact.to_numpy().astype(np.int64)
            return whole_R
    values_R = read_doubles(column)
    wrong = np.flatnonzero(~(np.abs(values_R) <= EXACT_DOUBLE) | (np.floor(values_R) != values_R))
    if len(wrong):
        raise DataError(
            f"the column {name!r} has no valid id in {counted(len(wrong), 'row')}, first in row {wrong[0] + 1:,}",
            "ids must be whole numbers, at least 0",
        )
    return values_R.astype(np.int64)


def find_whole_texts(column: pa.ChunkedArray) -> pa.Array | None:
    """Returns the distinct values of a text column of whole numbers, without signs and zeros that change none."""
    values = pc.unique(_to_text(column)).drop_null()
    if not len(values) or count_matching(values[:1], DIGITS) == 0 or count_matching(values, DIGITS) < len(values):
        return None
    return pc.unique(pc.replace_substring_regex(values, r"^\s*(?:\+|(-))?0*(\d+)\s*$", r"\1\2"))


def find_largest(column: pa.ChunkedArray) -> int:
    """Returns the largest absolute value of whole numbers, or 0 for an empty column."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    ends = pc.min_max(column).as_py()
    return max((abs(int(one)) for one in ends.values() if one is not None), default=0)


def _make_beyond_error(name: str) -> DataError:
    return DataError(
        f"the column {name!r} has whole numbers beyond 2^63 - 1, the largest value of INT64",
        "write them as texts if they are names, or with a decimal point if they are quantities",
    )


def read_doubles(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Returns FP64 (R,), before rounding."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if is_text(column.type):  # "12" is text in the file, and a number here; Arrow accepts neither spaces nor a plus
        column = pc.utf8_ltrim(pc.utf8_trim_whitespace(_to_text(column)), characters="+").cast(pa.float64())
    elif _is_time(column.type):
        column = pc.divide(column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).cast(pa.float64(), safe=False),
                           float(MICROSECONDS_A_DAY))  # fmt: skip
    elif not pa.types.is_float64(column.type):
        column = column.cast(pa.float64(), safe=False)
    values_R: np.ndarray[Any, np.dtype[np.float64]] = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return values_R


def _make_column(name: str, kind: pa.DataType, distinct: Distinct) -> ColumnEncoding:
    if not is_text(kind):
        return ColumnEncoding(name, None)
    values = _to_text(distinct(name)).drop_null()
    numeric = count_matching(values, NUMBER)
    if numeric == len(values):
        return ColumnEncoding(name, None)
    if numeric > len(values) // 2:
        raise _refuse_mixed(f"the column {name!r}", name, len(values), numeric)
    return ColumnEncoding(name, _find_categories(name, values, "texts"))


def _make_categorical(name: str, kind: pa.DataType, distinct: Distinct) -> ColumnEncoding:
    """Encodes a column whose values are names, whatever they look like."""
    values = _decode_dictionary(distinct(name)).drop_null()
    if not is_text(kind):
        if pa.types.is_uint64(find_value_type(kind)) and find_largest(values) > INT64_MAX:
            raise _make_beyond_error(name)
        try:
            values = values.cast(pa.int64())
        except pa.ArrowInvalid:
            values = None
    if values is None or pa.types.is_boolean(kind):
        raise DataError(
            f"data.categorical names {name!r}, which holds {kind}", "categories must be texts or whole numbers"
        )
    return ColumnEncoding(name, _find_categories(name, values, "values"))


def _find_categories(name: str, values: pa.Array, what: str) -> pa.Array:
    if len(values) > MOST_CATEGORIES:
        raise DataError(
            f"the column {name!r} has {len(values):,} different {what}; at most {MOST_CATEGORIES} can be categories",
            "leave it out with data.exclude, or name it in data.text to learn from its words",
        )
    return values.take(pc.sort_indices(values))


def _find_classes(target: str, distinct: Distinct) -> pa.Array:
    values = _decode_dictionary(distinct(target)).drop_null()
    if len(values) > MOST_CLASSES:
        raise DataError(
            f"the target {target!r} has {len(values):,} different values; at most {MOST_CLASSES:,} can be classes",
            "set data.task to regression if it is a number",
        )
    return values.take(pc.sort_indices(values))


def _check_names_of_classes(target: str, values: pa.Array) -> None:
    """Raises DataError for class names that are fractions, and for many different ones of which most or all are
    numbers.
    """
    numeric = count_matching(values, NUMBER)
    fractions = numeric == len(values) > count_matching(values, WHOLE)
    if not fractions and (len(values) <= MOST_WHOLE_CLASSES or numeric <= len(values) // 2):
        return
    if numeric < len(values):
        raise _refuse_mixed(f"the target {target!r}", target, len(values), numeric)
    raise DataError(
        f"the target {target!r} is text, but its {len(values):,} different values are all numbers",
        "write them as numbers, or set data.task to classification if they are names of classes",
    )


def _refuse_mixed(what: str, name: str, different: int, numeric: int) -> DataError:
    return DataError(
        f"{what} mixes types: its {different:,} different values are {counted(numeric, 'number')} and "
        f"{counted(different - numeric, 'text')}",
        _hint_at_mixed(name),
    )


def count_matching(values: pa.Array, pattern: str) -> int:
    """Returns the number of texts that match."""
    return pc.sum(pc.match_substring_regex(values, pattern)).as_py() or 0


def _hint_at_mixed(name: str) -> str:
    return f"correct the texts among the numbers of {name!r}; an empty field or NA means a missing value"


def _decode_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return _to_text(column) if is_text(column.type) else column


def _to_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def is_text(kind: pa.DataType) -> bool:
    """Returns whether the type is text, also if the file has each text once and refers to it by number."""
    kind = find_value_type(kind)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_number(kind: pa.DataType) -> bool:
    """Returns whether each value becomes one number. The type of a column without any value is null."""
    kind, types = find_value_type(kind), pa.types
    plain = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    return bool(plain or types.is_null(kind) or _is_time(kind))


def find_value_type(kind: pa.DataType) -> pa.DataType:
    """Returns the value type of a dictionary column, otherwise the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def spell(value: object) -> str:
    """Formats 2.0 as 2, True as true."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
