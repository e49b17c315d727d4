"""The local store: whole files or none, private whatever the umask, and nothing followed or left behind."""

import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealing import (
    ArtifactCorrupt,
    ArtifactMissing,
    ManifestInvalid,
    PrivateKey,
    SealedArtifact,
    StoreUnwritable,
    StoreUrlInvalid,
    absolute_url,
    is_same_store,
    open_store,
    seal,
)
from sealing.store import ArtifactStore

PROJECT_ROOT = Path(__file__).resolve().parents[3]
ID = "ab" * 16
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
def store(tmp_path: Path) -> ArtifactStore:
    return open_store(f"file://{tmp_path / 'store'}")


@pytest.fixture(scope="module")
def artifact(key: PrivateKey) -> SealedArtifact:
    return seal(b"model", {}, [key.public_key])


def put(store: ArtifactStore, artifact: SealedArtifact) -> None:
    store.put_payload(artifact.artifact_id, artifact.payload)
    store.put_manifest(artifact.artifact_id, artifact.manifest)


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_opening_a_store_touches_nothing(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path / 'store'}")

    assert list(tmp_path.iterdir()) == []


def test_what_was_put_is_there_and_verified(store: ArtifactStore, artifact: SealedArtifact) -> None:
    put(store, artifact)

    assert store.get_payload(artifact.artifact_id) == artifact.payload
    assert store.get_manifest(artifact.artifact_id) == artifact.manifest
    assert store.artifact_ids() == [artifact.artifact_id]
    store.verify(artifact.artifact_id, artifact.payload_digest)


def test_the_manifest_is_the_commit_point(store: ArtifactStore, artifact: SealedArtifact) -> None:
    store.put_payload(artifact.artifact_id, artifact.payload)

    assert store.artifact_ids() == []
    assert not store.has_manifest(artifact.artifact_id)
    with pytest.raises(ArtifactMissing):
        store.verify(artifact.artifact_id, artifact.payload_digest)


def test_putting_the_same_again_is_fine_and_something_else_is_refused(store: ArtifactStore) -> None:
    store.put_payload(ID, b"payload")
    store.put_payload(ID, b"payload")

    with pytest.raises(ArtifactCorrupt):
        store.put_payload(ID, b"another")
    assert store.get_payload(ID) == b"payload"


def test_deleting_leaves_nothing_and_is_fine_twice(
    store: ArtifactStore, artifact: SealedArtifact, tmp_path: Path
) -> None:
    put(store, artifact)

    store.delete(artifact.artifact_id)
    store.delete(artifact.artifact_id)

    assert files(tmp_path) == []


def test_deleting_from_a_store_that_is_not_there_does_not_make_it(store: ArtifactStore, tmp_path: Path) -> None:
    store.delete(ID)
    store.delete_record(ID)

    assert list(tmp_path.iterdir()) == []


def test_a_flipped_bit_is_found(store: ArtifactStore, artifact: SealedArtifact, tmp_path: Path) -> None:
    put(store, artifact)
    payload = tmp_path / "store" / "payloads" / artifact.artifact_id
    payload.write_bytes(payload.read_bytes()[:-1] + b"x")

    with pytest.raises(ArtifactCorrupt):
        store.verify(artifact.artifact_id, artifact.payload_digest)


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = open_store(f"file://{tmp_path / 'a' / 'store'}")
        store.put_payload(ID, b"payload")
        store.put_record(ID, b"record")
    finally:
        os.umask(before)

    for path in (tmp_path / "a").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b", "..", "", "AB" * 16, "ab" * 16 + "\0", "é" * 16, "ab" * 100]
)
def test_a_name_that_is_not_hex_reaches_no_file(store: ArtifactStore, name: str) -> None:
    for reach in (store.get_payload, store.get_manifest, store.delete, store.delete_record):
        with pytest.raises(ArtifactMissing):
            reach(name)
    with pytest.raises(ArtifactMissing):
        store.put_payload(name, b"x")


def test_a_symlink_in_the_store_is_not_followed(store: ArtifactStore, tmp_path: Path) -> None:
    store.put_payload("cd" * 16, b"x")
    secret = tmp_path / "secret"
    secret.write_bytes(b"hush")
    (tmp_path / "store" / "payloads" / ID).symlink_to(secret)

    with pytest.raises(StoreUnwritable):
        store.get_payload(ID)


@pytest.mark.parametrize("folder", ["payloads", "manifests", "records"])
def test_what_is_no_file_is_not_waited_for(store: ArtifactStore, tmp_path: Path, folder: str) -> None:
    (tmp_path / "store" / folder).mkdir(parents=True)
    os.mkfifo(tmp_path / "store" / folder / ID)
    reach = {"payloads": store.get_payload, "manifests": store.get_manifest, "records": store.get_record}[folder]

    with pytest.raises(ArtifactCorrupt, match="not a file"):
        reach(ID)
    if folder == "payloads":
        with pytest.raises(ArtifactCorrupt):
            store.put_payload(ID, b"payload")


def test_a_manifest_longer_than_any_can_be_is_refused_before_it_is_in_memory(
    store: ArtifactStore, artifact: SealedArtifact, tmp_path: Path
) -> None:
    put(store, artifact)
    os.truncate(tmp_path / "store" / "manifests" / artifact.artifact_id, 400 << 20)
    tracemalloc.start()
    try:
        for reach in (
            lambda: store.get_manifest(artifact.artifact_id),
            lambda: store.verify(artifact.artifact_id, artifact.payload_digest),
        ):
            with pytest.raises(ManifestInvalid, match="longer than"):
                reach()
        with pytest.raises(ArtifactCorrupt, match="another file"):
            store.put_manifest(artifact.artifact_id, artifact.manifest)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 8 << 20


def test_a_record_is_replaced_as_a_whole(store: ArtifactStore, tmp_path: Path) -> None:
    store.put_record(ID, b"first")
    store.put_record(ID, b"second")

    assert store.get_record(ID) == b"second"
    assert store.get_record("cd" * 16) is None
    store.delete_record(ID)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "url", ["", "store", "ftp://host/x", "file://", "s3:/bucket", "file://a\0b", "file://~nosuchuser/x"]
)
def test_a_url_that_names_no_store_is_refused_with_what_does(url: str) -> None:
    with pytest.raises(StoreUrlInvalid, match="file://"):
        open_store(url)


def test_a_full_disk_says_so_and_leaves_nothing_half_written(small_disk: Path) -> None:
    store = open_store(f"file://{small_disk}/store")
    store.put_payload("cd" * 16, b"x" * 1000)

    with pytest.raises(StoreUnwritable, match="No space left"):
        store.put_payload(ID, bytes(3_000_000))

    assert files(small_disk) == ["store/payloads/" + "cd" * 16]


def test_a_read_only_folder_says_so(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    store = open_store(f"file://{small_disk}/store")

    with pytest.raises(StoreUnwritable, match="Read-only"):
        store.put_payload(ID, b"x")


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
from sealing import open_store
store = open_store(sys.argv[1])
print("ready", flush=True)
for turn in range(100000):
    store.put_record("ab" * 16, bytes([turn % 251]) * 300_000)
    store.put_payload(f"{turn:032x}", bytes([turn % 251]) * 100_000)
"""


def test_kill_9_at_any_moment_leaves_whole_files_only(
    store: ArtifactStore, tmp_path: Path, file_system: str
) -> None:
    store.put_record(ID, bytes(300_000))  # a busy machine may let no writer get as far as its first files
    store.put_payload("f" * 32, bytes(100_000))
    for turn in range(20):
        with program(file_system + WRITER, f"file://{tmp_path / 'store'}") as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.005 * turn)

    record = store.get_record(ID)
    assert record is not None
    assert len(record) == 300_000
    assert len(set(record)) == 1
    for path in (tmp_path / "store" / "payloads").iterdir():
        if path.name.endswith(".new"):
            store.delete(path.name.partition(".")[0])
            continue
        assert path.stat().st_size == 100_000
        assert len(set(path.read_bytes())) == 1
    store.put_record(ID, b"next")
    assert [name for name in files(tmp_path) if name.endswith(".new")] == []


RECORDER = """
import sys
from sealing import open_store
url, name, turns = sys.argv[1:]
store = open_store(url)
for turn in range(int(turns)):
    store.put_record(name, name.encode() * 1000)
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
    store: ArtifactStore, tmp_path: Path, file_system: str, names: list[str]
) -> None:
    assert record_at_once(file_system, f"file://{tmp_path / 'store'}", names, 300) == ["", "", ""]

    assert [store.get_record(name) for name in names] == [name.encode() * 1000 for name in names]
    assert files(tmp_path) == sorted({f"store/records/{name}" for name in names})


def test_what_a_killed_writer_left_of_a_record_goes_with_the_next_write_or_the_record(
    store: ArtifactStore, tmp_path: Path
) -> None:
    left = tmp_path / "store" / "records" / f"{ID}.0123456789abcdef.new"
    store.put_record("cd" * 16, b"another")
    left.write_bytes(b"half")
    store.put_record(ID, b"next")
    assert not left.exists()

    left.write_bytes(b"half")
    store.delete_record(ID)
    assert not left.exists()


def test_a_store_that_vanishes_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "store").symlink_to(tmp_path / "not mounted")

    with pytest.raises(StoreUnwritable, match="another storeUrl"):
        open_store(f"file://{tmp_path / 'store'}").put_record(ID, b"record")


HOLDER = """
import sys, time
from sealing import open_store
with open_store(sys.argv[1]).lock_record("ab" * 16):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_lock_keeps_others_waiting_and_goes_with_a_killed_holder(store: ArtifactStore, tmp_path: Path) -> None:
    url = f"file://{tmp_path / 'store'}"
    with program(HOLDER, url) as first:
        assert first.stdout is not None
        first.stdout.readline()
        with program(HOLDER, url) as second:
            assert second.stdout is not None
            os.set_blocking(second.stdout.fileno(), False)
            time.sleep(1)
            assert second.stdout.read() is None, "the second waits"

            first.kill()

            os.set_blocking(second.stdout.fileno(), True)
            assert second.stdout.readline() == b"locked\n"


@pytest.mark.parametrize("url", ["file://models/../store", "file://./store"])
def test_a_relative_url_is_resolved_against_the_folder_it_was_written_in(url: str, tmp_path: Path) -> None:
    assert absolute_url(url, tmp_path) == f"file://{tmp_path}/store"


@pytest.mark.parametrize("url", ["file:///var/lib/sealift", "file://~/.sealift/store"])
def test_a_url_that_means_the_same_everywhere_stays_as_it_is(url: str, tmp_path: Path) -> None:
    assert absolute_url(url, tmp_path) == url


def test_one_store_has_many_urls(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "store")

    for url in (f"file://{tmp_path}/store/", f"file://{tmp_path}/other/../store", f"file://{tmp_path}/link"):
        assert is_same_store(url, f"file://{tmp_path}/store")
    assert not is_same_store(f"file://{tmp_path}/other", f"file://{tmp_path}/store")
