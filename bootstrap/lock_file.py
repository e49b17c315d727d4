"""Reads requirement locks as uv writes them: `name==version ; marker \\`, then one indented line per hash."""

import re
from dataclasses import dataclass

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]*?))?\s*\\?$")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One locked package: `marker` says for which Pythons and platforms ("": all), `text` is its part of the lock."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    text: str

    @property
    def unconditional(self) -> str:
        """Its part of a lock without the marker: for whoever has judged that already."""
        return " \\\n".join([f"{self.name}=={self.version}", *(f"    --hash={one}" for one in self.hashes)]) + "\n"


def parse(lock: str) -> list[Pin]:
    """The pins in their order; comments are dropped. A line that is neither raises ValueError with its number."""
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
        pins.append(Pin(found["name"].lower(), found["version"], (found["marker"] or "").strip(), hashes, text))
        block.clear()

    for line in lock.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace():
            close()
        elif not block:
            raise ValueError(f"a hash without its requirement: {line!r}")
        block.append(line)
    close()
    return pins


def without(pins: list[Pin], unwanted: re.Pattern[str]) -> str:
    """The lock's text without the packages whose whole name matches."""
    return "".join(pin.text for pin in pins if not unwanted.fullmatch(pin.name))
