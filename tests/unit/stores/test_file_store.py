"""The local store: whole files or none, private whatever the umask, and nothing followed or left behind."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealift.stores import (
    INPUTS,
    MANIFESTS,
    PAYLOADS,
    RECORDS,
    ArtifactDamaged,
    Store,
    StoreUnwritable,
    collect,
    open_store,
)
from sealift.stores.store import Folder
from tests.unit.stores.contract import ID, OTHER, StoreContract
from tests.unit.stores.file_systems import NAMED_FILES_ONLY, files, overwrite


@pytest.fixture(autouse=True, params=["", NAMED_FILES_ONLY], ids=["unnamed files", "named files only"])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a program runs first, so that it sees the same file system as this process: one with O_TMPFILE, or not."""
    monkeypatch.setattr(os, "open", os.open)
    exec(request.param, {})
    return str(request.param)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path / 'store'}")


def test_deleting_from_a_store_that_is_not_there_does_not_make_it(store: Store, tmp_path: Path) -> None:
    store.delete(PAYLOADS, ID)
    store.delete(RECORDS, ID)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = open_store(f"file://{tmp_path / 'a' / 'store'}")
        store.put(PAYLOADS, ID, b"payload")
        overwrite(store, ID, b"record")
    finally:
        os.umask(before)

    for path in (tmp_path / "a").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_a_symlink_in_the_store_is_not_followed(store: Store, tmp_path: Path) -> None:
    store.put(PAYLOADS, "cd" * 16, b"x")
    secret = tmp_path / "secret"
    secret.write_bytes(b"hush")
    (tmp_path / "store" / "payloads" / ID).symlink_to(secret)

    with pytest.raises(ArtifactDamaged, match="is not a file"):
        store.get(PAYLOADS, ID)


def test_a_folder_in_its_place_is_damage_and_leaves_no_descriptor_open(store: Store, tmp_path: Path) -> None:
    (tmp_path / "store" / "records" / ID).mkdir(parents=True)
    before = len([*Path("/proc/self/fd").iterdir()])

    for read in (store.get, store.open, store.stat, store.read):
        with pytest.raises(ArtifactDamaged, match="is not a file"):
            read(RECORDS, ID)
    assert len([*Path("/proc/self/fd").iterdir()]) == before


@pytest.mark.parametrize("folder", [PAYLOADS, MANIFESTS, RECORDS])
def test_what_is_no_file_is_not_waited_for(store: Store, tmp_path: Path, folder: Folder) -> None:
    (tmp_path / "store" / folder).mkdir(parents=True)
    os.mkfifo(tmp_path / "store" / folder / ID)

    with pytest.raises(ArtifactDamaged, match="not a file"):
        store.get(folder, ID)
    with pytest.raises(ArtifactDamaged):
        store.put(folder, ID, b"payload")


class TestFileStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return open_store(f"file://{tmp_path / 'store'}")


def test_a_deleted_record_leaves_no_file(store: Store, tmp_path: Path) -> None:
    overwrite(store, ID, b"first")
    overwrite(store, ID, b"second")
    store.delete(RECORDS, ID)

    assert files(tmp_path) == []


def test_a_full_disk_says_so_and_leaves_nothing_half_written(small_disk: Path) -> None:
    store = open_store(f"file://{small_disk}/store")
    store.put(PAYLOADS, "cd" * 16, b"x" * 1000)

    with pytest.raises(StoreUnwritable, match=f"/store cannot be used: payloads/{ID}: No space left"):
        store.put(PAYLOADS, ID, bytes(3_000_000))
    with pytest.raises(StoreUnwritable, match=f"/store cannot be used: records/{ID}: No space left"):
        store.swap(RECORDS, ID, bytes(3_000_000), None)

    assert files(small_disk) == ["store/payloads/" + "cd" * 16]
    (small_disk / "filler").write_bytes(bytes(1_000_000))
    with pytest.raises(StoreUnwritable, match=f"payloads/{ID}: No space left"), store.create(PAYLOADS, ID) as file:
        for _ in range(3):
            file.write(bytes(500_000))


def test_a_read_only_folder_says_so(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    store = open_store(f"file://{small_disk}/store")

    with pytest.raises(StoreUnwritable, match="Read-only"):
        store.put(PAYLOADS, ID, b"x")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a file system of its own needs root: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_what_a_killed_writer_left_of_a_record_goes_with_the_next_write_or_the_record(
    store: Store, tmp_path: Path
) -> None:
    left = tmp_path / "store" / "records" / f"{ID}.0123456789abcdef.new"
    overwrite(store, "cd" * 16, b"another")
    left.write_bytes(b"half")
    overwrite(store, ID, b"next")
    assert not left.exists()

    left.write_bytes(b"half")
    store.delete(RECORDS, ID)
    assert not left.exists()


def test_a_store_that_vanishes_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "store").symlink_to(tmp_path / "not mounted")

    with pytest.raises(StoreUnwritable, match=r"another store\.url"):
        overwrite(open_store(f"file://{tmp_path / 'store'}"), ID, b"record")


def test_a_collection_removes_what_killed_writers_left(store: Store, tmp_path: Path) -> None:
    overwrite(store, ID, b"record")
    left = tmp_path / "store" / "records" / f"{ID}.0123456789abcdef.new"
    left.write_bytes(b"half")

    assert collect(store).unfinished == 0
    assert left.exists()
    assert collect(store, -10).unfinished == 1
    assert not left.exists() and store.get(RECORDS, ID) == b"record"


def test_a_collection_removes_the_files_of_runs_whose_pods_cannot_read_them_any_more(
    store: Store, tmp_path: Path
) -> None:
    for name, days in ((ID, 6), (OTHER, 8)):
        store.put(INPUTS, name, b"sealed files of a run")
        then = time.time() - days * 86400
        os.utime(tmp_path / "store" / "inputs" / name, (then, then))

    assert [one.name for one in collect(store, dry_run=True).inputs] == [OTHER]
    assert store.names(INPUTS) == sorted([ID, OTHER])
    assert [one.name for one in collect(store, 3600).inputs] == [OTHER]
    assert store.names(INPUTS) == [ID]
