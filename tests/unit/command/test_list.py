"""A store's artifacts are listed from their manifests, however many there are."""

import json
from pathlib import Path

import pytest

from sealift.sealing import Sealed, seal
from sealift.stores import MANIFESTS, artifact_ids, open_store, put_artifact
from tests.keys import key_pair
from tests.unit.command.typed import is_refused, sealift, succeeds


@pytest.fixture
def artifact() -> Sealed:
    return seal(b"plain", {}, [key_pair(0).recipient, key_pair(1).recipient])


def test_sizes_and_recipients_are_listed_in_the_order_of_ids(store_url: str) -> None:
    store, recipients = open_store(store_url), [key_pair(0).recipient, key_pair(1).recipient]
    made = [seal(bytes(size), {}, recipients) for size in (0, 5000, 10)]
    for one in made:
        put_artifact(store, one.artifact_id, one.payload, one.manifest)

    listed = succeeds("list", "--store", store_url, "--json").lines
    text = succeeds("list", "--store", store_url).output.decode().splitlines()

    expected = sorted(made, key=lambda one: one.artifact_id)
    assert [(one["artifactId"], one["payloadSize"], one["payloadDigest"]) for one in listed] == [
        (one.artifact_id, one.payload_size, one.payload_digest) for one in expected
    ]
    assert {tuple(one["recipients"]) for one in listed} == {tuple(one.key_id for one in recipients)}
    assert [line.split()[0] for line in text] == [one.artifact_id for one in expected]


def test_ten_thousand_artifacts_are_listed(tmp_path: Path, artifact: Sealed) -> None:
    """The manifests are copies under other ids: what is listed of each is what it says."""
    folder = tmp_path / MANIFESTS
    folder.mkdir()
    fields = json.loads(artifact.manifest)
    for number in range(10_000):
        fields["artifactId"] = f"{number:032x}"
        (folder / fields["artifactId"]).write_text(json.dumps(fields, sort_keys=True, separators=(",", ":")))

    listed = succeeds("list", "--store", f"file://{tmp_path}", "--json").lines

    assert [one["artifactId"] for one in listed] == [f"{number:032x}" for number in range(10_000)]


def test_a_damaged_manifest_has_a_line_and_exit_code_1(tmp_path: Path, artifact: Sealed) -> None:
    folder = tmp_path / MANIFESTS
    folder.mkdir()
    (folder / artifact.artifact_id).write_bytes(artifact.manifest)
    for name, content in {"0" * 32: b"{}", "1" * 32: artifact.manifest, "2" * 32: bytes(2 << 20)}.items():
        (folder / name).write_bytes(content)

    ended = sealift("list", "--store", f"file://{tmp_path}", "--json")

    said = {one["artifactId"]: one.get("error", "") for one in ended.lines}
    assert ended.code == 1 and said[artifact.artifact_id] == ""
    assert "exactly the fields" in said["0" * 32]
    assert said["1" * 32] == f"the manifest is of artifact {artifact.artifact_id}"
    assert "exceeds the limit" in said["2" * 32]


def test_an_empty_store_has_no_lines_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    assert succeeds("list", "--store", f"file://{tmp_path}").output == b""
    is_refused(sealift("list", "--store", f"file://{tmp_path}/missing"), "does not exist")
    assert artifact_ids(open_store(f"file://{tmp_path}")) == []
