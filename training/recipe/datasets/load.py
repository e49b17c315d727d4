"""DATASET → tensors: the rows that prepared.py has read, in memory or streamed from a larger file."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import torch

from training.errors import DataError
from training.job import Job
from training.recipe.datasets import encoding, quality, tables
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.datasets.masking import Masker, Tell, tell_nobody
from training.recipe.datasets.parts import find_parts
from training.recipe.datasets.prepared import (
    OversizedFile,
    PreparedData,
    check_rows,
    join_chunks,
    learn,
    list_read_columns,
    prepare,
)
from training.recipe.datasets.streamed import StreamedRows

EXAMINED_ROWS: Final = 200_000
"""Number of first rows of a streamed set whose quality is checked."""
SHARE_AT_ONCE: Final = 4
"""A streamed set holds a quarter of data.memoryBytes at once, since its encoded form and a shuffled copy need the rest.
"""


def load(job: Job, folder: Path, key: bytes, tell: Tell = tell_nobody) -> Dataset:
    """Loads the data set. `key` is the store's, for masks that hash. `tell` gets the progress of a long one. Raises
    DataError, ModelError, MissingLibraryError.
    """
    masker = Masker(key, tell)
    found = prepare(job, folder, masker)
    if isinstance(found, PreparedData):
        return _load_in_memory(found)
    with tables.refuse_unreadable(job.dataset):
        return _stream(job, found, masker)


def _load_in_memory(found: PreparedData) -> Dataset:
    rows = TensorRows(torch.from_numpy(found.features), torch.from_numpy(found.target))
    return Dataset(
        found.name, found.task, rows, tuple(found.features.shape[1:]), found.feature_names, found.classes, found.words,
        found.findings, found.masked, found.columns, found.rows_left_out,
        None if found.parts is None else torch.from_numpy(found.parts),
    )  # fmt: skip


def _stream(job: Job, found: OversizedFile, masker: Masker) -> Dataset:
    groups, choice = found.groups, found.choice
    names, splitting = choice.names, choice.splitting
    at_once, largest = job.data.memory_bytes // SHARE_AT_ONCE, max(groups.group_bytes)
    if largest > at_once:
        raise DataError(
            f"{job.dataset} has a row group of {largest:,} bytes; the limit is {at_once:,}, a quarter of "
            "data.memoryBytes",
            "write it with smaller row groups, or raise data.memoryBytes",
        )
    if job.data.text or job.data.image or job.data.drop_missing_target:
        what = "image" if job.data.image else "text" if job.data.text else "dropMissingTarget"
        raise DataError(f"data.{what} needs all rows in memory, but this file is streamed", "raise data.memoryBytes")
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
        raw = groups.read(at, list_read_columns(choice))
        if splitting is not None:
            split_by.append(raw[splitting])
        table = change(raw.select(choice.read))
        encoding.check_kinds(table.schema, names)
        lacking += quality.count_lacking(table[names[-1]])
        if sum(one.num_rows for one in examined) < EXAMINED_ROWS:
            examined.append(table)
        for name in names:
            _add_distinct(distinct, name, table)
    if lacking:
        raise quality.make_incomplete_error(names[-1], lacking, groups.file.metadata.num_rows)
    sample = pa.concat_tables(examined).slice(0, EXAMINED_ROWS)
    learnt, findings = learn(job, sample, names, distinct.__getitem__, whole=job.model == "recommender")
    rows = StreamedRows(groups, choice.read, change, learnt, max(1, at_once // largest))
    check_rows(job, len(rows))
    features = learnt.feature_names
    columns = () if learnt.whole else learnt.columns
    dataset = Dataset(
        job.dataset, learnt.task, rows, (len(features),), features, learnt.class_names, findings=findings,
        masked=masked, columns=columns,
    )  # fmt: skip
    if splitting is None:
        return dataset
    column = pa.chunked_array([chunk for group in split_by for chunk in group.chunks])
    return replace(dataset, parts=torch.from_numpy(find_parts(column, job)))


def _add_distinct(distinct: dict[str, pa.Array], name: str, table: pa.Table) -> None:
    """Adds as many values as determine what the column is; beyond them, only texts that would make numbers mixed."""
    before, mine = distinct.get(name), pc.unique(join_chunks(table[name]))
    if before is None:
        distinct[name] = mine
        return
    if len(before) > encoding.MOST_CLASSES:
        if not encoding.is_text(mine.type) or len(before) > 2 * encoding.MOST_CLASSES:
            return
        mine = mine.filter(pc.invert(pc.match_substring_regex(mine, encoding.NUMBER)))
    distinct[name] = pc.unique(pa.concat_arrays([before, mine]))
