"""Where a process and its descendants listen: what others can reach of them, read from /proc (proc(5), net/tcp)."""

import contextlib
import ipaddress
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LISTEN: Final = "0A"
UNCONNECTED: Final = "07"
"""The state of a UDP socket that takes messages from anyone."""


@dataclass(frozen=True)
class Listener:
    pid: int
    kind: str
    """tcp, tcp6, udp, udp6 or unix."""
    address: str
    port: int = 0

    @property
    def is_reached_by_others(self) -> bool:
        """From another machine, or, for a Unix socket without a file, by any user of this one."""
        if self.kind == "unix":
            return self.address.startswith("@")
        return not ipaddress.ip_address(self.address).is_loopback


def listeners(pid: int) -> set[Listener]:
    """Those of the process and of all its descendants, at this moment."""
    found = set()
    for one in process_tree(pid):
        inodes = _sockets(one)
        for kind in ("tcp", "tcp6", "udp", "udp6"):
            found |= {Listener(one, kind, *at) for at, inode in _internet(one, kind) if inode in inodes}
        found |= {Listener(one, "unix", path) for path, inode in _unix(one) if inode in inodes}
    return found


def process_tree(pid: int) -> list[int]:
    """The process and its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    tree = [pid]
    for one in tree:
        tree += [child for child, parent in parents.items() if parent == one]
    return tree


def _sockets(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found |= set(re.findall(r"^socket:\[(\d+)\]$", str(descriptor.readlink())))
    return found


def _lines(pid: int, table: str) -> Iterator[list[str]]:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            yield line.split()


def _internet(pid: int, kind: str) -> Iterator[tuple[tuple[str, int], str]]:
    for fields in _lines(pid, kind):
        if fields[3] == (LISTEN if kind.startswith("tcp") else UNCONNECTED):
            address, _, port = fields[1].partition(":")
            words = struct.pack(f"={len(address) // 8}I", *(int(word, 16) for word in re.findall(".{8}", address)))
            family = socket.AF_INET6 if kind.endswith("6") else socket.AF_INET
            yield (socket.inet_ntop(family, words), int(port, 16)), fields[9]


def _unix(pid: int) -> Iterator[tuple[str, str]]:
    accepts = 1 << 16  # __SO_ACCEPTCON
    for fields in _lines(pid, "unix"):
        if int(fields[3], 16) & accepts:
            yield fields[7] if len(fields) > 7 else "", fields[6]
