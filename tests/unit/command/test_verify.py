"""Verifying reads whole artifacts and says of each whether it is intact."""

import base64
import json
from pathlib import Path

import pytest

from sealift.sealing import SealedArtifact, seal
from sealift.stores import MANIFESTS, PAYLOADS, open_store, put_artifact
from tests.keys import key_pair
from tests.unit.command.typed import is_refused, key_files, sealift, succeeds

SEGMENT = 1 << 20


def put(store_url: str, size: int) -> SealedArtifact:
    artifact = seal(bytes(size), {}, [key_pair(0).recipient])
    put_artifact(open_store(store_url), artifact.artifact_id, artifact.payload, artifact.manifest)
    return artifact


def test_intact_artifacts_of_any_store_are_intact(tmp_path: Path, store_url: str) -> None:
    ids = sorted(put(store_url, size).artifact_id for size in (0, 3 * SEGMENT))
    private, _ = key_files(tmp_path)

    without_key = succeeds("verify", "--all", "--store", store_url, "--json").lines
    with_key = succeeds("verify", *ids, "--store", store_url, "-i", private).output.decode()

    assert [(one["artifactId"], one["intact"], one["authentic"]) for one in without_key] == [
        (one, True, None) for one in ids
    ]
    assert with_key == "".join(f"{one}: intact and authentic\n" for one in ids)


@pytest.mark.parametrize("change", ["flipped", "cut", "longer", "missing"])
def test_a_damaged_payload_is_one_line_and_exit_code_1(tmp_path: Path, change: str) -> None:
    store_url = f"file://{tmp_path}/store"
    whole, damaged = put(store_url, 10), put(store_url, SEGMENT)
    file = tmp_path / "store" / PAYLOADS / damaged.artifact_id
    content = bytearray(file.read_bytes())
    if change == "flipped":
        content[-1] ^= 1
    changed = {"flipped": content, "cut": content[:-1], "longer": content + b"x"}
    file.unlink()
    if change in changed:
        file.write_bytes(changed[change])

    says = "but no payload" if change == "missing" else "the payload differs from what was sealed"
    is_refused(sealift("verify", damaged.artifact_id, "--store", store_url), damaged.artifact_id, says)
    told = sealift("verify", "--all", "--store", store_url, "--json")
    assert told.code == 1
    assert {one["artifactId"]: one["intact"] for one in told.lines} == {
        whole.artifact_id: True, damaged.artifact_id: False,
    }  # fmt: skip


def test_an_altered_manifest_shows_with_a_key_only(tmp_path: Path) -> None:
    """Whoever writes both files can change the plain fields: only the MAC tells."""
    store_url, (private, _) = f"file://{tmp_path}/store", key_files(tmp_path)
    artifact = put(store_url, 10)
    file = tmp_path / "store" / MANIFESTS / artifact.artifact_id
    fields = json.loads(file.read_bytes())
    fields["mac"] = base64.b64encode(bytes(32)).decode()
    file.write_text(json.dumps(fields, sort_keys=True, separators=(",", ":")))

    succeeds("verify", artifact.artifact_id, "--store", store_url)
    is_refused(sealift("verify", artifact.artifact_id, "--store", store_url, "-i", private), "differs")


def test_an_artifact_in_files_may_be_pinned(tmp_path: Path) -> None:
    artifact = seal(b"plain", {}, [key_pair(0).recipient])
    (tmp_path / "payload").write_bytes(artifact.payload)
    (tmp_path / "manifest").write_bytes(artifact.manifest)
    place = ("--payload", tmp_path / "payload", "--manifest", tmp_path / "manifest")

    succeeds("verify", artifact.artifact_id, *place, "--payload-digest", artifact.payload_digest)
    is_refused(sealift("verify", *place, "--payload-digest", "0" * 64), "not the expected one")
    is_refused(sealift("verify", "0" * 32, *place), "not of 000")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--store", "file:///x"), "either ids or --all"),
        (("0" * 32, "--all", "--store", "file:///x"), "either ids or --all"),
        (("--all", "--payload", "x", "--manifest", "x"), "files hold one artifact only"),
        (("0" * 32, "1" * 32, "--store", "file:///x", "--payload-digest", "0" * 64), "one artifact"),
    ],
)
def test_a_wrong_command_line_ends_with_2(arguments: tuple[str, ...], says: str) -> None:
    is_refused(sealift("verify", *arguments), says, code=2)


def test_a_store_that_is_not_there_is_said_once(tmp_path: Path) -> None:
    ended = sealift("verify", "--all", "--store", f"file://{tmp_path}/missing")

    is_refused(ended, "does not exist")
    assert ended.errors.count("error:") == 1
