"""The engine's property paths, as in `ignoreChanges`: `data.target`, `recipients[0]`, `ranges["a.b"]`, `runs[*].name`.

The syntax is that of github.com/pulumi/pulumi/sdk/v3/go/common/resource.ParsePropertyPath.
"""

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from sealift.provider.values import Properties, Value

Key: TypeAlias = str | int
ANY: Final = "*"
PART: Final = re.compile(
    r'\.?(?P<name>[^.\[\]"]+)|\[(?P<index>\d+)\]|\[(?P<any>\*)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]'
)


class _Absent:
    """What is at a path that leads nowhere."""


ABSENT: Final = _Absent()


def parse(path: str) -> list[Key]:
    """Its keys and indices. Raises ValueError if it is none."""
    keys: list[Key] = []
    position = 0
    while position < len(path):
        part = PART.match(path, position)
        if part is None:
            raise ValueError(f"{path!r} is not a property path")
        if part["index"] is not None:
            keys.append(int(part["index"]))
        elif part["quoted"] is not None:
            keys.append(part["quoted"].replace('\\"', '"'))
        else:
            keys.append(part["name"] or ANY)
        position = part.end()
    return keys


def write_path(keys: Sequence[Key]) -> str:
    """The path of these keys, as the engine writes it: `spec.containers[0].image`, `data["key.pem"]`."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        elif re.search(r'[."\[\]]', key):
            text += '["' + key.replace('"', '\\"') + '"]'
        else:
            text += f".{key}" if text else key
    return text


def restore_properties(old: Properties, new: Properties, path: str) -> Properties:
    """`restored` for a resource's properties. Raises ValueError if `path` is none."""
    result = restore(old, new, parse(path))
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
