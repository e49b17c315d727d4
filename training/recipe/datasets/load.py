"""DATASET: from a reference to rows, in this order: read → mask → check the quality → encode.

Nothing is kept or written here, and what masking takes away is gone before anything else sees the rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
import torch

from settings.urls import without_parts_of
from training import quality, sources
from training.errors import DataError
from training.job import Job
from training.options import ImageColumn
from training.recipe.datasets import arrays, builtin, encoding, tables, words
from training.recipe.datasets.arrays import Arrays
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.datasets.masking import Masker, Tell, silent
from training.recipe.datasets.split import parts
from training.recipe.datasets.streamed import StreamedRows

FEWEST_ROWS: Final = 4
"""Two to learn from, one to look at while learning, one to measure on."""
EXAMINED_ROWS: Final = 200_000
"""Of a streamed set: the first ones, which the quality is checked on."""
SHARE_AT_ONCE: Final = 4
"""A streamed set holds a quarter of data.memoryBytes at once: its encoded form and a shuffled copy need the rest."""


def load(job: Job, folder: Path, key: bytes, tell: Tell = silent) -> Dataset:
    """`key`, the store's, is for masks that hash; `tell` hears how far a long one is. Raises DataError, ModelError,
    MissingLibraryError.
    """
    return LOADERS[sources.form(job.dataset)](job, folder, Masker(key, tell))


def _built_in(job: Job, folder: Path, masker: Masker) -> Dataset:
    table = builtin.read(job.dataset, job.data.target)
    quality.check_schema(table.schema, job.quality.schema, job.dataset)
    if job.dataset in sources.REGRESSIONS and job.data.task is None:
        job = replace(job, data=replace(job.data, task="regression"))
    shape = builtin.IMAGES.get(job.dataset)
    if shape is not None and job.model == "cnn" and not job.data.features and not job.data.exclude:
        pixels = np.stack([table[name].to_numpy() for name in builtin.FEATURES[job.dataset]], axis=1)
        return _from_tensor(job, pixels.reshape(-1, *shape), table[builtin.TARGET], (), {})
    return _from_table(_with_target(job, builtin.TARGET), table, masker)


def _csv(job: Job, folder: Path, masker: Masker) -> Dataset:
    table = tables.read_csv(job.dataset, _content(job, folder), job.data, _kept_as_text(job))
    quality.check_schema(table.schema, job.quality.schema, job.dataset)
    return _from_table(job, table, masker)


def _kept_as_text(job: Job) -> set[str | None]:
    """Columns whose texts are names, or texts to others, whatever they look like."""
    return {
        *job.data.categorical,
        job.data.text,
        job.data.split.column if job.data.split else None,
        job.data.target if job.data.task == "classification" else None,
        *(name for name, rule in job.masking.items() if rule.method != "generalise"),
        *(name for name, kind in job.quality.schema.items() if kind == "text"),
    }


def _npz(job: Job, folder: Path, masker: Masker) -> Dataset:
    return _from_arrays(job, arrays.read_npz(job.dataset, _content(job, folder), job.data), masker)


def _function(job: Job, folder: Path, masker: Masker) -> Dataset:
    return _from_arrays(job, arrays.call(job, folder), masker)


def _content(job: Job, folder: Path) -> bytes:
    return sources.read(job.dataset, folder, job.data.memory_bytes)


def _from_table(job: Job, table: pa.Table, masker: Masker, classes: tuple[str, ...] = ()) -> Dataset:
    """`classes`: all names, where the data set gives them an order."""
    names = tables.chosen(job.dataset, _unmasked(job, table.column_names), job.data)
    _check_rows(job, table.num_rows)
    splitting = tables.splitting_column(job.dataset, table.column_names, job.data)
    if splitting is not None and job.data.time_column is not None:
        table = table.take(pc.sort_indices(table, sort_keys=[(splitting, "ascending")]))  # folds look ahead only
    table, left_out = _with_targets(job, table, names[-1])
    dataset = replace(_encoded(job, table, names, masker, classes), rows_left_out=left_out)
    return dataset if splitting is None else replace(dataset, parts=parts(table[splitting], job))


def _with_targets(job: Job, table: pa.Table, target: str) -> tuple[pa.Table, int]:
    """The rows that have a target, and how many have none; all of them, unless the job leaves those out."""
    if not job.data.drop_missing_target:
        return table, 0
    missing = quality.missing(table[target])
    kept = table.filter(pa.array(~missing))
    _check_rows(job, kept.num_rows)
    return kept, int(missing.sum())


def _encoded(job: Job, table: pa.Table, names: list[str], masker: Masker, classes: tuple[str, ...]) -> Dataset:
    """The columns `names`, the target's last."""
    table, masked = masker.mask(table.select([*names, *_dropped(job, table.column_names, names)]), job.masking)
    table = table.select(names)
    if job.data.text:
        return _from_text(job, table, masked)
    if job.data.image:
        return _from_images(job, table, job.data.image, masked)
    learnt, found = _learnt(job, table, names, whole=job.model == "recommender")
    if classes and learnt.task == "classification":
        learnt = replace(learnt, classes=pa.array(classes))
    return _dataset(job, learnt, TensorRows(*learnt.encode(table)), found, masked)


def _learnt(
    job: Job, table: pa.Table, names: list[str], distinct: encoding.Distinct | None = None, *, whole: bool = False
) -> tuple[encoding.Encoding, tuple[Mapping[str, object], ...]]:
    """How the columns `names` are encoded, the target's last, and what the checks of the whole table only warn of.

    `distinct`, where the table is a sample: of all rows.
    """
    distinct = distinct or (lambda name: pc.unique(_one(table[name])))
    hashed = {
        name: _all_differ(table[name])
        for name in names[:-1]
        if name in job.masking and job.masking[name].method == "hash"
    }
    try:
        learnt = encoding.learn(table.schema, names, job.data, distinct, whole=whole, hashed=hashed)
    except encoding.BadColumns as bad:
        _check_others(job, table.drop_columns(list(bad.names)), names[-1], distinct, bad)
        raise
    findings = quality.examine(table, names[-1], learnt.task, job.quality, job.data.categorical)
    return learnt, quality.enforce(findings, job.quality, job.dataset)


def _check_others(
    job: Job, table: pa.Table, target: str, distinct: encoding.Distinct, bad: encoding.BadColumns
) -> None:
    """Raises DataError that tells of `bad` columns and of what the checks find in the others too."""
    ranges = {name: one for name, one in job.quality.ranges.items() if name not in bad.names}
    allowed = replace(job.quality, ranges=ranges)
    try:
        task = encoding.target_task(target, table.schema.field(target).type, job.data, distinct)
        quality.enforce(quality.examine(table, target, task, allowed, job.data.categorical), allowed, job.dataset)
    except DataError as further:
        raise DataError(f"{bad.message}\n{further.message}", f"{bad.hint}; {further.hint}") from bad


def _all_differ(column: pa.ChunkedArray) -> bool:
    known = column.drop_null()
    return len(known) > 1 and len(pc.unique(known)) == len(known)


def _from_text(job: Job, table: pa.Table, masked: Mapping[str, str]) -> Dataset:
    """One text column: its words."""
    text, target = table.column_names
    if not pa.types.is_string(table[text].type) and not pa.types.is_large_string(table[text].type):
        raise DataError(f"data.text names {text!r}, which holds {table[text].type}", "name a column of text")
    learnt, found = _learnt(job, table, [target])
    ids, vocabulary = words.encode(table[text])
    rows = TensorRows(torch.from_numpy(ids), learnt.encode_target(table))
    return Dataset(
        job.dataset, learnt.task, rows, tuple(ids.shape[1:]), classes=learnt.class_names, words=vocabulary,
        findings=found, masked=masked,
    )  # fmt: skip


def _from_images(job: Job, table: pa.Table, wanted: ImageColumn, masked: Mapping[str, str]) -> Dataset:
    """One column of image files: their pixels."""
    from training.recipe.datasets.images import decode  # Pillow

    column, target = table.column_names
    pixels = decode(table[column], wanted, job.data.memory_bytes)
    return _from_tensor(job, pixels, table[target], (), masked)


def _from_arrays(job: Job, given: Arrays, masker: Masker) -> Dataset:
    if given.task is not None and job.data.task is None:
        job = replace(job, data=replace(job.data, task=given.task))
    if given.is_table:
        plain = replace(job, data=replace(job.data, features=() if not given.feature_names else job.data.features))
        table = given.table()
        quality.check_schema(table.schema, job.quality.schema, job.dataset)
        return _from_table(_with_target(plain, arrays.TARGET), table, masker, given.classes)
    if job.masking:
        raise DataError(f"masking is for columns, and {job.dataset} has none", "mask where the rows are made")
    if job.data.exclude:
        raise DataError(
            f"data.exclude is for columns, and {job.dataset} has none", "leave them out where they are made"
        )
    _check_rows(job, len(given.features))
    if np.issubdtype(given.features.dtype, np.floating) and not np.isfinite(given.features).all():
        raise DataError(f"{job.dataset} has features that are NaN or infinite", "fill or leave out these rows")
    return replace(_from_tensor(job, given.features, given.named_target(), given.classes, {}), words=given.words)


def _from_tensor(
    job: Job,
    values: arrays.Array,
    target: pa.Array | pa.ChunkedArray,
    classes: tuple[str, ...],
    masked: Mapping[str, str],
) -> Dataset:
    """Features that are no columns: images, sounds, ids."""
    table = pa.table({"features": _fingerprints(values), arrays.TARGET: target})
    learnt, found = _learnt(job, table, [arrays.TARGET])
    if classes:
        learnt = replace(learnt, classes=pa.array(classes))
    whole = values.dtype.kind in "iu" and not (values.dtype == np.uint8 and values.ndim >= arrays.IMAGE_DIMENSIONS)
    features = torch.from_numpy(np.ascontiguousarray(values, dtype=np.int64 if whole else np.float32))
    rows = TensorRows(features, learnt.encode_target(table))
    return Dataset(
        job.dataset, learnt.task, rows, tuple(features.shape[1:]), classes=learnt.class_names, findings=found,
        masked=masked,
    )  # fmt: skip


def _from_parquet(job: Job, folder: Path, masker: Masker) -> Dataset:
    """In memory if it fits, else streamed."""
    groups = tables.open_parquet(job.dataset, folder)
    file = groups.file
    quality.check_schema(file.schema_arrow, job.quality.schema, job.dataset)
    names = tables.chosen(job.dataset, _unmasked(job, file.schema_arrow.names), job.data)
    splitting = tables.splitting_column(job.dataset, file.schema_arrow.names, job.data)
    read = [*names, *_dropped(job, file.schema_arrow.names, names)]
    metadata = file.metadata
    group_bytes = [metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)]
    try:
        if sum(group_bytes) <= job.data.memory_bytes:
            return _from_table(job, file.read(columns=_with(splitting, read)), masker)
        at_once = job.data.memory_bytes // SHARE_AT_ONCE
        if max(group_bytes) > at_once:
            raise DataError(
                f"{job.dataset} has a row group of {max(group_bytes):,} bytes; at most {at_once:,}, a quarter of "
                "data.memoryBytes, can be held at once",
                "write it with smaller row groups, or raise data.memoryBytes",
            )
        return _streamed(job, groups, names, read, splitting, masker, at_once // max(group_bytes))
    except (pa.ArrowException, OSError) as error:
        said = without_parts_of(job.dataset, str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise DataError(f"{job.dataset} cannot be read as Parquet: {said}", "write it anew") from None


def _streamed(
    job: Job,
    groups: tables.ParquetGroups,
    names: list[str],
    read: list[str],
    splitting: str | None,
    masker: Masker,
    groups_at_once: int,
) -> Dataset:
    if job.data.text or job.data.image or job.data.drop_missing_target:
        what = "image" if job.data.image else "text" if job.data.text else "dropMissingTarget"
        raise DataError(f"data.{what} needs rows in memory, and this file is streamed", "raise data.memoryBytes")
    masked: dict[str, str] = {}

    def change(table: pa.Table) -> pa.Table:
        changed, done = masker.mask(table, job.masking)
        masked.update(done)
        return changed.select(names)

    examined: list[pa.Table] = []
    distinct: dict[str, pa.Array] = {}
    split_by: list[pa.ChunkedArray] = []
    lacking = 0
    for at in range(groups.file.num_row_groups):
        raw = groups.read(at, _with(splitting, read))
        if splitting is not None:
            split_by.append(raw[splitting])
        table = change(raw.select(read))
        encoding.check_kinds(table.schema, names)
        lacking += quality.lacking(table[names[-1]])
        if sum(one.num_rows for one in examined) < EXAMINED_ROWS:
            examined.append(table)
        for name in names:
            _add_distinct(distinct, name, table)
    if lacking:
        raise quality.incomplete(names[-1], lacking, groups.file.metadata.num_rows)
    sample = pa.concat_tables(examined).slice(0, EXAMINED_ROWS)
    learnt, found = _learnt(job, sample, names, distinct.__getitem__, whole=job.model == "recommender")
    rows = StreamedRows(groups, read, change, learnt, max(1, groups_at_once))
    _check_rows(job, len(rows))
    dataset = _dataset(job, learnt, rows, found, masked)
    if splitting is None:
        return dataset
    column = pa.chunked_array([chunk for group in split_by for chunk in group.chunks])
    return replace(dataset, parts=parts(column, job))


def _add_distinct(distinct: dict[str, pa.Array], name: str, table: pa.Table) -> None:
    """As many as decide what the column is; beyond them, only the texts among numbers that would make it mixed."""
    before, mine = distinct.get(name), pc.unique(_one(table[name]))
    if before is None:
        distinct[name] = mine
        return
    if len(before) > encoding.MOST_CLASSES:
        if not encoding.is_text(mine.type) or len(before) > 2 * encoding.MOST_CLASSES:
            return
        mine = mine.filter(pc.invert(pc.match_substring_regex(mine, encoding.NUMBER)))
    distinct[name] = pc.unique(pa.concat_arrays([before, mine]))


def _dataset(
    job: Job,
    learnt: encoding.Encoding,
    rows: TensorRows | StreamedRows,
    found: tuple[Mapping[str, object], ...],
    masked: Mapping[str, str],
) -> Dataset:
    names = learnt.feature_names
    columns = () if learnt.whole else learnt.columns
    return Dataset(job.dataset, learnt.task, rows, (len(names),), names, learnt.class_names, (), found, masked, columns)


def _check_rows(job: Job, count: int) -> None:
    if count < FEWEST_ROWS:
        raise DataError(
            f"{job.dataset} has {count} row{'s' * (count != 1)}; at least {FEWEST_ROWS} are needed",
            "training, looking at it and measuring it each need rows of their own",
        )


def _unmasked(job: Job, names: list[str]) -> list[str]:
    """The columns that masking leaves."""
    return [name for name in names if name not in job.masking or job.masking[name].method != "drop"]


def _dropped(job: Job, names: list[str], chosen: list[str]) -> list[str]:
    """Columns that masking names and nothing else does: mask says of these too what was done."""
    return [name for name in names if name in job.masking and name not in chosen]


def _with(name: str | None, names: list[str]) -> list[str]:
    return names if name is None or name in names else [*names, name]


def _with_target(job: Job, target: str) -> Job:
    """A built-in set and a function name no target column themselves."""
    return replace(job, data=replace(job.data, target=target))


def _one(column: pa.ChunkedArray) -> pa.Array:
    """In one piece, and without its dictionary."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.combine_chunks()


def _fingerprints(features: arrays.Array) -> pa.Array:
    """One value for each distinct row, so that equal images count as equal."""
    flat = np.ascontiguousarray(features).reshape(len(features), -1)
    rows = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()
    return pa.array(np.unique(rows, return_inverse=True)[1].astype(np.int64))


LOADERS: Final[Mapping[str, Callable[[Job, Path, Masker], Dataset]]] = {
    sources.BUILT_IN_FORM: _built_in,
    sources.CSV: _csv,
    sources.PARQUET: _from_parquet,
    sources.NPZ: _npz,
    sources.FUNCTION: _function,
}
