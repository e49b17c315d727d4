"""Removes personal data from a table's columns before anything else sees them: drop, hash, generalise, redact.

Nothing here writes, logs or fetches. Masking is not anonymity: hashed values can still be linked, generalised or
remaining values can still single a person out, and `redact` (see redaction.py) removes only what it recognises.
"""

import hmac
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from training.errors import DataError
from training.options import Masking
from training.recipe.datasets.redaction import LONGEST_TEXT, Redactor

KEY_INFO: Final = b"sealift/v1/mask\0"
HASH_BYTES: Final = 8
MICROSECONDS_A_DAY: Final = 86_400_000_000
TIMES_TOLD: Final = 20
FEWEST_UNTOLD, MOST_UNTOLD = 100, 1000
"""Number of texts between two progress messages of redaction, which take about a second."""

Tell = Callable[[str], None]


def tell_nobody(message: str) -> None:
    """Ignores the message."""


@dataclass(frozen=True)
class Masker:
    """Masks under `key`, the store's mask key. `tell` gets the progress of a long pass."""

    key: bytes = field(repr=False)
    tell: Tell = tell_nobody

    def mask(self, table: pa.Table, rules: Mapping[str, Masking]) -> tuple[pa.Table, Mapping[str, str]]:
        """Does what `mask` does."""
        return mask(table, rules, self.key, self.tell)


def mask(
    table: pa.Table, rules: Mapping[str, Masking], key: bytes, tell: Tell = tell_nobody
) -> tuple[pa.Table, Mapping[str, str]]:
    """Returns the masked table, and a description of the masking of each column. Missing values stay missing.

    The new table has no metadata, since pandas may write values there. Raises DataError.
    """
    kept, done = {}, {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name not in rules:
            kept[name] = column
        elif rules[name].method == "drop":
            done[name] = "dropped"
        else:
            kept[name], done[name] = _mask(name, column, rules[name], key, tell)
    return pa.table(kept), done


def _mask(name: str, column: pa.ChunkedArray, rule: Masking, key: bytes, tell: Tell) -> tuple[pa.ChunkedArray, str]:
    if pa.types.is_null(column.type):
        return column, f"nothing to {rule.method}: all values are missing"
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        if rule.method == "redact":
            return _redact(name, column, rule, tell)
        return METHODS[rule.method](name, column, rule, key)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        # Not `from error`: Arrow's message quotes the value.
        raise DataError(
            f"masking.{name}.method is {rule.method!r}, which failed for a value of this {column.type} column",
            "look for values outside the usual range, or drop the column",
        ) from None


def _hash(name: str, column: pa.ChunkedArray, rule: Masking, key: bytes) -> tuple[pa.ChunkedArray, str]:
    """Equal values stay equal within a column, and in columns of the same name in the same store, but nowhere else."""
    if pa.types.is_nested(column.type):
        raise _make_unfit_error(name, column, rule, "numbers, dates and text", "drop")
    if pa.types.is_floating(column.type):
        column = _leave_out_nan(column)
    if not _is_binary(column.type):
        column = column.cast(pa.large_string()).cast(pa.large_binary())
    derived = HKDF(hashes.SHA256(), 32, None, KEY_INFO + name.encode()).derive(key)
    hashed = _change_each_distinct(column, lambda value: hmac.digest(derived, value, "sha256")[:HASH_BYTES].hex())
    return hashed, "hashed: the first 64 bits of HMAC-SHA256 under a key of the store"


def _generalise(name: str, column: pa.ChunkedArray, rule: Masking, key: bytes) -> tuple[pa.ChunkedArray, str]:
    """Replaces numbers by the largest multiple of the step that is not above them. For dates and times, steps are days
    since 1970-01-01.
    """
    kind, step = column.type, rule.step or 1.0
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _floor_time(
            column, step
        ), f"generalised to the start of steps of {step:g} {'day' if step == 1 else 'days'}"
    if pa.types.is_integer(kind):
        # If steps are not whole, the lower end of a range need not be whole either.
        column = column.cast(pa.int64() if step.is_integer() else pa.float64())
    elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    else:
        raise _make_unfit_error(name, column, rule, "numbers and dates", "hash, redact or drop")
    return _floor(column, step), f"generalised to the lower end of steps of {step:g}"


def _redact(name: str, column: pa.ChunkedArray, rule: Masking, tell: Tell) -> tuple[pa.ChunkedArray, str]:
    if not _is_text(column.type):
        raise _make_unfit_error(name, column, rule, "text", "hash, generalise or drop")
    longest = pc.max(pc.utf8_length(column)).as_py() or 0
    if longest > LONGEST_TEXT:
        raise DataError(
            f"masking.{name}.method is {rule.method!r}, but a text of the column has {longest:,} characters",
            f"shorten texts to at most {LONGEST_TEXT:,} characters, or drop the column",
        )
    redactor, counts = Redactor.get_shared(), dict[str, int]()
    different = len(pc.unique(column).drop_null())
    told_each = min(MOST_UNTOLD, max(FEWEST_UNTOLD, different // TIMES_TOLD))
    done = itertools.count(1)

    def redact(value: str) -> str:
        text = redactor.redact(value, counts)
        if (number := next(done)) % told_each == 0:
            tell(f"redacting {name}: {number:,} of {different:,} different texts")
        return text

    redacted = _change_each_distinct(column, redact)
    found = ", ".join(f"{entity} in {count:,}" for entity, count in sorted(counts.items())) or "nothing"
    return redacted, f"redacted by {redactor.name}; found in distinct texts: {found}"


METHODS: Final = {"hash": _hash, "generalise": _generalise}


def _floor_time(column: pa.ChunkedArray, step_days: float) -> pa.ChunkedArray:
    moment = pa.timestamp("us", tz=getattr(column.type, "tz", None))
    ticks = column.cast(moment, safe=False).cast(pa.int64())
    return _floor(ticks, max(1, round(step_days * MICROSECONDS_A_DAY))).cast(moment).cast(column.type, safe=False)


def _floor(column: pa.ChunkedArray, step: float) -> pa.ChunkedArray:
    """Rounds down int64 with a whole step, or doubles."""
    missing = column.is_null().to_numpy()
    if pa.types.is_integer(column.type):
        values = column.fill_null(0).to_numpy()
        lower = values - values % int(step)
        if (lower > values).any():
            raise pa.ArrowInvalid("below the smallest int64")
    else:
        values = column.fill_null(math.nan).to_numpy()
        quotient = values / step
        # 0.3 / 0.1 is 2.9999999999999996, which should be 3.
        near = np.round(quotient)
        lower = step * np.where(np.isclose(quotient, near, rtol=1e-12, atol=1e-9), near, np.floor(quotient))
    return pa.chunked_array([pa.array(lower, column.type, mask=missing)])


def _change_each_distinct(column: pa.ChunkedArray, change: Callable[[Any], str]) -> pa.ChunkedArray:
    """Changes every value, with one call for each distinct value. Null stays null."""
    chunks = column.dictionary_encode().unify_dictionaries().chunks
    values = chunks[0].dictionary.to_pylist() if chunks else []
    changed = pa.array([change(value) for value in values], pa.string())
    return pa.chunked_array([changed.take(chunk.indices) for chunk in chunks], pa.string())


def _leave_out_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _make_unfit_error(name: str, column: pa.ChunkedArray, rule: Masking, fitting: str, others: str) -> DataError:
    return DataError(
        f"masking.{name}.method is {rule.method!r}, which needs {fitting}; the column holds {column.type}",
        f"use {others} instead",
    )
