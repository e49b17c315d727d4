"""This process' figures, held against prometheus_client's."""

import gc
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from sealift.serving.metrics import process
from training.report.energy import WATTS_PER_CORE


def test_the_figures_are_prometheus_clients() -> None:
    gc.collect()  # else what other tests left open may be closed in between
    theirs = {m.samples[0].name: m.samples[0].value for m in ProcessCollector(registry=CollectorRegistry()).collect()}
    ours = {family.name: family.samples[0][2] for family in process.families() if family.name.startswith("process_")}

    assert ours.keys() == theirs.keys()
    assert abs(ours["process_open_fds"] - theirs["process_open_fds"]) <= 1
    for name in theirs.keys() - {"process_open_fds"}:
        assert abs(ours[name] - theirs[name]) <= 0.2 * theirs[name] + 1, name


def test_energy_is_estimated_as_in_training() -> None:
    found = {family.name: family.samples[0][2] for family in process.families()}

    assert process.WATTS_PER_CORE == WATTS_PER_CORE
    assert found["sealift_energy_joules_total"] == found["process_cpu_seconds_total"] * WATTS_PER_CORE


def test_without_proc_there_is_what_the_system_says_itself(tmp_path: Path) -> None:
    assert [family.name for family in process.families(tmp_path)] == [
        "process_cpu_seconds_total", "sealift_energy_joules_total",
    ]  # fmt: skip
