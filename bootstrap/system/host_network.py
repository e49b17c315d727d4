"""Our daemons' changes to the machine's network and kernel settings, and their reversal.

Before the first daemon starts, the settings, links and packet filter rules are noted. When the last one has stopped,
added rules and links are removed and changed settings are restored. Earlier ones, and those of other programs
(packet_filter.py), are not touched.
"""

import contextlib
import json
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bootstrap import content
from bootstrap.layout import Layout
from bootstrap.system import packet_filter, programs
from bootstrap.system.pod_network import BRIDGE
from sealift.processes import read_boot_id

# Pods and containers need forwarding and bridged packets. kubelet and kube-proxy set the others on their own.
SETTINGS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
    "net/bridge/bridge-nf-call-iptables",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
WANTED = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}
CGROUPS = ("docker", "kubepods")


@dataclass(frozen=True)
class Before:
    """State before the first of our daemons started, in the boot `boot`."""

    boot: str
    settings: dict[str, str]
    rules: dict[str, list[str]]
    cgroups: list[str]
    # Notes of version 0.1 have no links; docker0 may have existed.
    links: list[str] = field(default_factory=lambda: ["docker0"])


def prepare(layout: Layout) -> None:
    """Notes the state once per boot, and sets what our daemons need.

    Forwarding is turned on before dockerd starts: if dockerd turns it on, it also drops other programs' forwarded
    packets.
    """
    if not Path("/proc/sys/net/bridge").exists():
        programs.ask(["modprobe", "br_netfilter"])
    if _read_note(layout) is None:
        now = Before(
            boot=read_boot_id(),
            settings={name: value for name in SETTINGS if (value := _read_setting(name)) is not None},
            rules={tool: packet_filter.rules(tool) for tool in packet_filter.FILTERS},
            links=_links(),
            cgroups=[str(path) for path in _cgroups()],
        )
        _bridges_note(layout).unlink(missing_ok=True)  # of an earlier boot
        content.write(_note(layout), json.dumps(asdict(now), indent=1) + "\n", mode=0o600)
    for name, value in WANTED.items():
        if _read_setting(name) not in (None, value):
            (Path("/proc/sys") / name).write_text(value)


def restore(layout: Layout) -> None:
    """Reverses our daemons' changes. Call it when all of them have stopped. Without a note of this boot it does
    nothing.
    """
    before = _read_note(layout)
    if before is not None:
        bridges = _bridges(layout)
        for tool in packet_filter.FILTERS:
            for command in packet_filter.undo(before.rules[tool], packet_filter.rules(tool), bridges):
                programs.ask([tool, "--wait", "5", *command])
        for link in (BRIDGE, *bridges):
            if link not in before.links:
                programs.ask(["ip", "link", "delete", link])
        for name, value in before.settings.items():
            if _read_setting(name) != value:
                with contextlib.suppress(OSError):
                    (Path("/proc/sys") / name).write_text(value)
        for path in _cgroups():
            if str(path) not in before.cgroups:
                _remove_cgroup(path)
    _note(layout).unlink(missing_ok=True)
    _bridges_note(layout).unlink(missing_ok=True)


def note_bridges(layout: Layout, bridges: Sequence[str]) -> None:
    """Notes the bridges of our running Docker engine, including docker0."""
    if bridges:
        content.write(_bridges_note(layout), "\n".join(bridges) + "\n", mode=0o600)


def _bridges(layout: Layout) -> list[str]:
    """Returns our Docker engine's bridges. Empty if another dockerd runs now, which shares chains and docker0."""
    note = _bridges_note(layout)
    return note.read_text().split() if note.exists() and not _another_engine() else []


def _another_engine() -> bool:
    """Whether a dockerd runs in our network. Call it after our own has ended."""
    network = Path("/proc/self/ns/net").readlink()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "comm").read_text() == "dockerd\n" and (folder / "ns" / "net").readlink() == network:
                return True
    return False


def _cgroups() -> list[Path]:
    """Returns the folders of our daemons at the top of every hierarchy (version 1 has one per controller)."""
    top = Path("/sys/fs/cgroup")
    roots = [top, *(path for path in top.iterdir() if path.is_dir())] if top.exists() else []
    return [root / name for root in roots for name in CGROUPS if (root / name).is_dir()]


def _remove_cgroup(path: Path) -> None:
    """Removes a control group, children first. A group with processes stays."""
    for child in sorted((entry for entry in path.rglob("*") if entry.is_dir()), key=lambda entry: -len(entry.parts)):
        with contextlib.suppress(OSError):
            child.rmdir()
    with contextlib.suppress(OSError):
        path.rmdir()


def _read_setting(name: str) -> str | None:
    try:
        return (Path("/proc/sys") / name).read_text().strip()
    except OSError:
        return None


def _links() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


def _note(layout: Layout) -> Path:
    return layout.run / "machine-before.json"


def _bridges_note(layout: Layout) -> Path:
    return layout.run / "docker-bridges"


def _read_note(layout: Layout) -> Before | None:
    """Returns the note of this boot. An older note is ignored, because the restart has undone all changes."""
    try:
        raw = json.loads(_note(layout).read_text())
        before = Before(**raw)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return before if before.boot == read_boot_id() else None
