"""This process, in the names that all of Prometheus' client libraries use, and an estimate of its energy.

https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics. Memory and files are read from Linux's
/proc; elsewhere there are no figures of them.
"""

import os
import resource
import time
from pathlib import Path
from typing import Final

from sealift.serving.metrics.exposition import Family, one

WATTS_PER_CORE: Final = 10.0
"""Of a busy core, as training assumes it where it may read no counter (training/report/energy.py)."""


def families(proc: Path = Path("/proc")) -> list[Family]:
    """As of now."""
    seconds = time.process_time()
    estimate = (
        f"Estimate: the process' CPU seconds at {WATTS_PER_CORE:g} W a core, assumed; memory, disks and network not."
    )
    found = [
        one("process_cpu_seconds_total", "counter", "User and system CPU time of the process.", seconds),
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
        one("process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.", resident_pages * page),
        one("process_virtual_memory_bytes", "gauge", "Address space of the process.", virtual_pages * page),
        one("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.", started),
        one("process_open_fds", "gauge", "Open file descriptors.", open_files),
        one("process_max_fds", "gauge", "File descriptors that the process may have.", limit),
    ]
