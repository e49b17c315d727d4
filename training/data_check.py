"""`python -m training check`: checks for a preview whether a run would accept its data. Does not load torch.

in     one JSON object on standard input: job (a run's properties), folder (where its files are)
out    one JSON object on standard output: problems (property and message of each), rows (their number; null if they
       were not counted)

A small local file is read as a run reads it. Of a larger one, only the names of the columns are checked, and a Parquet
file's column types. Nothing is fetched, and none of the user's code is run. Texts are not redacted here, since that
takes seconds: if masking redacts, a file counts as a larger one.
"""

import json
import os
import secrets
import signal
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealift.settings import Problem
from training import sources, tasks
from training.errors import DataError, ModelError
from training.job import Job
from training.process import keep_to_itself
from training.recipe.datasets import arrays, prepared, quality, tables
from training.recipe.datasets.builtin import TARGET
from training.recipe.datasets.column_choice import ColumnsMissing, choose
from training.recipe.datasets.masking import Masker

WHOLE_BYTES: Final = 4 * 2**20
"""Largest unpacked size in bytes of a file that is read as a run reads it."""
COUNTED_BYTES: Final = 64 * 2**20
"""Largest size in bytes of a CSV file whose rows are counted."""
LONGEST_SECONDS: Final = 60
"""Seconds after which the process ends, since the caller is gone."""
KEY_BYTES: Final = 32
GZIP_LENGTH_BYTES: Final = 4
"""Bytes at the end of a gzip file with the length of its content (RFC 1952, ISIZE)."""


@dataclass(frozen=True)
class DataAnswer:
    """Problems of the data, and its number of rows."""

    problems: tuple[Problem, ...] = ()
    rows: int | None = None


def main() -> int:
    """Checks the data of the request on standard input. Returns the exit code 0, with or without problems."""
    signal.alarm(LONGEST_SECONDS)
    keep_to_itself()
    asked = json.load(sys.stdin.buffer)
    job, problems = Job.validate(asked["job"])
    found = check(job, Path(asked["folder"])) if job is not None else DataAnswer(tuple(problems))
    told = [{"property": one.property, "message": one.message} for one in found.problems]
    print(json.dumps({"problems": told, "rows": found.rows}))
    return 0


def check(job: Job, folder: Path) -> DataAnswer:
    """Checks a built-in data set or a local file. Raises MissingLibraryError if a library for it is missing."""
    try:
        if _is_small(job, folder):
            return _as_a_run(job, folder)
        return DataAnswer(rows=HEADS[sources.form(job.dataset)](job, folder))
    except ColumnsMissing as error:
        *others, last = error.problems
        beside = " " if last.message.endswith("?") else "; "
        return DataAnswer((*others, Problem(last.property, f"{last.message}{beside}{error.hint}")))
    except (DataError, ModelError) as error:
        hint = f"; {error.hint}" if error.hint else ""
        return DataAnswer((Problem("dataset", f"is {job.dataset!r}; {error.message}{hint}"),))


def _as_a_run(job: Job, folder: Path) -> DataAnswer:
    found = prepared.prepare(job, folder, Masker(secrets.token_bytes(KEY_BYTES)))
    if isinstance(found, prepared.OversizedFile):
        return DataAnswer(rows=int(found.groups.file.metadata.num_rows))
    if job.privacy is not None:
        quality.demand_ranges(found.feature_names, found.task, job.quality.ranges, job.data.target or TARGET)
    task = tasks.KnownTask(found.task, f"{job.dataset} is a {found.task}")
    misfits = tuple(Problem(one.property, one.message) for one in tasks.misfits(job, task))
    return DataAnswer(misfits, len(found.features) + found.rows_left_out)


def _is_small(job: Job, folder: Path) -> bool:
    if job.dataset in sources.BUILT_IN:
        return True
    if any(rule.method == "redact" for rule in job.masking.values()):
        return False
    return _count_unpacked(job.dataset, folder) <= WHOLE_BYTES


def _count_unpacked(reference: str, folder: Path) -> int:
    """Returns the file's unpacked size in bytes, as the file itself gives it."""
    path = folder / Path(reference).expanduser()
    packed = path.stat().st_size
    if reference.lower().endswith(".gz"):
        with path.open("rb") as stream:
            stream.seek(-min(packed, GZIP_LENGTH_BYTES), os.SEEK_END)
            return max(packed, int.from_bytes(stream.read(), "little"))
    if sources.form(reference) == sources.NPZ and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return max(packed, sum(one.file_size for one in archive.infolist()))
    if sources.form(reference) == sources.PARQUET:
        return max(packed, sum(tables.open_parquet(reference, folder).group_bytes))
    return packed


def _csv_head(job: Job, folder: Path) -> int | None:
    path = _path(job, folder)
    with path.open("rb") as stream:
        names = tables.read_csv_names(job.dataset, stream.read(tables.SOME_BYTES), job.data)
    if names is None:
        return None
    choose(job, names)
    if path.stat().st_size > COUNTED_BYTES or job.dataset.lower().endswith(".gz"):
        return None
    return tables.count_csv_rows(job.dataset, sources.read(job.dataset, folder, job.data.memory_bytes), job.data)


def _parquet_head(job: Job, folder: Path) -> int | None:
    file = tables.open_parquet(job.dataset, folder).file
    prepared.choose_columns(job, file.schema_arrow)
    return int(file.metadata.num_rows)


def _npz_head(job: Job, folder: Path) -> int | None:
    arrays.check_names(job.dataset, _path(job, folder), job.data)
    return None


HEADS: Final[Mapping[str, Callable[[Job, Path], int | None]]] = {
    sources.CSV: _csv_head,
    sources.PARQUET: _parquet_head,
    sources.NPZ: _npz_head,
}


def _path(job: Job, folder: Path) -> Path:
    return folder / Path(job.dataset).expanduser()
