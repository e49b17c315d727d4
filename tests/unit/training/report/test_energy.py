"""Joules are measured where there is a counter, and never called measured where there is none."""

import sys
import types
from pathlib import Path

import pytest

from training.report import energy
from training.report.energy import Meter


class Powercap:
    """A /sys/class/powercap of one processor package; its core and psys are in the package, its memory is not."""

    END = 262_143_328_850

    def __init__(self, root: Path) -> None:
        self.root = root
        for domain, name in (("0", "package-0"), ("0:0", "core"), ("0:1", "dram"), ("1", "psys")):
            (root / f"intel-rapl:{domain}").mkdir(parents=True)
            self.write(domain, "name", name)
            self.write(domain, "max_energy_range_uj", str(self.END))
            self.write(domain, "energy_uj", "1000000")

    def write(self, domain: str, name: str, content: str) -> None:
        (self.root / f"intel-rapl:{domain}" / name).write_text(content + "\n")


@pytest.fixture
def powercap(tmp_path: Path) -> Powercap:
    return Powercap(tmp_path / "powercap")


def nvml(counts: list[int], error: bool = False) -> types.ModuleType:
    """A pynvml with one GPU whose counter shows these millijoules, one after the other."""
    module = types.ModuleType("pynvml")

    class NVMLError(Exception):
        pass

    def fail() -> None:
        raise NVMLError

    module.NVMLError = NVMLError  # type: ignore[attr-defined]
    module.nvmlInit = fail if error else lambda: None  # type: ignore[attr-defined]
    module.nvmlDeviceGetHandleByIndex = lambda number: number  # type: ignore[attr-defined]
    module.nvmlDeviceGetTotalEnergyConsumption = lambda handle: counts.pop(0)  # type: ignore[attr-defined]
    return module


def test_packages_and_their_memory_are_counted_once(powercap: Powercap) -> None:
    with Meter(powercap=powercap.root) as meter:
        for domain, count in (("0", 5_000_000), ("0:0", 4_000_000), ("0:1", 1_500_000), ("1", 9_000_000)):
            powercap.write(domain, "energy_uj", str(count))

    assert meter.energy().joules == 4.5
    assert meter.energy().method.startswith("measured: RAPL")


def test_a_counter_that_starts_again_loses_nothing(powercap: Powercap) -> None:
    powercap.write("0", "energy_uj", str(Powercap.END - 2_000_000))

    with Meter(powercap=powercap.root) as meter:
        powercap.write("0", "energy_uj", "3000000")
        assert meter.energy().joules == 5.0
        powercap.write("0", "energy_uj", "4000000")

    assert meter.energy().joules == 6.0


def test_long_runs_are_sampled_so_that_no_round_of_the_counter_is_missed(
    powercap: Powercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy, "SAMPLE_SECONDS", 0.001)
    sampled = energy.threading.Event()  # type: ignore[attr-defined]
    update = energy._Rapl.update

    def noticed(self: energy._Rapl) -> None:
        update(self)
        sampled.set()

    monkeypatch.setattr(energy._Rapl, "update", noticed)
    with Meter(powercap=powercap.root) as meter:
        for count in (Powercap.END, 1_000_000):
            powercap.write("0", "energy_uj", str(count))
            sampled.clear()
            assert sampled.wait(30)
            sampled.clear()
            assert sampled.wait(30)  # the second one began after the write

    assert meter.energy().joules == Powercap.END / 1e6


def test_without_a_counter_it_is_an_estimate_and_says_of_what(tmp_path: Path) -> None:
    with Meter(powercap=tmp_path) as meter:
        while meter.energy().joules == 0:
            sum(range(10_000))

    found = meter.energy()
    assert found.method.startswith("estimated: ")
    assert "an assumed 10 W per core" in found.method
    assert "RAPL is not readable" in found.method


def test_a_counter_that_only_root_may_read_is_none(powercap: Powercap, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_text

    def refuse(path: Path) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_text", refuse)
    with Meter(powercap=powercap.root) as meter:
        pass

    assert meter.energy().method.startswith("estimated: ")


def test_the_end_stops_the_count(powercap: Powercap) -> None:
    with Meter(powercap=powercap.root) as meter:
        pass
    powercap.write("0", "energy_uj", "9000000")

    assert meter.energy().joules == 0


def test_a_gpu_is_added_from_nvml(powercap: Powercap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml([7_000, 9_500]))

    with Meter(gpus=[0], powercap=powercap.root) as meter:
        powercap.write("0", "energy_uj", "2000000")

    assert meter.energy().joules == 3.5
    assert meter.energy().method.count("measured: ") == 2


@pytest.mark.parametrize("module", [None, nvml([], error=True)], ids=["no library", "no driver"])
def test_a_gpu_that_cannot_be_measured_is_said_not_to_be_counted(
    module: types.ModuleType | None, powercap: Powercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", module)

    with Meter(gpus=[0], powercap=powercap.root) as meter:
        pass

    assert "GPU not counted" in meter.energy().method


def test_a_run_that_goes_on_adds_to_what_it_used_before(powercap: Powercap) -> None:
    with Meter(joules_before=100.0, powercap=powercap.root) as meter:
        powercap.write("0", "energy_uj", "2000000")

    assert meter.energy().joules == 101.0


def test_co2_is_energy_times_intensity_and_the_intensity_s_source_is_said(powercap: Powercap) -> None:
    with (
        Meter(powercap=powercap.root) as assumed,
        Meter(intensity=(50.0, "our grid, 2025"), powercap=powercap.root) as said,
    ):
        powercap.write("0", "energy_uj", str(3_600_000_000 + 1_000_000))

    assert assumed.energy().co2_grams == pytest.approx(0.4)
    assert "assumed" in assumed.energy().intensity_source
    assert said.energy().co2_grams == pytest.approx(0.05)
    assert said.energy().intensity_source == "our grid, 2025"
