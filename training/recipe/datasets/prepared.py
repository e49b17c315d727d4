"""DATASET: from a reference to encoded rows, in this order: read → mask → check the quality → encode.

Nothing is kept or written here, and masked values are gone before anything else sees the rows. It works without torch,
so that a preview can read a small file within a second, as a run will.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training import sources
from training.errors import DataError
from training.findings import Finding, enforce
from training.job import Job
from training.options import ImageColumn, Task
from training.recipe.datasets import arrays, builtin, encoding, quality, tables, words
from training.recipe.datasets.arrays import Array, Arrays
from training.recipe.datasets.column_choice import Choice, choose
from training.recipe.datasets.masking import Masker
from training.recipe.datasets.parts import Parts, find_parts

FEWEST_ROWS: Final = 4
"""Smallest number of rows: two for training, one for validation, one for the metrics."""


@dataclass(frozen=True)
class PreparedData:
    """All rows of one data set as arrays. `dataset.Dataset` explains the fields."""

    name: str
    task: Task
    features: Array
    target: Array
    feature_names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    masked: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[encoding.ColumnEncoding, ...] = ()
    rows_left_out: int = 0
    parts: Parts | None = None


@dataclass(frozen=True)
class OversizedFile:
    """A Parquet file that exceeds the memory limit."""

    groups: tables.ParquetGroups
    choice: Choice


def prepare(job: Job, folder: Path, masker: Masker) -> PreparedData | OversizedFile:
    """Prepares the data set. Raises DataError, ModelError, MissingLibraryError."""
    return READERS[sources.form(job.dataset)](job, folder, masker)


def _prepare_built_in(job: Job, folder: Path, masker: Masker) -> PreparedData:
    table = builtin.read(job.dataset, job.data.target)
    if job.dataset in sources.REGRESSIONS and job.data.task is None:
        job = replace(job, data=replace(job.data, task="regression"))
    shape = builtin.IMAGES.get(job.dataset)
    if shape is not None and job.model == "cnn" and not job.data.features and not job.data.exclude:
        quality.check_schema(table.schema, job.quality.schema, job.dataset)
        pixels = np.stack([table[name].to_numpy() for name in builtin.FEATURES[job.dataset]], axis=1)
        return _prepare_tensor(job, pixels.reshape(-1, *shape), table[builtin.TARGET], (), {})
    return _prepare_table(_name_target(job, builtin.TARGET), table, masker)


def _prepare_csv(job: Job, folder: Path, masker: Masker) -> PreparedData:
    return _prepare_table(
        job, tables.read_csv(job.dataset, _read_content(job, folder), job.data, _find_texts(job)), masker
    )


def _find_texts(job: Job) -> set[str | None]:
    """Returns the columns whose texts are names, or are masked as text, whatever they look like."""
    return {
        *job.data.categorical,
        job.data.text,
        job.data.split.column if job.data.split else None,
        job.data.target if job.data.task == "classification" else None,
        *(name for name, rule in job.masking.items() if rule.method != "generalise"),
        *(name for name, kind in job.quality.schema.items() if kind == "text"),
    }


def _prepare_npz(job: Job, folder: Path, masker: Masker) -> PreparedData:
    return _prepare_arrays(job, arrays.read_npz(job.dataset, _read_content(job, folder), job.data), masker)


def _prepare_function(job: Job, folder: Path, masker: Masker) -> PreparedData:
    return _prepare_arrays(job, arrays.call(job, folder), masker)


def _read_content(job: Job, folder: Path) -> bytes:
    return sources.read(job.dataset, folder, job.data.memory_bytes)


def _prepare_table(job: Job, table: pa.Table, masker: Masker, classes: tuple[str, ...] = ()) -> PreparedData:
    """`classes` are all class names, if the data set orders them."""
    return _prepare_columns(job, table, choose_columns(job, table.schema), masker, classes)


def choose_columns(job: Job, schema: pa.Schema) -> Choice:
    """Chooses columns. Raises DataError, also if the types of columns differ from quality.schema."""
    choice = choose(job, schema.names)
    quality.check_schema(schema, job.quality.schema, job.dataset)
    return choice


def _prepare_columns(
    job: Job, table: pa.Table, choice: Choice, masker: Masker, classes: tuple[str, ...] = ()
) -> PreparedData:
    check_rows(job, table.num_rows)
    splitting = choice.splitting
    if splitting is not None and job.data.time_column is not None:
        # in the order of time, so that folds see only earlier rows
        table = table.take(pc.sort_indices(table, sort_keys=[(splitting, "ascending")]))
    table, left_out = _take_targets(job, table, choice.names[-1])
    prepared = replace(_encode(job, table, choice, masker, classes), rows_left_out=left_out)
    return prepared if splitting is None else replace(prepared, parts=find_parts(table[splitting], job))


def _take_targets(job: Job, table: pa.Table, target: str) -> tuple[pa.Table, int]:
    """Returns the rows with a target, and the number of the others. All rows, unless the job leaves the others out."""
    if not job.data.drop_missing_target:
        return table, 0
    missing = quality.find_missing(table[target])
    kept = table.filter(pa.array(~missing))
    check_rows(job, kept.num_rows)
    return kept, int(missing.sum())


def _encode(job: Job, table: pa.Table, choice: Choice, masker: Masker, classes: tuple[str, ...]) -> PreparedData:
    table, masked = masker.mask(table.select(choice.read), job.masking)
    table = table.select(choice.names)
    if job.data.text:
        return _prepare_text(job, table, masked)
    if job.data.image:
        return _prepare_images(job, table, job.data.image, masked)
    learnt, found = learn(job, table, choice.names, whole=job.model == "recommender")
    if classes and learnt.task == "classification":
        learnt = replace(learnt, classes=pa.array(classes))
    columns = () if learnt.whole else learnt.columns
    return PreparedData(
        job.dataset, learnt.task, *learnt.encode(table), learnt.feature_names, learnt.class_names, findings=found,
        masked=masked, columns=columns,
    )  # fmt: skip


def learn(
    job: Job, table: pa.Table, names: list[str], distinct: encoding.Distinct | None = None, *, whole: bool = False
) -> tuple[encoding.Encoding, tuple[Finding, ...]]:
    """Learns the encoding of the columns `names`, the target last. Returns it with the allowed findings of the whole
    table.

    `distinct` has the values of all rows, if the table is a sample.
    """
    distinct = distinct or (lambda name: pc.unique(join_chunks(table[name])))
    hashed = {
        name: _do_all_differ(table[name])
        for name in names[:-1]
        if name in job.masking and job.masking[name].method == "hash"
    }
    try:
        learnt = encoding.learn(table.schema, names, job.data, distinct, whole=whole, hashed=hashed)
    except encoding.BadColumns as bad:
        _check_others(job, table.drop_columns(list(bad.names)), names[-1], distinct, bad)
        raise
    found = quality.examine(table, names[-1], learnt.task, job.quality, job.data.categorical)
    enforce(found, job.quality, job.dataset)
    return learnt, found


def _check_others(
    job: Job, table: pa.Table, target: str, distinct: encoding.Distinct, bad: encoding.BadColumns
) -> None:
    """Raises DataError that reports `bad` columns and the findings about the others."""
    ranges = {name: one for name, one in job.quality.ranges.items() if name not in bad.names}
    allowed = replace(job.quality, ranges=ranges)
    try:
        task = encoding.find_target_task(target, table.schema.field(target).type, job.data, distinct)
        enforce(quality.examine(table, target, task, allowed, job.data.categorical), allowed, job.dataset)
    except DataError as further:
        raise DataError(f"{bad.message}; {bad.hint}\n{further.message}", further.hint) from bad


def _do_all_differ(column: pa.ChunkedArray) -> bool:
    known = column.drop_null()
    return len(known) > 1 and len(pc.unique(known)) == len(known)


def _prepare_text(job: Job, table: pa.Table, masked: Mapping[str, str]) -> PreparedData:
    """Prepares one text column as word ids."""
    text, target = table.column_names
    if not pa.types.is_string(table[text].type) and not pa.types.is_large_string(table[text].type):
        raise DataError(f"data.text names {text!r}, which holds {table[text].type}", "name a text column")
    learnt, found = learn(job, table, [target])
    ids, vocabulary = words.encode(table[text])
    return PreparedData(
        job.dataset, learnt.task, ids, learnt.encode_target(table), classes=learnt.class_names, words=vocabulary,
        findings=found, masked=masked,
    )  # fmt: skip


def _prepare_images(job: Job, table: pa.Table, wanted: ImageColumn, masked: Mapping[str, str]) -> PreparedData:
    """Prepares one column of image files as pixels."""
    from training.recipe.datasets.images import decode  # Pillow

    column, target = table.column_names
    pixels = decode(table[column], wanted, job.data.memory_bytes)
    return _prepare_tensor(job, pixels, table[target], (), masked)


def _prepare_arrays(job: Job, given: Arrays, masker: Masker) -> PreparedData:
    if given.task is not None and job.data.task is None:
        job = replace(job, data=replace(job.data, task=given.task))
    if given.is_table:
        plain = replace(job, data=replace(job.data, features=() if not given.feature_names else job.data.features))
        return _prepare_table(_name_target(plain, arrays.TARGET), given.table(), masker, given.classes)
    if job.masking:
        raise DataError(f"masking needs columns, but {job.dataset} has none", "mask the values where the rows are made")
    if job.data.exclude:
        raise DataError(
            f"data.exclude needs columns, but {job.dataset} has none", "leave values out where the rows are made"
        )
    check_rows(job, len(given.features))
    if np.issubdtype(given.features.dtype, np.floating) and not np.isfinite(given.features).all():
        raise DataError(
            f"{job.dataset} has features that are NaN or infinite", "fill in these values, or remove the rows"
        )
    return replace(_prepare_tensor(job, given.features, given.named_target(), given.classes, {}), words=given.words)


def _prepare_tensor(
    job: Job,
    values: arrays.Array,
    target: pa.Array | pa.ChunkedArray,
    classes: tuple[str, ...],
    masked: Mapping[str, str],
) -> PreparedData:
    """Prepares features that are not columns: images, sounds, ids."""
    table = pa.table({"features": _make_fingerprints(values), arrays.TARGET: target})
    learnt, found = learn(job, table, [arrays.TARGET])
    if classes:
        learnt = replace(learnt, classes=pa.array(classes))
    whole = values.dtype.kind in "iu" and not (values.dtype == np.uint8 and values.ndim >= arrays.IMAGE_DIMENSIONS)
    features = np.ascontiguousarray(values, dtype=np.int64 if whole else np.float32)
    return PreparedData(
        job.dataset, learnt.task, features, learnt.encode_target(table), classes=learnt.class_names, findings=found,
        masked=masked,
    )  # fmt: skip


def _prepare_parquet(job: Job, folder: Path, masker: Masker) -> PreparedData | OversizedFile:
    """Reads the file into memory if it fits, otherwise returns it for streaming."""
    groups = tables.open_parquet(job.dataset, folder)
    choice = choose_columns(job, groups.file.schema_arrow)
    if sum(groups.group_bytes) > job.data.memory_bytes:
        return OversizedFile(groups, choice)
    with tables.refuse_unreadable(job.dataset):
        return _prepare_columns(job, groups.file.read(columns=list_read_columns(choice)), choice, masker)


def list_read_columns(choice: Choice) -> list[str]:
    """Returns all columns to read."""
    splitting = choice.splitting
    return choice.read if splitting is None or splitting in choice.read else [*choice.read, splitting]


def check_rows(job: Job, count: int) -> None:
    """Raises DataError if there are too few rows."""
    if count < FEWEST_ROWS:
        raise DataError(
            f"{job.dataset} has {count} row{'s' * (count != 1)}; at least {FEWEST_ROWS} are needed",
            "training, validation and the metrics each need their own rows",
        )


def _name_target(job: Job, target: str) -> Job:
    """Sets the target's name, since a built-in set and a function do not name the column."""
    return replace(job, data=replace(job.data, target=target))


def join_chunks(column: pa.ChunkedArray) -> pa.Array:
    """Joins the chunks, without a dictionary."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.combine_chunks()


def _make_fingerprints(features: arrays.Array) -> pa.Array:
    """Returns one value for each distinct row, so that equal images count as equal."""
    flat = np.ascontiguousarray(features).reshape(len(features), -1)
    rows = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()
    return pa.array(np.unique(rows, return_inverse=True)[1].astype(np.int64))


READERS: Final[Mapping[str, Callable[[Job, Path, Masker], PreparedData | OversizedFile]]] = {
    sources.BUILT_IN_FORM: _prepare_built_in,
    sources.CSV: _prepare_csv,
    sources.PARQUET: _prepare_parquet,
    sources.NPZ: _prepare_npz,
    sources.FUNCTION: _prepare_function,
}
