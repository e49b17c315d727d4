"""Restoring of the old values of the properties that `ignoreChanges` names."""

from collections.abc import Sequence
from typing import Final

from sealift.property_path import ANY, Key, parse_path
from sealift.provider.values import Properties, Value


class _Absent:
    """Marker of a path that does not exist in a value."""


ABSENT: Final = _Absent()


def restore_properties(old: Properties, new: Properties, path: str) -> Properties:
    """Returns `new` with the old value at the property path. Raises ValueError if `path` is not a property path."""
    result = restore(old, new, parse_path(path))
    return result if isinstance(result, dict) else new


def restore(old: Value | _Absent, new: Value | _Absent, keys: Sequence[Key]) -> Value | _Absent:
    """Returns `new` with the value that `old` has at the path `keys`. If `old` has no such path, the result has none
    either."""
    if not keys:
        return old
    key, rest = keys[0], keys[1:]
    if isinstance(old, dict) and isinstance(new, dict):
        names = old.keys() | new.keys() if key == ANY else [str(key)]
        children = {name: restore(old.get(name, ABSENT), new.get(name, ABSENT), rest) for name in names}
        merged = {**new, **children}
        return {name: value for name, value in merged.items() if not isinstance(value, _Absent)}
    if isinstance(old, list) and isinstance(new, list):
        both = range(min(len(old), len(new)))
        indices = both if key == ANY else [key] if isinstance(key, int) and key in both else []
        return [restore(old[i], value, rest) if i in indices else value for i, value in enumerate(new)]  # type: ignore[misc]  # an index of both lists is not absent
    return new
