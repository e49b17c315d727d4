"""Machine and libraries of a run, as the operating system reports them. Uses no network and starts no program."""

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from training.report.content import Environment


def environment(libraries: Sequence[str], threads: int, device: str) -> Environment:
    """Returns the environment. `libraries` are names of installed packages; missing ones are left out. `threads` are
    torch's.
    """
    return Environment(
        python=platform.python_version(),
        libraries={name: version for name in libraries if (version := _version(name)) is not None},
        operating_system=f"{platform.system()} {platform.release()}",
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        threads=threads,
        device=device,
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Returns the processor's name, or the architecture on ARM, whose processors report no name."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
