"""One checkout of a machine runs the local services; the others leave them alone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap import daemon, leftovers, owner
from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "RUN", tmp_path / "run")
    monkeypatch.setattr(owner, "OWNER", tmp_path / "run" / "owner")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Layout]:
    """Another checkout, which owns the services and runs one (a sleeping process plays it)."""
    layout = Layout(tmp_path / "other")
    layout.run.mkdir(parents=True)
    owner.claim(layout)
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)", f"{layout.tools}/docker.json"]
    ) as process:
        started = daemon._started(process.pid)
        record = {"pid": process.pid, "started": started, "boot": daemon.boot_id(), "argv": ["dockerd"]}
        (layout.run / "dockerd.pid").write_text(json.dumps(record))
        yield layout
        process.kill()


def test_services_of_another_checkout_are_not_taken_over_while_they_run(other: Layout, tmp_path: Path) -> None:
    with pytest.raises(BootstrapError, match=f"the checkout {other.root} runs dockerd here"):
        owner.claim(Layout(tmp_path / "mine"))

    assert owner.is_ours(other)


def test_what_another_checkout_has_stopped_can_be_taken_over(other: Layout, tmp_path: Path) -> None:
    mine = Layout(tmp_path / "mine")
    daemon.Daemons(other).stop("dockerd")

    owner.claim(mine)

    assert owner.is_ours(mine)
    assert not owner.is_ours(other)


def test_what_a_deleted_checkout_left_running_is_ended(other: Layout, tmp_path: Path) -> None:
    """Nobody else could: its records are gone with it."""
    running = daemon.read_record(other.run / "dockerd.pid")
    other.root.rename(tmp_path / "deleted")

    owner.claim(Layout(tmp_path / "mine"))

    assert running is not None
    assert leftovers.end_processes_under(other.tools) == 0 or not daemon.alive(running)


def test_only_the_owner_releases(tmp_path: Path) -> None:
    mine, other = Layout(tmp_path / "mine"), Layout(tmp_path / "other")
    owner.claim(mine)

    owner.release(other)
    assert owner.is_ours(mine)
    owner.release(mine)
    assert not owner.is_ours(mine)
