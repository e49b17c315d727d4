"""One checkout of a machine runs the local services; the others leave them alone."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout
from bootstrap.system import daemon, owner
from sealift.processes import read_boot_id

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "RUN", tmp_path / "run")
    monkeypatch.setattr(owner, "OWNER", tmp_path / "run" / "owner")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Layout]:
    """Another checkout, which owns the services and runs one."""
    layout = Layout(tmp_path / "other")
    layout.root.mkdir()
    for room in ("bootstrap", "sealift"):
        (layout.root / room).symlink_to(REPOSITORY / room)
    owner.claim(layout)
    daemon.Daemons(layout).start("dockerd", [sys.executable, "-c", "import time; time.sleep(60)"])
    yield layout
    daemon.Daemons(layout).end_all_of_deleted()


def test_services_of_another_checkout_are_not_taken_over_while_they_run(other: Layout, tmp_path: Path) -> None:
    with pytest.raises(BootstrapError, match=f"the checkout {other.root} runs dockerd on this machine"):
        owner.claim(Layout(tmp_path / "mine"))

    assert owner.is_ours(other)


def test_what_another_checkout_has_stopped_can_be_taken_over(other: Layout, tmp_path: Path) -> None:
    mine = Layout(tmp_path / "mine")
    daemon.Daemons(other).stop("dockerd")

    owner.claim(mine)

    assert owner.is_ours(mine)
    assert not owner.is_ours(other)


def test_what_a_deleted_checkout_left_running_is_ended(other: Layout, tmp_path: Path) -> None:
    """By the copy of its record: nobody else could, as its own records are gone with it."""
    record = daemon.read_record(daemon.Daemons(other).record_path("dockerd"))
    assert daemon.alive(record)
    shutil.rmtree(other.root)
    mine = Layout(tmp_path / "mine")

    owner.claim(mine)

    assert not daemon.alive(record)
    assert owner.is_ours(mine)
    assert not daemon.COPIES.exists()


def test_a_process_that_only_names_the_deleted_checkout_is_left_alone(other: Layout, tmp_path: Path) -> None:
    """An editor with one of its files, a shell, a checkout below it; and one that has got a recorded process's id."""
    shutil.rmtree(other.root)
    wait = ["sh", "-c", "read line", "vim", str(other.tools / "docker.json")]
    with subprocess.Popen(wait, stdin=subprocess.PIPE) as editor:
        stale = {"pid": editor.pid, "started": 1, "boot": read_boot_id(), "argv": ["etcd"]}
        daemon.Daemons(other).copy_path("etcd").write_text(json.dumps(stale))

        owner.claim(Layout(tmp_path / "mine"))

        assert editor.poll() is None
        editor.kill()


def test_a_daemon_that_is_stopped_leaves_no_copy_of_its_record(other: Layout) -> None:
    assert daemon.Daemons(other).copy_path("dockerd").exists()

    daemon.Daemons(other).stop("dockerd")

    assert not daemon.COPIES.exists()


def test_only_the_owner_releases(tmp_path: Path) -> None:
    mine, other = Layout(tmp_path / "mine"), Layout(tmp_path / "other")
    owner.claim(mine)

    owner.release(other)
    assert owner.is_ours(mine)
    owner.release(mine)
    assert not owner.is_ours(mine)
