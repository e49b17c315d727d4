"""The parts of a resource's properties that `ignoreChanges` names, as they were."""

from collections.abc import Sequence
from typing import Final

from sealift.property_path import ANY, Key, parse_path
from sealift.provider.values import Properties, Value


class _Absent:
    """What is at a path that leads nowhere."""


ABSENT: Final = _Absent()


def restore_properties(old: Properties, new: Properties, path: str) -> Properties:
    """`restored` for a resource's properties. Raises ValueError if `path` is none."""
    result = restore(old, new, parse_path(path))
    return result if isinstance(result, dict) else new


def restore(old: Value | _Absent, new: Value | _Absent, keys: Sequence[Key]) -> Value | _Absent:
    """`new` with what stands at the path `keys` as it is in `old`: there, other, or absent."""
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
        return [restore(old[i], value, rest) if i in indices else value for i, value in enumerate(new)]  # type: ignore[misc]  # an index that both have is not absent
    return new
