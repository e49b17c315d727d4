"""What our daemons change in the machine's own network and kernel settings, and how it is taken back.

Before the first of them starts, the settings and packet filter rules are noted down; when the last has stopped, what
they added is removed and what they changed is restored. Nothing that was there before, or that is not theirs, is
touched.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap import content, daemon, programs
from bootstrap.layout import Layout

BRIDGE = "sealift0"
# Forwarding and bridged packets are what pods and containers need; kubelet and kube-proxy set the others without
# asking.
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
FILTERS = ("iptables", "ip6tables")
OURS = re.compile(
    r"\b(KUBE-|CNI-|CNI-HOSTPORT|DOCKER|docker0\b|" + BRIDGE + r"\b|br-[0-9a-f]{12}\b)|172\.1[789]\.0\.0/16"
)
OUR_CHAINS = re.compile(r"^(KUBE-|CNI-|DOCKER)")


@dataclass(frozen=True)
class Before:
    """How things were before the first of our daemons started, during boot `boot`."""

    boot: str
    settings: dict[str, str]
    rules: dict[str, list[str]]
    cgroups: list[str]


def prepare(layout: Layout) -> None:
    """Notes how things are, once per boot, and sets what our daemons need.

    Forwarding goes on before dockerd starts: where dockerd itself switches it on, it also drops what others forward.
    """
    if not Path("/proc/sys/net/bridge").exists():
        programs.ask(["modprobe", "br_netfilter"])
    if _noted(layout) is None:
        now = Before(
            boot=daemon.boot_id(),
            settings={name: value for name in SETTINGS if (value := _setting(name)) is not None},
            rules={tool: rules(tool) for tool in FILTERS},
            cgroups=[str(path) for path in _cgroups()],
        )
        content.write(_note(layout), json.dumps(asdict(now), indent=1) + "\n", mode=0o600)
    for name, value in WANTED.items():
        if _setting(name) not in (None, value):
            (Path("/proc/sys") / name).write_text(value)


def restore(layout: Layout) -> None:
    """Takes back what our daemons changed. Call it when all of them have stopped; without a note of this boot it
    does nothing.
    """
    before = _noted(layout)
    if before is not None:
        for tool in FILTERS:
            for command in undo(before.rules[tool], rules(tool)):
                programs.ask([tool, "--wait", "5", *command])
        for link in (BRIDGE, "docker0"):
            programs.ask(["ip", "link", "delete", link])
        for name, value in before.settings.items():
            if _setting(name) != value:
                with contextlib.suppress(OSError):
                    (Path("/proc/sys") / name).write_text(value)
        for path in _cgroups():
            if str(path) not in before.cgroups:
                _remove_cgroup(path)
    _note(layout).unlink(missing_ok=True)


def rules(tool: str) -> list[str]:
    """All tables in `iptables-save` form, without counters and comments."""
    if shutil.which(f"{tool}-save") is None:
        return []
    saved = programs.ask([f"{tool}-save"]) or ""
    return [re.sub(r" \[\d+:\d+\]$", "", line) for line in saved.splitlines() if not line.startswith("#")]


def undo(before: Sequence[str], now: Sequence[str]) -> list[list[str]]:
    """Commands that take `now` back to `before`, as far as the difference is ours: rules first, then chains, then
    policies.
    """
    existing = set(_in_tables(before))
    deletions: list[list[str]] = []
    flushes: list[list[str]] = []
    removals: list[list[str]] = []
    policies: list[list[str]] = []
    for table, line in _in_tables(now):
        if (table, line) in existing:
            continue
        name = line[1:].split()[0] if line.startswith(":") else line.split()[1]
        if line.startswith(":") and OUR_CHAINS.match(name):
            flushes.append(["-t", table, "-F", name])
            removals.append(["-t", table, "-X", name])
        elif line.startswith(":"):
            if earlier := next(
                (old for where, old in existing if where == table and old.startswith(f":{name} ")), None
            ):
                policies.append(["-t", table, "-P", name, earlier.split()[1]])
        elif OURS.search(line) and not OUR_CHAINS.match(name):
            deletions.append(["-t", table, "-D", *_words(line)[1:]])
    return [*deletions, *flushes, *removals, *policies]


def _in_tables(lines: Iterable[str]) -> list[tuple[str, str]]:
    table = ""
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith((":", "-A")):
            found.append((table, line))
    return found


def _words(rule: str) -> list[str]:
    """A saved rule's words: comments are quoted there, and quotes in them escaped."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', rule)
    return [re.sub(r"\\(.)", r"\1", quoted) or plain for quoted, plain in found]


def _cgroups() -> list[Path]:
    """Folders of our daemons' names at the top of every hierarchy (version 1 has one per controller)."""
    top = Path("/sys/fs/cgroup")
    roots = [top, *(path for path in top.iterdir() if path.is_dir())] if top.exists() else []
    return [root / name for root in roots for name in CGROUPS if (root / name).is_dir()]


def _remove_cgroup(path: Path) -> None:
    """Children first; one with processes in it stays."""
    for child in sorted((entry for entry in path.rglob("*") if entry.is_dir()), key=lambda entry: -len(entry.parts)):
        with contextlib.suppress(OSError):
            child.rmdir()
    with contextlib.suppress(OSError):
        path.rmdir()


def _setting(name: str) -> str | None:
    try:
        return (Path("/proc/sys") / name).read_text().strip()
    except OSError:
        return None


def _note(layout: Layout) -> Path:
    return layout.run / "machine-before.json"


def _noted(layout: Layout) -> Before | None:
    """What was noted during this boot; a restart of the machine has undone everything that came after an older note."""
    try:
        raw = json.loads(_note(layout).read_text())
        before = Before(**raw)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return before if before.boot == daemon.boot_id() else None
