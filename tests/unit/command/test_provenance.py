"""`sealift provenance` writes what an artifact says, and `sealift verify --provenance` compares it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from sealift.sealing import SealedArtifact, seal
from sealift.stores import PAYLOADS, open_store, put_artifact
from tests.keys import key_pair
from tests.unit.command.typed import is_refused, key_files, sealift, succeeds

DESCRIPTION: dict[str, Any] = {"version": 2, "task": "regression", "metrics": {"mae": 1.5}, "dataDigest": "a" * 64}


def put(store_url: str, description: dict[str, Any] = DESCRIPTION) -> SealedArtifact:
    artifact = seal(b"plain", description, [key_pair(0).recipient])
    put_artifact(open_store(store_url), artifact.artifact_id, artifact.payload, artifact.manifest)
    return artifact


@pytest.mark.parametrize("form", ["slsa", "cyclonedx"])
def test_a_written_document_is_the_artifacts_own(tmp_path: Path, store_url: str, form: str) -> None:
    artifact, (private, _) = put(store_url), key_files(tmp_path)
    place = (artifact.artifact_id, "--store", store_url, "-i", private)

    succeeds("provenance", *place, "--format", form, "-o", tmp_path / "document.json")

    text = (tmp_path / "document.json").read_text()
    assert hashlib.sha256(artifact.payload).hexdigest() in text and artifact.payload_digest in text
    assert "mae" in text and "a" * 64 in text
    verified = succeeds("verify", *place, "--provenance", tmp_path / "document.json").output.decode()
    assert verified == f"{artifact.artifact_id}: intact and authentic, as {tmp_path}/document.json says\n"


def test_a_document_goes_to_standard_output_as_one_line_with_json(tmp_path: Path, store_url: str) -> None:
    artifact, (private, _) = put(store_url), key_files(tmp_path)

    ended = succeeds("provenance", artifact.artifact_id, "--store", store_url, "-i", private, "--json")

    assert [one["predicateType"] for one in ended.lines] == ["https://slsa.dev/provenance/v1"]


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["predicate"]["runDetails"]["byproducts"][0]["annotations"]["metrics"].update(mae=1.4),
        lambda one: one["subject"][0]["digest"].update(sha256="0" * 64),
        lambda one: one.update(more=1),
        lambda one: one.pop("_type"),
    ],
)
def test_an_altered_document_is_refused(tmp_path: Path, store_url: str, change: Any) -> None:
    artifact, (private, _) = put(store_url), key_files(tmp_path)
    place = (artifact.artifact_id, "--store", store_url, "-i", private)
    document = succeeds("provenance", *place, "--json").json
    change(document)
    (tmp_path / "altered.json").write_text(json.dumps(document))

    is_refused(sealift("verify", *place, "--provenance", tmp_path / "altered.json"), "says something else")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"subject": ', '"subject": "a lie", "subject": '),  # other programs may read the first one
        ('"mae": ', '"mae": 0.5, "mae": '),
        ("1.5", "NaN"),
    ],
)
def test_a_document_that_others_could_read_in_another_way_is_refused(tmp_path: Path, old: str, new: str) -> None:
    store_url, (private, _) = f"file://{tmp_path}/store", key_files(tmp_path)
    artifact = put(store_url)
    place = (artifact.artifact_id, "--store", store_url, "-i", private)
    text = succeeds("provenance", *place, "--json").output.decode()
    assert text.count(old) == 1
    (tmp_path / "altered.json").write_text(text.replace(old, new))

    is_refused(sealift("verify", *place, "--provenance", tmp_path / "altered.json"), "is no document about an artifact")


def test_numbers_that_json_does_not_have_are_written_as_texts(tmp_path: Path) -> None:
    store_url, (private, _) = f"file://{tmp_path}/store", key_files(tmp_path)
    artifact = put(store_url, {**DESCRIPTION, "metrics": {"r2": "NaN"}})
    place = (artifact.artifact_id, "--store", store_url, "-i", private)

    succeeds("provenance", *place, "-o", tmp_path / "document.json")

    document = json.loads((tmp_path / "document.json").read_text(), parse_constant=pytest.fail)
    assert document["predicate"]["runDetails"]["byproducts"][0]["annotations"]["metrics"] == {"r2": "NaN"}
    succeeds("verify", *place, "--provenance", tmp_path / "document.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b"x" * ((1 << 22) + 1)])
def test_other_files_are_no_documents(tmp_path: Path, store_url: str, content: bytes) -> None:
    artifact, (private, _) = put(store_url), key_files(tmp_path)
    (tmp_path / "other").write_bytes(content)

    ended = sealift(
        "verify", artifact.artifact_id, "--store", store_url, "-i", private, "--provenance", tmp_path / "other"
    )

    is_refused(ended, "is no document about an artifact")


def test_there_is_no_document_about_a_damaged_or_a_foreign_artifact(tmp_path: Path) -> None:
    store_url, (private, _) = f"file://{tmp_path}/store", key_files(tmp_path)
    damaged, foreign = put(store_url), put(store_url, {"version": 2, "metrics": "good"})
    file = tmp_path / "store" / PAYLOADS / damaged.artifact_id
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)

    place = ("--store", store_url, "-i", private)
    is_refused(sealift("provenance", damaged.artifact_id, *place), "differs from what was sealed")
    is_refused(sealift("provenance", foreign.artifact_id, *place), "not one that training wrote")
    is_refused(sealift("verify", damaged.artifact_id, "--store", store_url, "--provenance", file), "needs", code=2)
