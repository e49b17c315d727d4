"""One checkout of a machine runs the local services; the others leave them alone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap import daemon, owner
from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "RUN", tmp_path / "run")
    monkeypatch.setattr(owner, "OWNER", tmp_path / "run" / "owner")


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Plays a daemon of the other checkout: its arguments name a file below that one's .tools."""
    settings = str(tmp_path / "other" / ".tools" / "docker.json")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", settings]) as process:
        yield process
        process.kill()


@pytest.fixture
def other(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> Layout:
    """Another checkout, which owns the services and runs one."""
    layout = Layout(tmp_path / "other")
    layout.run.mkdir(parents=True)
    owner.claim(layout)
    started = daemon._started(sleeper.pid)
    record = {"pid": sleeper.pid, "started": started, "boot": daemon.boot_id(), "argv": ["dockerd"]}
    (layout.run / "dockerd.pid").write_text(json.dumps(record))
    return layout


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


def test_what_a_deleted_checkout_left_running_is_ended(
    other: Layout, sleeper: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    """Nobody else could: its records are gone with it."""
    other.root.rename(tmp_path / "deleted")
    mine = Layout(tmp_path / "mine")

    owner.claim(mine)

    assert sleeper.wait(timeout=10) == -9
    assert owner.is_ours(mine)


def test_only_the_owner_releases(tmp_path: Path) -> None:
    mine, other = Layout(tmp_path / "mine"), Layout(tmp_path / "other")
    owner.claim(mine)

    owner.release(other)
    assert owner.is_ours(mine)
    owner.release(mine)
    assert not owner.is_ours(mine)
