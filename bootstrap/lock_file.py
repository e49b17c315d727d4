"""Reads requirement locks in uv's form: `name==version ; marker \\`, then one indented line per hash."""

import re
from dataclasses import dataclass

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)\s*(?:;[^\\]*)?\\?$")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One locked package. `text` is its part of the lock, including the marker with its Pythons and platforms."""

    name: str
    version: str
    hashes: tuple[str, ...]
    text: str


def parse(lock: str) -> list[Pin]:
    """Returns the pins in their order, without comments. Raises ValueError for any other line."""
    pins: list[Pin] = []
    block: list[str] = []

    def close() -> None:
        if not block:
            return
        found = _PIN.match(block[0])
        if found is None:
            raise ValueError(f"not a pinned requirement: {block[0]!r}")
        text = "\n".join(block).rstrip("\\ ") + "\n"
        hashes = tuple(_HASH.findall(text))
        pins.append(Pin(found["name"].lower(), found["version"], hashes, text))
        block.clear()

    for line in lock.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace():
            close()
        elif not block:
            raise ValueError(f"a hash without a requirement: {line!r}")
        block.append(line)
    close()
    return pins


def without(pins: list[Pin], unwanted: re.Pattern[str]) -> str:
    """Returns the lock's text without the packages whose whole name matches."""
    return "".join(pin.text for pin in pins if not unwanted.fullmatch(pin.name))
