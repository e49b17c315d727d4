"""Columns of a table that a job uses, chosen by their names alone, without reading a value.

All settings that name a missing column are reported at once.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sealift.settings import Problem
from sealift.settings.names import suggest
from training.errors import DataError
from training.job import Job
from training.options import Data

PANDAS_INDEX: Final = re.compile(r"__index_level_\d+__")
"""Names that pandas gives to an unnamed index, which is not a property of a row."""
MOST_LISTED: Final = 30


@dataclass(frozen=True)
class Choice:
    """Chosen columns of one table."""

    names: list[str]
    """Names of the features and, last, of the target."""
    splitting: str | None
    """Column that assigns the rows to the split."""
    dropped: list[str]
    """Columns that only masking names, which the report of masking includes."""

    @property
    def read(self) -> list[str]:
        """All columns to read, except the splitting one."""
        return [*self.names, *self.dropped]


class ColumnsMissing(DataError):
    """Settings name columns that do not exist. `problems` has one entry for each."""

    def __init__(self, problems: Sequence[Problem], hint: str) -> None:
        super().__init__("; ".join(map(str, problems)), hint)
        self.problems = tuple(problems)


def choose(job: Job, names: Sequence[str]) -> Choice:
    """Chooses among `names`, all columns of the table. Raises ColumnsMissing, or DataError for an impossible choice."""
    options, reference = job.data, job.dataset
    left = [name for name in names if name not in job.masking or job.masking[name].method != "drop"]
    target, (splitting_setting, splitting) = options.target or "", _find_splitting(options)
    rest = [one for one in left if one not in (target, splitting, *options.exclude) and not _is_index(one)]
    one = options.image.column if options.image else options.text
    features = [one] if one else list(options.features) or rest
    problems = [
        *_find_absent(reference, left, "data.target", [target], names),
        *_find_absent(reference, left, _describe_naming(options), features, names),
        *_find_absent(reference, names, "data.exclude", options.exclude),
        *_find_absent(reference, names, splitting_setting, [] if splitting is None else [splitting]),
        *_find_no_features(options.categorical, features),
        *_find_absent(reference, names, "masking", list(job.masking)),
        *_find_absent(reference, names, "quality.schema", list(job.quality.schema)),
        *_find_out_of_use(reference, names, [*features, target], list(job.quality.ranges)),
    ]
    if problems:
        raise ColumnsMissing(
            problems,
            f"its columns: {list_names(names)}; if these look wrong, set data.delimiter; "
            "the first line of a CSV file must name the columns",
        )
    if target in features:
        raise DataError(f"data.features names {target!r}, which is the target", "leave it out of data.features")
    nameless = [str(left.index(name) + 1) for name in features if not name.strip()]
    if nameless:
        raise DataError(
            f"column {', '.join(nameless)} of {reference} has no name",
            "name it, or leave it out of data.features; with pandas, to_csv(…, index=False) leaves the index out",
        )
    if not features:
        raise DataError(f"{reference} has no column except the target {target!r}", "add a column to predict from")
    chosen = [*dict.fromkeys(features), target]
    return Choice(chosen, splitting, [name for name in names if name in job.masking and name not in chosen])


def list_names(names: Sequence[str]) -> str:
    """Lists names, in quotes if their spaces would be overlooked."""
    shown = (name if name and name == name.strip() else repr(name) for name in names[:MOST_LISTED])
    return ", ".join(shown) + (f", and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else "")


def _find_absent(
    reference: str, there: Sequence[str], setting: str, wanted: Sequence[str], before_masking: Sequence[str] = ()
) -> Iterator[Problem]:
    known = set(there)
    for name in wanted:
        if name not in known and name in before_masking:
            yield Problem(setting, f"names the column {name!r}, which masking drops")
        elif name not in known:
            yield Problem(
                setting, f"names the column {name!r}, which {reference} does not contain{suggest(name, there)}"
            )


def _find_no_features(categorical: Sequence[str], features: Sequence[str]) -> Iterator[Problem]:
    for name in categorical:
        if name not in features:
            yield Problem("data.categorical", f"names {name!r}, which is not a feature{suggest(name, features)}")


def _find_out_of_use(
    reference: str, there: Sequence[str], used: Sequence[str], ranges: Sequence[str]
) -> Iterator[Problem]:
    for name in ranges:
        if name not in there:
            yield from _find_absent(reference, there, "quality.ranges", [name])
        elif name not in used:
            yield Problem("quality.ranges", f"names the column {name!r}, which is neither a feature nor the target")


def _is_index(name: str) -> bool:
    return PANDAS_INDEX.fullmatch(name) is not None


def _describe_naming(options: Data) -> str:
    if options.image:
        return "data.image.column"
    return "data.text" if options.text else "data.features"


def _find_splitting(options: Data) -> tuple[str, str | None]:
    return ("data.split.column", options.split.column) if options.split else ("data.timeColumn", options.time_column)
