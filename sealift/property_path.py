"""Property paths of Pulumi's engine and config: `data.target`, `recipients[0]`, `ranges["a.b"]`, `runs[*].name`.

The syntax is that of github.com/pulumi/pulumi/sdk/v3/go/common/resource.ParsePropertyPath.
"""

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

Key: TypeAlias = str | int
ANY: Final = "*"
PART: Final = re.compile(
    r'\.?(?P<name>[^.\[\]"]+)|\[(?P<index>\d+)\]|\[(?P<any>\*)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]'
)


def parse_path(path: str) -> list[Key]:
    """Returns the keys and indices of a path. Raises ValueError if the text is not a property path."""
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
    """Returns the path of these keys in the engine's syntax: `spec.containers[0].image`, `data["key.pem"]`."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        elif re.search(r'[."\[\]]', key):
            text += '["' + key.replace('"', '\\"') + '"]'
        else:
            text += f".{key}" if text else key
    return text
