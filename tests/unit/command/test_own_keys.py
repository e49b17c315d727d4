"""`--keys`: an artifact with a key-encryption key of its own, from sealing to an erasure that no backup survives."""

import os
import shutil
import time
from pathlib import Path

import pytest

from sealift.stores import artifact_ids, open_store
from sealift.stores.audit_log import append
from tests.unit.command.typed import is_refused, key_files, sealift, succeeds

KEYED = "has a key-encryption key of its own"


class Place:
    """A folder with a store, a store of keys, and an artifact with a key of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.private, self.public = key_files(folder)
        self.store, self.keys = f"file://{folder}/store", f"file://{folder}/keys"
        (folder / "model").write_bytes(b"plain")
        self.artifact_id = self.seal()

    def seal(self) -> str:
        sealed = succeeds(
            "seal", self.folder / "model", "-r", self.public, "--store", self.store, "--keys", self.keys, "--json"
        )
        return str(sealed.json["artifactId"])

    def key_file(self, artifact_id: str) -> Path:
        return self.folder / "keys" / "keys" / artifact_id

    def options(self, *more: object) -> tuple[object, ...]:
        return (self.artifact_id, "--store", self.store, *more)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_with_both_keys_every_command_works(place: Place, tmp_path: Path) -> None:
    both = place.options("-i", place.private, "--keys", place.keys)

    assert succeeds("open", *both).output == b"plain"
    shown = succeeds("inspect", *both, "--json").json
    assert shown["authentic"] and shown["recipients"][0]["kind"] == "RSA-OAEP-4096-SHA256.A256KW"
    assert succeeds("verify", *both, "--json").json["authentic"]
    assert succeeds("list", "--store", place.store, "--json").json["artifactId"] == place.artifact_id
    _, other = key_files(tmp_path, 1)
    succeeds("rewrap", *both, "--add", other)
    again = succeeds("open", *place.options("-i", tmp_path / "key1.pem", "--keys", place.keys))
    assert again.output == b"plain"


def test_without_the_store_of_keys_each_command_says_so(place: Place) -> None:
    for command in ("open", "inspect"):
        is_refused(sealift(command, *place.options("-i", place.private)), KEYED, "--keys URL")
    is_refused(sealift("verify", *place.options("-i", place.private)), KEYED, "--keys URL")
    ended = sealift("rewrap", *place.options("-i", place.private, "-r", place.public))
    assert ended.code == 1 and KEYED in ended.errors
    is_refused(sealift("erase", *place.options("--reason", "request 17", "--yes")), KEYED, "--keys URL")
    assert artifact_ids(open_store(place.store)) == [place.artifact_id]
    assert succeeds("verify", *place.options()).output


def test_files_of_a_backup_open_until_the_erasure(place: Place, tmp_path: Path) -> None:
    backup = [
        shutil.copy(tmp_path / "store" / f"{name}s" / place.artifact_id, tmp_path / name)
        for name in ("payload", "manifest")
    ]
    files = ("--payload", backup[0], "--manifest", backup[1], "-i", place.private, "--keys", place.keys)
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    copied = (place.artifact_id, "--store", f"file://{tmp_path}/copy", "-i", place.private, "--keys", place.keys)
    assert succeeds("open", *files).output == succeeds("open", *copied).output == b"plain"

    succeeds("erase", *place.options("--keys", place.keys, "--reason", "request 17", "--yes"))

    for arguments in (files, copied):
        is_refused(sealift("open", *arguments), place.artifact_id, "was erased on", "request 17")
    assert not place.key_file(place.artifact_id).exists()
    (tmp_path / "keys" / "tombstones" / place.artifact_id).unlink()
    is_refused(sealift("open", *files), "the key-encryption key", "is gone")
    succeeds("erase", *place.options("--keys", place.keys, "--reason", "request 17", "--yes"))


def test_an_erasure_with_the_keys_of_another_store_destroys_nothing(place: Place, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    more = ("--keys", f"file://{tmp_path}/other", "--reason", "request 17", "--yes")

    is_refused(sealift("erase", *place.options(*more)), "key-encryption key", "is gone from", "--keys URL")

    assert place.key_file(place.artifact_id).exists()
    assert artifact_ids(open_store(place.store)) == [place.artifact_id]


def test_a_key_without_its_artifact_is_collected(place: Place, tmp_path: Path) -> None:
    left = place.seal()
    then = time.time() - 100_000
    for one in (left, place.artifact_id):
        os.utime(place.key_file(one), (then, then))
    (tmp_path / "store" / "manifests" / left).unlink()
    append(open_store(place.store), "delete", left, "", "begun")

    succeeds("gc", "--store", place.store)
    assert place.key_file(left).exists()
    done = succeeds("gc", "--store", place.store, "--keys", place.keys, "--json").lines

    assert done == [{"key": left, "sizeBytes": 32, "removed": True}]
    assert not place.key_file(left).exists() and place.key_file(place.artifact_id).exists()


def test_a_store_of_keys_is_another_place_than_the_store(place: Place) -> None:
    for keys in (place.store, f"{place.store}/keys"):
        ended = sealift("seal", place.folder / "model", "-r", place.public, "--store", place.store, "--keys", keys)
        is_refused(ended, "in one another")


def test_files_alone_get_no_key_of_their_own(place: Place, tmp_path: Path) -> None:
    out = ("-o", tmp_path / "out", "--keys", place.keys)

    is_refused(sealift("seal", place.folder / "model", "-r", place.public, *out), "--keys", code=2)
