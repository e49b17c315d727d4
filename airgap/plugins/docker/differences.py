"""Differences between two property values, by element, in the official plugin's form: `command[20]`, `ports[0].ip`."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sealift.property_path import write_path
from sealift.provider import DiffKind, Properties, PropertyDiff, Value

MISSING: Final = object()
BOOKKEEPING: Final = "__"
"""Prefix of a plugin's notes, which are not properties."""

Path = tuple[str | int, ...]


def differences(old: Properties, new: Properties, replaces: Callable[[str], bool]) -> dict[str, PropertyDiff]:
    """Returns the differences by property path. `replaces`: whether a change of the named property needs a new
    resource.
    """
    return {
        write_path(path): PropertyDiff(kind, replaces(str(path[0])), input_diff=False)
        for path, kind in _walk((), old, new)
    }


def _walk(path: Path, old: object, new: object) -> Iterator[tuple[Path, DiffKind]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            if not name.startswith(BOOKKEEPING):
                yield from _walk((*path, name), old.get(name, MISSING), new.get(name, MISSING))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _walk((*path, index), _item(old, index), _item(new, index))
    elif old is MISSING or new is MISSING:
        yield path, "add" if old is MISSING else "delete"
    elif old != new:
        yield path, "update"


def _item(items: Sequence[Value], index: int) -> object:
    return items[index] if index < len(items) else MISSING
