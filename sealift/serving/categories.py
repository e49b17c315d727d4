"""Which values of a request are none of the categories that training saw: the model answers them as it answers a
missing one, so its answer alone does not say so.

Only columns of a table have categories that are known here, and only where training describes its rows. An empty text
is a missing value, and is not counted.
"""

from collections.abc import Iterable, Mapping

from sealift.serving.row_schema import Row
from sealift.serving.tensor import Array


class Categories:
    """Of one model. Any thread may call it."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """`rows`: what each input takes for one row."""
        known = {row.tensor.name: row.fields[0].choices for row in rows if len(row.fields) == 1}
        self._known = {name: frozenset((*choices, "")) for name, choices in known.items() if choices}

    @property
    def columns(self) -> list[str]:
        """Those that have categories."""
        return list(self._known)

    def unknown(self, inputs: Mapping[str, Array]) -> dict[str, int]:
        """How many values of each column are none that is known; a column without such values is left out."""
        found = {}
        for name, known in self._known.items():
            values = inputs[name].ravel().tolist()
            count = len(values) - sum(map(known.__contains__, values))
            if count:
                found[name] = count
        return found
