"""Energy of a run in joules: measured if the machine has counters that this process may read, otherwise estimated and
marked so. CO2 is those joules times the stated or assumed emission of a kilowatt-hour of electricity.

RAPL counts whole processors and NVML whole GPUs, including other programs on them. The estimate covers only this
process and the children it waited for.
"""

import importlib
import resource
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from training.report.content import Energy

POWERCAP: Final = Path("/sys/class/powercap")
SAMPLE_SECONDS: Final = 30.0
"""Seconds between readings. RAPL's counters wrap around at 65 kJ to 262 kJ: at 1 kW, after a minute at the earliest."""
WATTS_PER_CORE: Final = 10.0
"""Power of a busy core in watts: processors of 15 W with 4 cores to 400 W with 64 draw 4 to 10 W per core, without
memory.
"""
GRAMS_PER_KWH: Final = 400.0
ASSUMED: Final = "assumed, not the intensity of your electricity"
JOULES_PER_KWH: Final = 3.6e6


class Meter:
    """Measures energy from `with Meter() as meter:` on. `meter.energy()` can be called at any time, also after the end.

    `gpus` are the numbers of the NVIDIA devices in use, in NVML's order. `joules_before` is the energy of earlier
    processes of the same run. `intensity` is grams of CO2 per kWh and the source of that number.
    """

    def __init__(
        self,
        gpus: Sequence[int] = (),
        joules_before: float = 0.0,
        intensity: tuple[float, str] = (GRAMS_PER_KWH, ASSUMED),
        powercap: Path = POWERCAP,
    ) -> None:
        self._joules_before, self._intensity = joules_before, intensity
        self._rapl = _Rapl(powercap)
        self._nvml = _Nvml(gpus) if gpus else None
        self._cpu_seconds = 0.0
        self._started_at = 0.0
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="energy meter", daemon=True)

    def __enter__(self) -> Self:
        self._rapl.start()
        if self._nvml is not None:
            self._nvml.start()
        self._started_at = _cpu_seconds()
        if self._rapl.readable:
            self._sampler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._update()
        self._ended.set()
        if self._sampler.is_alive():
            self._sampler.join()

    def energy(self) -> Energy:
        """Returns the energy used so far, its source, and its CO2."""
        if not self._ended.is_set():
            self._update()
        processor, method = self._processor()
        joules = self._joules_before + processor
        if self._nvml is not None:
            joules += self._nvml.joules
            method += f"; {self._nvml.method}"
        grams, source = self._intensity
        return Energy(joules, method, joules / JOULES_PER_KWH * grams, grams, source)

    def _update(self) -> None:
        self._rapl.update()
        self._cpu_seconds = _cpu_seconds() - self._started_at
        if self._nvml is not None:
            self._nvml.update()

    def _processor(self) -> tuple[float, str]:
        if self._rapl.readable:
            return self._rapl.joules, "measured: RAPL, whole processor including other programs"
        counted = f"{self._cpu_seconds:.4g} CPU seconds at an assumed {WATTS_PER_CORE:g} W per core"
        return self._cpu_seconds * WATTS_PER_CORE, f"estimated: {counted} (RAPL is not readable here)"

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._rapl.update()


class _Rapl:
    """Intel's and AMD's counters of processor packages and, if they are separate, of their memory, in microjoules."""

    def __init__(self, powercap: Path) -> None:
        self._ranges = _rapl_domains(powercap)
        self._last: dict[Path, int] = {}
        self._lock = threading.Lock()
        self.readable = bool(self._ranges)
        self._microjoules = 0

    @property
    def joules(self) -> float:
        """Joules since `start`."""
        return self._microjoules / 1e6

    def start(self) -> None:
        """Starts counting."""
        self._last = self._read()

    def update(self) -> None:
        """Adds the energy since the last reading. A counter that is lower than before has wrapped around once."""
        with self._lock:
            now = self._read()
            for domain, count in now.items():
                gone = count - self._last.get(domain, count)
                self._microjoules += gone if gone >= 0 else gone + self._ranges[domain]
            self._last = {**self._last, **now}

    def _read(self) -> dict[Path, int]:
        counts = ((domain, _integer(domain / "energy_uj")) for domain in self._ranges)
        return {domain: count for domain, count in counts if count is not None}


class _Nvml:
    """NVIDIA's counters in millijoules since the driver was loaded. GPUs have them since Volta."""

    def __init__(self, gpus: Sequence[int]) -> None:
        self._gpus, self._first, self._now = gpus, 0, 0
        self._nvml: Any = None
        self.method = "GPU not counted (NVML is not readable here)"

    @property
    def joules(self) -> float:
        """Joules since `start`, or 0 if they are not measured."""
        return (self._now - self._first) / 1e3

    def start(self) -> None:
        """Starts counting, if a driver and a counter exist."""
        try:
            nvml: Any = importlib.import_module("pynvml")
        except ImportError:
            return
        try:
            nvml.nvmlInit()
            self._nvml = nvml
            self._first = self._now = self._read()
        except nvml.NVMLError:
            self._nvml = None
            return
        self.method = "measured: NVML, whole GPU including other programs"

    def update(self) -> None:
        """Reads again. A lost device keeps its last value."""
        if self._nvml is not None:
            try:
                self._now = self._read()
            except self._nvml.NVMLError:
                self._nvml = None

    def _read(self) -> int:
        handles = map(self._nvml.nvmlDeviceGetHandleByIndex, self._gpus)
        return sum(self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in handles)


def _rapl_domains(powercap: Path) -> Mapping[Path, int]:
    """Returns the readable domains and the values at which their counters wrap around: packages, and "dram", which no
    package includes.

    Leaves out "psys", which includes the packages, and a package's "core" and "uncore".
    """
    domains = {}
    for domain in sorted(powercap.glob("intel-rapl:*")):
        name, end = _text(domain / "name"), _integer(domain / "max_energy_range_uj")
        counted = (name or "").startswith("package") or name == "dram"
        if counted and end is not None and _integer(domain / "energy_uj") is not None:
            domains[domain] = end
    return domains


def _integer(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text is not None and text.isdigit() else None


def _text(path: Path) -> str | None:
    """Returns the file's text, or None if it does not exist or only root can read it, as usual for `energy_uj`."""
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
