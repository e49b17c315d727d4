"""CPU and memory of the container, and their limits, from cgroup v2 or v1. The host's figures are of no use to a pod.

https://docs.kernel.org/admin-guide/cgroup-v2.html. Unknown values and missing limits are None. Limits of parent groups
apply as well, so the smallest limit on the way up counts.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealift.serving.metrics.exposition import Family, one

UNLIMITED_V1: Final = 1 << 60
"""Version 1 expresses "no limit" as the largest multiple of a page."""


@dataclass(frozen=True)
class Usage:
    """CPU and memory usage of one container since its start."""

    cpu_seconds: float | None = None
    throttled_seconds: float | None = None
    """Time for which the CPU limit kept it from running."""
    cpu_limit: float | None = None
    """CPU limit in cores."""
    memory_bytes: int | None = None
    """Memory without reclaimable file caches: the working set, by which the kubelet evicts."""
    memory_limit_bytes: int | None = None


def usage(root: Path = Path("/")) -> Usage:
    """Usage of the container that this process runs in. Tests set another `root`."""
    groups = _groups(root / "proc/self/cgroup")
    mount = root / "sys/fs/cgroup"
    if (mount / "cgroup.controllers").exists():
        return _version_2(mount, groups.get("", "/"))
    return _version_1(mount, groups)


def cpus(root: Path = Path("/")) -> float:
    """Number of cores that this process can keep busy."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = usage(root).cpu_limit
    return here if limit is None else min(limit, here)


def families(root: Path = Path("/")) -> list[Family]:
    """Current metrics of the container."""
    now = usage(root)
    throttled = "Time in seconds for which the CPU limit kept the container from running."
    memory = "Working set of the container in bytes (memory without reclaimable caches). Kubernetes evicts pods by it."
    found = [
        ("cpu_seconds_total", "CPU time of the container in seconds.", now.cpu_seconds),
        ("cpu_throttled_seconds_total", throttled, now.throttled_seconds),
        ("cpu_limit_cores", "CPU limit of the container in cores. Absent if unlimited.", now.cpu_limit),
        ("memory_bytes", memory, now.memory_bytes),
        (
            "memory_limit_bytes",
            "Memory limit of the container in bytes. Absent if unlimited.",
            now.memory_limit_bytes,
        ),
    ]
    return [
        one(f"sealift_cgroup_{name}", "counter" if name.endswith("_total") else "gauge", about, value)
        for name, about, value in found
        if value is not None
    ]


def _version_2(mount: Path, group: str) -> Usage:
    here = _folder(mount, group)
    stat, memory = _fields(here / "cpu.stat"), _integer(here / "memory.current")
    cpu_limits, memory_limits = [], []
    for folder in _upwards(here, mount):
        quota, _, period = (_text(folder / "cpu.max") or "max").partition(" ")
        if quota.isdigit() and period.isdigit():
            cpu_limits.append(int(quota) / int(period))
        limit = _integer(folder / "memory.max")
        if limit is not None:
            memory_limits.append(limit)
    return Usage(
        _scale(stat.get("usage_usec"), 1e6),
        _scale(stat.get("throttled_usec"), 1e6),
        min(cpu_limits, default=None),
        _without_cache(memory, _fields(here / "memory.stat").get("inactive_file")),
        min(memory_limits, default=None),
    )


def _version_1(mount: Path, groups: dict[str, str]) -> Usage:
    cpu, cpuacct, memory = (_folder(mount / name, groups.get(name, "/")) for name in ("cpu", "cpuacct", "memory"))
    cpu_limits, memory_limits = [], []
    for folder in _upwards(cpu, mount / "cpu"):
        quota, period = _integer(folder / "cpu.cfs_quota_us"), _integer(folder / "cpu.cfs_period_us")
        if quota is not None and period and quota > 0:
            cpu_limits.append(quota / period)
    for folder in _upwards(memory, mount / "memory"):
        limit = _integer(folder / "memory.limit_in_bytes")
        if limit is not None and limit < UNLIMITED_V1:
            memory_limits.append(limit)
    cache = _fields(memory / "memory.stat").get("total_inactive_file")
    return Usage(
        _scale(_integer(cpuacct / "cpuacct.usage"), 1e9),
        _scale(_fields(cpu / "cpu.stat").get("throttled_time"), 1e9),
        min(cpu_limits, default=None),
        _without_cache(_integer(memory / "memory.usage_in_bytes"), cache),
        min(memory_limits, default=None),
    )


def _groups(path: Path) -> dict[str, str]:
    """Group paths by controller; version 2 has the empty name. Lines are number:controllers:path (cgroups(7))."""
    lines = (line.split(":", 2) for line in (_text(path) or "").splitlines())
    return {name: parts[2] for parts in lines if len(parts) == 3 for name in parts[1].split(",")}


def _folder(mount: Path, group: str) -> Path:
    """The group's folder. Without a cgroup namespace, the path is the host's, and the mount itself is the group."""
    folder = mount / group.lstrip("/")
    return folder if ".." not in folder.parts and folder.is_dir() else mount


def _upwards(folder: Path, mount: Path) -> Iterator[Path]:
    yield folder
    while folder != mount:
        folder = folder.parent
        yield folder


def _without_cache(memory: int | None, cache: int | None) -> int | None:
    return None if memory is None else max(0, memory - (cache or 0))


def _scale(count: int | None, unit: float) -> float | None:
    return None if count is None else count / unit


def _fields(path: Path) -> dict[str, int]:
    parts = (line.split() for line in (_text(path) or "").splitlines())
    return {name: int(value) for name, value in parts if value.isdigit()}


def _integer(path: Path) -> int | None:
    text = _text(path) or ""
    return int(text) if text.removeprefix("-").isdigit() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return None
