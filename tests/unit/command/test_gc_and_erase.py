"""What killed writers left is removed, and an erased artifact is gone and says why."""

import os
import time
from pathlib import Path

import pytest

from sealift.sealing import Sealed, SealedArtifact, seal
from sealift.stores import artifact_ids, open_store, put_artifact
from tests.keys import key_pair
from tests.unit.command.typed import is_refused, sealift, succeeds

KEY = key_pair(0)


def put(url: str, **description: object) -> SealedArtifact:
    sealed = seal(b"plain", description, [KEY.recipient])
    put_artifact(open_store(url), sealed.artifact_id, sealed.payload, sealed.manifest)
    return sealed


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key.pem"
    file.write_text(KEY.pem)
    return file


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"file://{tmp_path / 'store'}"


def leave_payload(store_url: str, hours: float) -> Path:
    """A payload without a manifest, of this age."""
    open_store(store_url).put("payloads", "ab" * 16, b"x" * 1000)
    path = Path(store_url.removeprefix("file://")) / "payloads" / ("ab" * 16)
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


def test_only_what_is_old_and_has_no_manifest_is_removed(store_url: str) -> None:
    kept, left = put(store_url), leave_payload(store_url, hours=30)

    assert succeeds("gc", "--store", store_url, "--older-than", "2d").lines == []
    dry = succeeds("gc", "--store", store_url, "--dry-run", "--json").lines
    assert left.exists()
    done = succeeds("gc", "--store", store_url, "--json").lines

    assert dry == [{"payload": left.name, "sizeBytes": 1000, "removed": False}]
    assert done == [{"payload": left.name, "sizeBytes": 1000, "removed": True}]
    assert not left.exists() and artifact_ids(open_store(store_url)) == [kept.artifact_id]
    assert "nothing to remove" in succeeds("gc", "--store", store_url).errors


@pytest.mark.parametrize("age", ["", "1", "59m", "0d", "-1d", "1w", "1h30m"])
def test_an_age_is_at_least_one_hour(store_url: str, age: str) -> None:
    is_refused(sealift("gc", "--store", store_url, f"--older-than={age}"), "at least one hour", code=2)


def test_a_store_that_is_not_there_is_not_empty(store_url: str) -> None:
    is_refused(sealift("gc", "--store", store_url), "does not exist")


def erase(store_url: str, sealed: Sealed, *more: object) -> tuple[object, ...]:
    return ("erase", sealed.artifact_id, "--store", store_url, "--reason", "request 17", *more)


def test_an_erased_artifact_is_gone_and_every_command_says_why(store_url: str, key_file: Path) -> None:
    erased, other = put(store_url), put(store_url)

    said = succeeds(*erase(store_url, erased, "--yes", "--json")).json

    assert said["artifactId"] == erased.artifact_id and said["reason"] == "request 17"
    assert artifact_ids(open_store(store_url)) == [other.artifact_id]
    for command in ("inspect", "verify", "open"):
        more = ("-i", key_file) if command == "open" else ()
        is_refused(sealift(command, erased.artifact_id, "--store", store_url, *more), "was erased on", "request 17")
    again = succeeds("erase", erased.artifact_id, "--store", store_url, "--reason", "request 18", "--yes")
    assert "its tombstone keeps the reason: request 17" in again.errors


def test_without_consent_nothing_is_erased(store_url: str) -> None:
    sealed = put(store_url)

    is_refused(sealift(*erase(store_url, sealed)), "--yes is missing")
    assert artifact_ids(open_store(store_url)) == [sealed.artifact_id]


def test_artifacts_of_the_same_data_are_listed(store_url: str, key_file: Path) -> None:
    erased, same, other = (put(store_url, dataDigest=data) for data in ("aa", "aa", "bb"))
    report = put(store_url, of=same.artifact_id, kind="report")
    own_report = put(store_url, of=erased.artifact_id, kind="report")
    expected = sorted(one.artifact_id for one in (same, report, own_report))

    told = sealift(*erase(store_url, erased, "-i", key_file))
    assert all(one in told.errors for one in expected) and other.artifact_id not in told.errors
    assert f"{report.artifact_id} (report of {same.artifact_id})" in told.errors
    said = succeeds(*erase(store_url, erased, "-i", key_file, "--yes", "--json")).json

    assert said["derived"] == expected


def test_an_artifact_that_never_was_cannot_be_erased(store_url: str) -> None:
    put(store_url)

    for more in ((), ("--yes",)):
        ended = sealift("erase", "0" * 32, "--store", store_url, "--reason", "request 17", *more)
        is_refused(ended, "0" * 32)
