"""A manifest's plain fields need no key; the description and a proof that they are authentic do."""

import json
from pathlib import Path

import pytest

from sealift.sealing import seal
from tests.keys import key_pair
from tests.unit.command.typed import is_refused, key_files, sealift, succeeds

DESCRIPTION = {"name": "digits\u001b[31m", "inputs": [1]}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    artifact = seal(b"plain", DESCRIPTION, [key_pair(0).recipient, key_pair(1).recipient], "0123456789abcdef" * 2)
    file = tmp_path / "model.manifest"
    file.write_bytes(artifact.manifest)
    return file


def test_without_a_key_the_plain_fields_are_shown_as_not_authenticated(manifest: Path) -> None:
    told = succeeds("inspect", "--manifest", manifest, "--json").json

    plain = json.loads(manifest.read_bytes())
    assert told == {
        "artifactId": plain["artifactId"], "formatVersion": plain["version"], "payloadSize": plain["payloadSize"],
        "payloadDigest": plain["payloadDigest"], "authentic": None, "description": None,
        "recipients": [{"kind": one["kind"], "keyId": one["keyId"]} for one in plain["recipients"]],
    }  # fmt: skip
    text = succeeds("inspect", "--manifest", manifest).output.decode()
    assert "authentic: not known without a key" in text and "description: encrypted" in text
    assert key_pair(0).key_id in text and key_pair(1).key_id in text


def test_a_key_shows_the_description_without_control_characters(tmp_path: Path, manifest: Path) -> None:
    private, _ = key_files(tmp_path)

    told = succeeds("inspect", "--manifest", manifest, "-i", private, "--json").json
    text = succeeds("inspect", "--manifest", manifest, "-i", private).output

    assert told["authentic"] is True and told["description"] == DESCRIPTION
    assert b"authentic: yes" in text and b"\\u001b[31m" in text and b"\x1b" not in text


def test_an_altered_manifest_is_refused_with_a_key(tmp_path: Path, manifest: Path) -> None:
    private, _ = key_files(tmp_path)
    fields = json.loads(manifest.read_bytes())
    fields["payloadSize"] += 1
    manifest.write_text(json.dumps(fields, sort_keys=True, separators=(",", ":")))

    assert succeeds("inspect", "--manifest", manifest, "--json").json["payloadSize"] == fields["payloadSize"]
    is_refused(sealift("inspect", "--manifest", manifest, "-i", private), "differs from what was sealed")


def test_what_is_no_manifest_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other"
    file.write_bytes(b"\x80\x02pickle")

    ended = sealift("inspect", "--manifest", file)

    assert ended.code == 1 and "the manifest is not valid JSON" in ended.errors
