"""A Parquet file larger than memory: every row once an epoch, in a seeded order, never much of it in memory."""

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch

from training.errors import DataError
from training.job import Job
from training.options import Data, Masking
from training.recipe.callback import Progress
from training.recipe.datasets.dataset import TensorRows
from training.recipe.datasets.load import load
from training.recipe.datasets.streamed import DrawnSplit, StreamedRows
from training.recipe.make import Inputs, make

ROWS, GROUP = 1000, 100
MEMORY = 28_000
"""Bytes: less than the file's 30,250; a quarter holds two of its row groups."""
KEY = bytes(32)
PROJECT_ROOT = Path(__file__).resolve().parents[5]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parquet")
    own = np.random.default_rng(0)
    table = pa.table(
        {"id": np.arange(ROWS, dtype=np.float64), "x": own.normal(size=ROWS), "name": ["a", "b"] * (ROWS // 2),
         "y": own.normal(size=ROWS)}
    )  # fmt: skip
    pa.parquet.write_table(table, folder / "rows.parquet", row_group_size=GROUP)
    return folder


def streamed(folder: Path, memory: int = MEMORY) -> StreamedRows:
    rows = load(job(memory), folder, KEY).rows
    assert isinstance(rows, StreamedRows)
    return rows


def job(memory: int) -> Job:
    return Job(dataset="rows.parquet", data=Data(target="y", memory_bytes=memory))


def ids(rows: StreamedRows, seed: int | None = 0, skip: int = 0, size: int = 32) -> list[int]:
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return [int(row[0]) for features, _ in rows.batches(size, generator, skip) for row in features]


def test_it_is_the_same_data_set_as_in_memory(folder: Path) -> None:
    large, small = load(job(2**30), folder, KEY), load(job(MEMORY), folder, KEY)

    assert isinstance(large.rows, TensorRows)
    assert (large.feature_names, large.task, large.classes) == (small.feature_names, small.task, small.classes)
    assert all(map(torch.equal, large.rows.first(ROWS), small.rows.first(ROWS)))


def test_an_epoch_has_every_row_once_in_an_order_of_its_own(folder: Path) -> None:
    rows = streamed(folder)

    first, again, other = ids(rows), ids(rows), ids(rows, seed=1)

    assert first == again
    assert first != other
    assert sorted(first) == sorted(other) == list(range(ROWS))
    neighbours = sum(abs(one - two) == 1 for one, two in itertools.pairwise(first))
    assert neighbours < 20, "not in the file's order"


def test_batches_have_the_size_asked_for_and_only_the_last_is_smaller(folder: Path) -> None:
    sizes = [len(target) for _, target in streamed(folder).batches(32, torch.Generator())]

    assert sizes == [32] * 31 + [8]


def test_skipped_batches_leave_the_rest_as_it_is(folder: Path) -> None:
    rows = streamed(folder)

    assert ids(rows, skip=9) == ids(rows)[9 * 32 :]


def test_splits_share_no_row_and_lose_none(folder: Path) -> None:
    others, held_out = streamed(folder).split(0.2, torch.Generator().manual_seed(5))
    train, validation = others.split(0.1, torch.Generator().manual_seed(6))

    parts = [ids(part) for part in (train, validation, held_out)]
    assert sorted(itertools.chain(*parts)) == list(range(ROWS))
    assert [len(part) for part in (train, validation, held_out)] == list(map(len, parts))
    assert 150 < len(held_out) < 250


def test_masks_are_applied_to_every_group(folder: Path) -> None:
    masking = {"id": Masking("generalise", 250.0), "name": Masking("drop")}
    asked = Job(dataset="rows.parquet", data=Data(target="y", memory_bytes=MEMORY), masking=masking)

    data = load(asked, folder, KEY)

    assert isinstance(data.rows, StreamedRows)
    assert data.feature_names == ("id", "x")
    assert set(ids(data.rows)) == {0, 250, 500, 750}
    assert data.masked.keys() == {"id", "name"}


def test_a_row_group_that_memory_cannot_hold_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"has a row group of .* bytes") as refused:
        load(job(4000), folder, KEY)

    assert "smaller row groups" in refused.value.hint


def test_rows_are_counted_once_however_often_they_are_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop asks after every stretch; each count would draw for every row of the file."""
    rows, _ = streamed(folder).split(0.2, torch.Generator().manual_seed(5))
    asked: list[int] = []
    keeps = DrawnSplit.keeps

    def noted(drawn: DrawnSplit, group: int, count: int) -> torch.Tensor:
        asked.append(group)
        return keeps(drawn, group, count)

    monkeypatch.setattr(DrawnSplit, "keeps", noted)

    assert len({len(rows) for _ in range(5)}) == 1

    assert asked == [*range(ROWS // GROUP)]


@pytest.mark.parametrize("memory", [2**30, MEMORY], ids=["in memory", "streamed"])
def test_texts_after_thousands_of_numbers_are_found_before_anything_is_learnt(tmp_path: Path, memory: int) -> None:
    mixed = [f"{at / 2}" for at in range(3000)] + ["ten", "eleven"] * 50
    table = pa.table({"x": mixed, "y": np.random.default_rng(0).normal(size=len(mixed))})
    pa.parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=GROUP)

    with pytest.raises(DataError, match="the column 'x' mixes types") as error:
        load(job(memory), tmp_path, KEY)

    assert "ten" not in str(error.value)


@pytest.mark.parametrize("gap", [None, float("nan"), float("inf")])
def test_a_target_that_is_missing_behind_the_rows_that_are_examined_is_found(
    tmp_path: Path, gap: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.recipe.datasets.load.EXAMINED_ROWS", 200)
    own = np.random.default_rng(0)
    table = pa.table({"x": own.normal(size=4000), "y": pa.array([*own.normal(size=3999), gap])})
    pa.parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=GROUP)

    with pytest.raises(DataError, match="the target 'y' is missing, NaN or infinite in 1 of 4,000 rows"):
        load(job(MEMORY), tmp_path, KEY)


def of_own(folder: Path, tmp_path: Path) -> Path:
    """The file, in a folder where a test may harm it."""
    (tmp_path / "rows.parquet").write_bytes((folder / "rows.parquet").read_bytes())
    return tmp_path / "rows.parquet"


def damage(file: Path, group: int) -> None:
    """Zeroes where a row group begins, with nothing else changed: not even the file's time, as of a bad disk."""
    status = file.stat()
    column = pa.parquet.ParquetFile(file).metadata.row_group(group).column(0)
    with file.open("r+b") as stream:
        stream.seek(column.dictionary_page_offset or column.data_page_offset)
        stream.write(bytes(64))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_damaged_row_group_is_told_by_its_number_and_its_file(folder: Path, tmp_path: Path) -> None:
    damage(of_own(folder, tmp_path), 7)

    with pytest.raises(DataError, match=r"^row group 7 \(counted from 0\) of rows\.parquet cannot be read: "):
        load(job(MEMORY), tmp_path, KEY)


def test_a_row_group_that_is_damaged_during_an_epoch_is_the_file_s_fault_and_not_the_model_s(
    folder: Path, tmp_path: Path
) -> None:
    file = of_own(folder, tmp_path)

    class Watch:
        def phase(self, name: str, message: str) -> None: ...

        def after(self, *_: object, **__: object) -> None:
            damage(file, 7)

    asked = replace(job(MEMORY), epochs=5, batch_size=8)
    with pytest.raises(DataError, match=r"^row group 7 \(counted from 0\) of rows\.parquet cannot be read: ") as told:
        make(asked, Inputs(tmp_path, KEY), Progress(), Watch())

    assert "write the file again" in told.value.hint


def rewritten(file: Path) -> None:
    file.write_bytes(file.read_bytes()[::-1])


def replaced(file: Path) -> None:
    (file.parent / "new").write_bytes(file.read_bytes())
    (file.parent / "new").replace(file)


@pytest.mark.parametrize(
    ("change", "words"),
    [(rewritten, "changed while it was read"), (replaced, "changed while it was read"), (Path.unlink, "No such file")],
)
def test_a_file_that_changes_or_vanishes_stops_the_epoch(
    folder: Path, tmp_path: Path, change: Callable[[Path], None], words: str
) -> None:
    file = of_own(folder, tmp_path)
    batches = streamed(tmp_path).batches(8, torch.Generator())
    next(batches)

    change(file)

    with pytest.raises(DataError, match=rf"rows\.parquet.*{words}"):
        list(batches)
