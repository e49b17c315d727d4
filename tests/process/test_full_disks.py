"""A disk that is full at each write: one clear error that names the file, nothing unreadable, and the same action works
once there is space.

The disk is a small tmpfs of its own. A filler leaves room for a number of bytes, from none to more than is needed.
"""

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sealift.sealing import open_artifact, parse_identity, unwrap
from sealift.sealing.manifest import parse_manifest
from sealift.sealing.recipients import pem
from sealift.stores import (
    MANIFESTS,
    PAYLOADS,
    RECORDS,
    ArtifactErased,
    AuditLine,
    Store,
    StoreUnwritable,
    artifact_ids,
    check_log,
    collect,
    delete_artifact,
    erase_artifact,
    get_manifest,
    get_payload,
    open_store,
    read_log,
    version_of,
)
from tests.ways_to_open import Refused, run_here

PAGE: Final = 4096
PLAIN: Final = bytes(range(256)) * 80
"""Five pages, so that a disk can be full within a payload."""
PAGES: Final = 16
"""More free pages than any action needs."""
FULL: Final = "No space left on device"


@dataclass(frozen=True)
class Disk:
    """A small file system with a store, and files of keys and a model beside it."""

    folder: Path
    files: Path

    @property
    def url(self) -> str:
        return f"file://{self.folder}/store"

    @property
    def store(self) -> Store:
        return open_store(self.url)

    def leave(self, pages: int) -> None:
        """Fills the disk but for this number of pages."""
        (self.folder / "filler").unlink(missing_ok=True)
        free = os.statvfs(self.folder).f_bavail
        with (self.folder / "filler").open("wb") as filler, suppress(OSError):
            filler.write(bytes(max(0, free - pages) * PAGE))
        assert os.statvfs(self.folder).f_bavail <= pages

    def free(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a file system of its own needs root: {mounted.stderr.strip()}")
    for name in ("key", "other"):
        private = X25519PrivateKey.generate()
        (tmp_path / name).write_text(pem.private_text(private))
        (tmp_path / f"{name}.pub").write_text(pem.public_text(private.public_key()))
    (tmp_path / "model").write_bytes(PLAIN)
    yield Disk(folder, tmp_path)
    subprocess.run(["umount", folder], check=True)


def seal(disk: Disk) -> str:
    """Returns the id of the new artifact."""
    before = set(artifact_ids(disk.store)) if (disk.folder / "store").exists() else set()
    run_here("seal", str(disk.files / "model"), "-r", str(disk.files / "key.pub"), "--store", disk.url)
    (made,) = set(artifact_ids(disk.store)) - before
    return made


def readable(disk: Disk) -> int:
    """Opens every artifact of the store. Returns their number."""
    if not (disk.folder / "store").exists():
        return 0
    found = artifact_ids(disk.store)
    for name in found:
        manifest = get_manifest(disk.store, name)
        parsed = parse_manifest(manifest)
        keys = [parse_identity((disk.files / key).read_text()) for key in ("key", "other")]
        opened = open_artifact(
            manifest, get_payload(disk.store, name), unwrap(manifest, keys), artifact_id=name,
            payload_digest=parsed.payload_digest,
        )  # fmt: skip
        assert opened.model == PLAIN
    return len(found)


def until_it_fits(disk: Disk, action: Callable[[], object], check: Callable[[], object]) -> int:
    """Does the action with more and more space, until it succeeds. Returns how often the disk was full."""
    for refusals in range(PAGES):
        disk.leave(refusals)
        try:
            action()
        except Refused as refused:
            said = str(refused)
        except StoreUnwritable as refused:
            said = refused.message
        else:
            disk.free()
            return refusals
        assert FULL in said, said
        check()
    raise AssertionError(f"refused with {PAGES} pages free")


def test_a_seal_on_a_full_disk_makes_no_artifact(disk: Disk) -> None:
    assert until_it_fits(disk, lambda: seal(disk), lambda: readable(disk)) > len(PLAIN) // PAGE
    assert readable(disk) == 1
    names = {path.name for path in (disk.folder / "store" / "payloads").iterdir()}
    assert names == {*artifact_ids(disk.store)}, "a payload without a manifest is left"


def test_a_seal_into_files_on_a_full_disk_makes_neither(disk: Disk) -> None:
    out = disk.folder / "out"

    def act() -> None:
        run_here("seal", str(disk.files / "model"), "-r", str(disk.files / "key.pub"), "-o", str(out))

    def nothing_is_there() -> None:
        assert [path.name for path in disk.folder.iterdir()] == ["filler"]

    assert until_it_fits(disk, act, nothing_is_there) > len(PLAIN) // PAGE
    assert {path.name for path in disk.folder.iterdir()} == {"out.payload", "out.manifest"}


def test_an_opening_onto_a_full_disk_makes_no_file_and_names_it(disk: Disk) -> None:
    url, plain = f"file://{disk.files}/store", disk.folder / "opened.onnx"
    run_here("seal", str(disk.files / "model"), "-r", str(disk.files / "key.pub"), "--store", url)
    (name,) = artifact_ids(open_store(url))

    def act() -> None:
        try:
            run_here("open", name, "--store", url, "-i", str(disk.files / "key"), "-o", str(plain))
        except Refused as refused:
            assert "opened.onnx" in str(refused)
            raise

    def no_plaintext() -> None:
        assert [path.name for path in disk.folder.iterdir()] == ["filler"]

    assert until_it_fits(disk, act, no_plaintext) >= len(PLAIN) // PAGE
    assert plain.read_bytes() == PLAIN


def test_a_rewrap_on_a_full_disk_keeps_the_old_recipients(disk: Disk) -> None:
    names = [seal(disk) for _ in range(2)]

    def act() -> None:
        run_here(
            "rewrap", *names, "--store", disk.url, "-i", str(disk.files / "key"), "-i", str(disk.files / "other"),
            "-r", str(disk.files / "other.pub"),
        )  # fmt: skip

    def all_open() -> None:
        assert readable(disk) == len(names)

    assert until_it_fits(disk, act, all_open) >= 1
    other = parse_identity((disk.files / "other").read_text())
    assert all(unwrap(get_manifest(disk.store, name), [other]) for name in names)


def outcomes(disk: Disk, artifact_id: str) -> list[tuple[str, str]]:
    """Actions and outcomes in the audit log, which must be whole, after the artifact's seal."""
    assert check_log(disk.store).damage == []
    of_it = [one.line for one in read_log(disk.store) if isinstance(one.line, AuditLine)]
    return [(one.action, one.outcome) for one in of_it if one.artifact_id == artifact_id and one.action != "seal"]


def test_an_erasure_on_a_full_disk_makes_its_own_space(disk: Disk) -> None:
    erased, kept = seal(disk), seal(disk)
    disk.leave(0)

    run_here("erase", erased, "--store", disk.url, "--reason", "request 17", "--yes")

    assert artifact_ids(disk.store) == [kept] and readable(disk) == 1
    with pytest.raises(ArtifactErased, match="request 17"):
        get_manifest(disk.store, erased)
    assert outcomes(disk, erased) == [("erase", "begun"), ("erase", "done")]


def test_a_deletion_on_a_full_disk_has_its_line_afterwards(disk: Disk) -> None:
    deleted, kept = seal(disk), seal(disk)
    disk.leave(0)

    delete_artifact(disk.store, deleted)

    assert artifact_ids(disk.store) == [kept] and readable(disk) == 1
    assert outcomes(disk, deleted) == [("delete", "done")]


def test_a_collection_on_a_full_disk_makes_space(disk: Disk) -> None:
    left = seal(disk)
    disk.store.delete(MANIFESTS, left)
    disk.leave(0)

    assert [one.name for one in collect(disk.store, -10).payloads] == [left]
    assert outcomes(disk, left) == [("delete", "done")]


def hold_space(disk: Disk, artifact_id: str) -> None:
    """Gives the artifact's files second names, so that deleting them makes no space, and fills the disk."""
    for folder in (PAYLOADS, MANIFESTS):
        os.link(disk.folder / "store" / folder / artifact_id, disk.folder / folder)
    disk.leave(0)


def test_a_deletion_without_a_line_says_so(disk: Disk) -> None:
    deleted = seal(disk)
    hold_space(disk, deleted)

    with pytest.raises(StoreUnwritable, match=r"was deleted, but the audit log has no line of it: .*No space left"):
        delete_artifact(disk.store, deleted)

    assert artifact_ids(disk.store) == [] and outcomes(disk, deleted) == []


def test_an_erasure_that_makes_no_space_says_so_and_can_be_done_again(disk: Disk) -> None:
    erased = seal(disk)
    hold_space(disk, erased)

    with pytest.raises(StoreUnwritable, match=r"in part, and the audit log has no line of it: .*No space left"):
        erase_artifact(disk.store, erased, "request 17")
    assert outcomes(disk, erased) == []
    disk.free()
    assert erase_artifact(disk.store, erased, "request 18").reason == "request 18"

    assert outcomes(disk, erased) == [("erase", "begun"), ("erase", "done")]


def test_a_record_that_does_not_fit_leaves_the_old_one(disk: Disk) -> None:
    name, old, new = secrets.token_hex(32), b"old record" * 1000, b"new record" * 2000
    disk.store.swap(RECORDS, name, old, None)

    def act() -> None:
        disk.store.swap(RECORDS, name, new, version_of(disk.store, RECORDS, name))

    def the_old_one_is_there() -> None:
        assert disk.store.get(RECORDS, name) == old

    def named() -> None:
        try:
            act()
        except StoreUnwritable as refused:
            assert f"records/{name}: {FULL}" in refused.message
            raise

    assert until_it_fits(disk, named, the_old_one_is_there) >= 1
    assert disk.store.get(RECORDS, name) == new
