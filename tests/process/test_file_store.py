"""The local store with several writers at once, and with writers that are killed: whole files or none."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealift.stores import PAYLOADS, RECORDS, Store, open_store
from tests.unit.stores.contract import ID
from tests.unit.stores.file_systems import NAMED_FILES_ONLY, files, overwrite

PROJECT_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True, params=["", NAMED_FILES_ONLY], ids=["unnamed files", "named files only"])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a program runs first, so that it sees the same file system as this process: one with O_TMPFILE, or not."""
    monkeypatch.setattr(os, "open", os.open)
    exec(request.param, {})
    return str(request.param)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path / 'store'}")


@contextmanager
def program(text: str, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python program of its own, killed at the end."""
    command = [sys.executable, "-c", text, url]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        yield process
        process.kill()


WRITER = """
import sys
from sealift.stores import PAYLOADS, RECORDS, open_store, version_of
store = open_store(sys.argv[1])
version = version_of(store, RECORDS, "ab" * 16)
print("ready", flush=True)
for turn in range(100000):
    version = store.swap(RECORDS, "ab" * 16, bytes([turn % 251]) * 300_000, version)
    store.put(PAYLOADS, f"{turn:032x}", bytes([turn % 251]) * 100_000)
"""


def test_kill_9_at_any_moment_leaves_whole_files_only(store: Store, tmp_path: Path, file_system: str) -> None:
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
from sealift.stores import RECORDS, Conflict, open_store, version_of
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
