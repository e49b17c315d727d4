"""Metrics of this process, with the names of Prometheus' client libraries, and an estimate of its energy.

https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics. Memory and files are read from Linux's
/proc; other systems do not have these metrics.
"""

import os
import resource
import time
from pathlib import Path
from typing import Final

from sealift.serving.metrics.exposition import Family, one

WATTS_PER_CORE: Final = 10.0
"""Assumed power of a busy core, the same as in training without a counter (training/report/energy.py)."""


def families(proc: Path = Path("/proc")) -> list[Family]:
    """Current metrics of the process."""
    seconds = time.process_time()
    estimate = f"Estimated energy of the process in joules: CPU time at an assumed {WATTS_PER_CORE:g} W per core."
    found = [
        one("process_cpu_seconds_total", "counter", "User and system CPU time of the process in seconds.", seconds),
        one("sealift_energy_joules_total", "counter", estimate, seconds * WATTS_PER_CORE),
    ]
    try:
        virtual_pages, resident_pages = map(int, (proc / "self/statm").read_text().split()[:2])
        # The name, in parentheses, may have spaces in it; what follows is field 3, and starttime is 22 (proc(5)).
        ticks = int((proc / "self/stat").read_text().rpartition(")")[2].split()[22 - 3])
        boot = next(int(line.split()[1]) for line in (proc / "stat").read_text().splitlines() if line[:6] == "btime ")
        open_files = len(os.listdir(proc / "self/fd"))  # noqa: PTH208 - a hundred times as fast
    except (OSError, StopIteration):
        return found
    page = resource.getpagesize()
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    started = boot + ticks / os.sysconf("SC_CLK_TCK")
    return [
        *found,
        one(
            "process_resident_memory_bytes",
            "gauge",
            "Resident memory of the process in bytes.",
            resident_pages * page,
        ),
        one(
            "process_virtual_memory_bytes",
            "gauge",
            "Virtual memory of the process in bytes.",
            virtual_pages * page,
        ),
        one("process_start_time_seconds", "gauge", "Start time of the process, in seconds since 1970.", started),
        one("process_open_fds", "gauge", "File descriptors that the process has open.", open_files),
        one("process_max_fds", "gauge", "Maximum number of open file descriptors of the process.", limit),
    ]
