"""Counts of a request's values that are not among the categories training saw. The model treats them like missing
values, so its answer alone does not show them.

Only columns of a table have known categories, and only if training describes its rows. An empty text is a missing value
and is not counted.
"""

from collections.abc import Iterable, Mapping

from sealift.serving.row_schema import Row
from sealift.serving.tensor import Array


class Categories:
    """The known categories of one model. Any thread may call it."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """`rows` describes the values of each input for one row."""
        known = {row.tensor.name: row.fields[0].choices for row in rows if len(row.fields) == 1}
        self._known = {name: frozenset((*choices, "")) for name, choices in known.items() if choices}

    @property
    def columns(self) -> list[str]:
        """Columns that have categories."""
        return list(self._known)

    def unknown(self, inputs: Mapping[str, Array]) -> dict[str, int]:
        """Number of unknown values by column. Columns without unknown values are left out."""
        found = {}
        for name, known in self._known.items():
            values = inputs[name].ravel().tolist()
            count = len(values) - sum(map(known.__contains__, values))
            if count:
                found[name] = count
        return found
