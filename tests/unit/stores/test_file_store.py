"""The local store: whole files or none, private whatever the umask, and nothing followed or left behind."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stores import MANIFESTS, PAYLOADS, RECORDS, ArtifactDamaged, Store, StoreUnwritable, open_store, version_of
from stores.store import Folder
from tests.unit.stores.contract import ID, StoreContract

PROJECT_ROOT = Path(__file__).resolve().parents[3]
NAMED_FILES_ONLY = """
import errno, os
real_open = os.open
def open_named(path, flags, *arguments, **options):
    if flags & os.O_TMPFILE == os.O_TMPFILE:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    return real_open(path, flags, *arguments, **options)
os.open = open_named
"""


@pytest.fixture(autouse=True, params=["", NAMED_FILES_ONLY], ids=["unnamed files", "named files only"])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a program runs first, so that it sees the same file system as this process: one with O_TMPFILE, or not."""
    monkeypatch.setattr(os, "open", os.open)
    exec(request.param, {})
    return str(request.param)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path / 'store'}")


def overwrite(store: Store, name: str, record: bytes) -> None:
    store.swap(RECORDS, name, record, version_of(store, RECORDS, name))


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


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

    with pytest.raises(StoreUnwritable):
        store.get(PAYLOADS, ID)


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

    with pytest.raises(StoreUnwritable, match="No space left"):
        store.put(PAYLOADS, ID, bytes(3_000_000))

    assert files(small_disk) == ["store/payloads/" + "cd" * 16]


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


@contextmanager
def program(text: str, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python program of its own, killed at the end."""
    command = [sys.executable, "-c", text, url]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        yield process
        process.kill()


WRITER = """
import sys
from stores import PAYLOADS, RECORDS, open_store, version_of
store = open_store(sys.argv[1])
version = version_of(store, RECORDS, "ab" * 16)
print("ready", flush=True)
for turn in range(100000):
    version = store.swap(RECORDS, "ab" * 16, bytes([turn % 251]) * 300_000, version)
    store.put(PAYLOADS, f"{turn:032x}", bytes([turn % 251]) * 100_000)
"""


def test_kill_9_at_any_moment_leaves_whole_files_only(
    store: Store, tmp_path: Path, file_system: str
) -> None:
    overwrite(store, ID, bytes(300_000))  # a busy machine may let no writer get as far as its first files
    store.put(PAYLOADS, "f" * 32, bytes(100_000))
    for turn in range(20):
        with program(file_system + WRITER, f"file://{tmp_path / 'store'}") as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.005 * turn)

    record = store.get(RECORDS, ID)
    assert len(record) == 300_000
    assert len(set(record)) == 1
    for path in sorted((tmp_path / "store" / "payloads").iterdir()):  # X before X.new, which deletes both
        if path.name.endswith(".new"):
            store.delete(PAYLOADS, path.name.partition(".")[0])
            continue
        assert path.stat().st_size == 100_000
        assert len(set(path.read_bytes())) == 1
    overwrite(store, ID, b"next")
    assert [name for name in files(tmp_path) if name.endswith(".new")] == []


RECORDER = """
import sys
from stores import RECORDS, Conflict, open_store, version_of
url, name, turns = sys.argv[1:]
store = open_store(url)
for turn in range(int(turns)):
    while True:
        try:
            store.swap(RECORDS, name, name.encode() * 1000, version_of(store, RECORDS, name))
            break
        except Conflict:
            pass
"""


def record_at_once(file_system: str, url: str, names: list[str], turns: int) -> list[str]:
    """What processes print that write these records at the same time."""
    processes = [
        subprocess.Popen([sys.executable, "-c", file_system + RECORDER, url, name, str(turns)],
                         cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name in names
    ]  # fmt: skip
    return [process.communicate()[0] for process in processes]


@pytest.mark.parametrize("names", [["ab" * 16, "cd" * 16, "ef" * 16], [ID, ID, ID]], ids=["own", "same"])
def test_writers_of_records_do_not_break_each_other(
    store: Store, tmp_path: Path, file_system: str, names: list[str]
) -> None:
    assert record_at_once(file_system, f"file://{tmp_path / 'store'}", names, 300) == ["", "", ""]

    assert [store.get(RECORDS, name) for name in names] == [name.encode() * 1000 for name in names]
    assert files(tmp_path) == sorted({f"store/records/{name}" for name in names})


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

    with pytest.raises(StoreUnwritable, match="another storeUrl"):
        overwrite(open_store(f"file://{tmp_path / 'store'}"), ID, b"record")
