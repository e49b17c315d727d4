"""Split by a column: by its values, or the latest rows.

Shapes: R rows.
"""

# ruff: noqa: N806 (names of arrays carry the letters of their shape)

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealift.names import counted
from training.errors import DataError
from training.job import Job
from training.options import Split
from training.recipe.datasets import encoding

TRAIN: Final = 0
VALIDATION: Final = 1
HELD_OUT: Final = 2
VALIDATION_SHARE: Final = 0.1

Parts = np.ndarray[Any, np.dtype[np.uint8]]
Times = np.ndarray[Any, np.dtype[np.float64]]


def find_parts(column: pa.ChunkedArray, job: Job) -> Parts:
    """Returns TRAIN, VALIDATION or HELD_OUT for each row, (R,) uint8. Raises DataError."""
    split = job.data.split
    return _split_by_time(column, job) if split is None else _split_by_value(column, split, job)


def _split_by_value(column: pa.ChunkedArray, split: Split, job: Job) -> Parts:
    encoded = column.dictionary_encode().unify_dictionaries()
    values = encoded.chunk(0).dictionary if encoded.num_chunks else pa.array([], pa.string())
    wanted = dict.fromkeys(split.validation, VALIDATION) | dict.fromkeys(split.held_out, HELD_OUT)
    part_of_value = np.array([wanted.get(encoding.spell(one), TRAIN) for one in values.to_pylist()] + [TRAIN], np.uint8)
    indices = pa.chunked_array([chunk.indices.cast(pa.int32()) for chunk in encoded.chunks], pa.int32())
    found: Parts = part_of_value[indices.fill_null(len(values)).to_numpy()]
    what = None
    if not (found == HELD_OUT).any():
        what = f"none of them is in data.split.heldOut, {', '.join(map(repr, split.held_out))}"
    elif not (found == TRAIN).any():
        what = "data.split names all of them"
    if what is not None:
        raise DataError(
            f"the column {split.column!r} of {job.dataset} has {counted(len(values), 'different value')}; {what}",
            "some rows must be held out, and some must be left for training",
        )
    return found


def _split_by_time(column: pa.ChunkedArray, job: Job) -> Parts:
    """Holds out the latest rows. Rows of the same time stay together, on the later side."""
    name = job.data.time_column
    times_R = _read_times(column, name)
    missing = int(np.isnan(times_R).sum())
    if missing:
        raise DataError(
            f"data.timeColumn is {name!r}, which is missing in {missing:,} of {len(times_R):,} rows",
            "fill in these values, or remove the rows",
        )
    found: Parts = np.full(len(times_R), TRAIN, np.uint8)
    found[_find_latest(times_R, job.data.held_out)] = HELD_OUT
    earlier_R = found == TRAIN
    if job.validates and earlier_R.any():
        validating = _find_latest(times_R[earlier_R], job.data.validation or VALIDATION_SHARE)
        found[np.flatnonzero(earlier_R)[validating]] = VALIDATION
    if not (found == TRAIN).any():
        raise DataError(
            f"data.timeColumn is {name!r}, but too many rows have its latest time: no rows are left for training",
            "lower data.heldOut, or use a column with finer times",
        )
    return found


def _find_latest(times: Times, share: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Returns which of these times are among the latest `share` of them, or equal to one of those."""
    count = max(1, round(share * len(times)))
    earliest: float = np.partition(times, len(times) - count)[len(times) - count]
    return np.greater_equal(times, earliest)


def _read_times(column: pa.ChunkedArray, name: str | None) -> Times:
    """Returns numbers that grow with time. Microseconds are exact for 285 years around 1970."""
    kind = column.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise DataError(
            f"data.timeColumn is {name!r}, which holds {kind}",
            "it must hold times or numbers, such as 2026-01-31 or 2026-01-31T12:00:00",
        )
    times_R: Times = pc.cast(column, pa.float64(), safe=False).to_numpy().astype(np.float64)
    return times_R
