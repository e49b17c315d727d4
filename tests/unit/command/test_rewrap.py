"""Artifacts of a store get other recipients, while their payloads stay, and no process undoes another's change."""

import subprocess
from pathlib import Path

import pytest

from sealift.rewrapping import change_recipients, with_and_without
from sealift.sealing import SealedArtifact, recipient_ids, seal, unwrap
from sealift.stores import MANIFESTS, get_manifest, get_payload, open_store, put_artifact
from tests.keys import key_pair
from tests.unit.command.typed import SEALIFT, environment, is_refused, key_files, sealift, succeeds

OLD, NEW, OTHER = 0, 1, 2
IDS = [key_pair(number).key_id for number in (OLD, NEW, OTHER)]


def put(store_url: str, *keys: int) -> SealedArtifact:
    artifact = seal(b"plain", {}, [key_pair(number).recipient for number in keys])
    put_artifact(open_store(store_url), artifact.artifact_id, artifact.payload, artifact.manifest)
    return artifact


def ids(store_url: str, artifact: SealedArtifact) -> frozenset[str]:
    return recipient_ids(get_manifest(open_store(store_url), artifact.artifact_id))


def test_every_artifact_of_a_store_gets_exactly_the_new_recipients(tmp_path: Path, store_url: str) -> None:
    made = sorted([put(store_url, OLD), put(store_url, OLD, OTHER)], key=lambda one: one.artifact_id)
    (old, _), (new, new_public) = key_files(tmp_path, OLD), key_files(tmp_path, NEW)
    command = ("rewrap", "--all", "--store", store_url, "-r", new_public, "--json")

    told = succeeds(*command, "-i", old).lines

    assert told == [{"artifactId": one.artifact_id, "changed": True, "recipients": [IDS[NEW]]} for one in made]
    for one in made:
        store = open_store(store_url)
        assert get_payload(store, one.artifact_id) == one.payload
        assert unwrap(get_manifest(store, one.artifact_id), [key_pair(NEW)]) == unwrap(one.manifest, [key_pair(OLD)])
    assert [one["changed"] for one in succeeds(*command, "-i", new).lines] == [False, False]
    opened = succeeds("open", made[0].artifact_id, "--store", store_url, "-i", new)
    assert opened.output == b"plain"
    is_refused(sealift("open", made[0].artifact_id, "--store", store_url, "-i", old), "no given private key")


def test_recipients_are_added_and_removed_while_the_others_keep_their_stanzas(tmp_path: Path) -> None:
    store_url = f"file://{tmp_path}/store"
    artifact = put(store_url, OLD, OTHER)
    (old, old_public), (_, new_public) = key_files(tmp_path, OLD), key_files(tmp_path, NEW)
    place = ("rewrap", artifact.artifact_id, "--store", store_url)

    assert b"3 recipients" in succeeds(*place, "-i", old, "--add", new_public).output
    assert ids(store_url, artifact) == set(IDS)
    succeeds(*place, "-i", old, "--remove", IDS[NEW])
    assert ids(store_url, artifact) == {IDS[OLD], IDS[OTHER]}
    succeeds(*place, "-i", old, "--remove", old_public, "--add", new_public)
    assert ids(store_url, artifact) == {IDS[NEW], IDS[OTHER]}
    manifest = get_manifest(open_store(store_url), artifact.artifact_id)
    assert unwrap(manifest, [key_pair(OTHER)]) == unwrap(artifact.manifest, [key_pair(OTHER)])


def test_the_last_recipient_stays(tmp_path: Path) -> None:
    store_url, (old, _) = f"file://{tmp_path}/store", key_files(tmp_path, OLD)
    artifact = put(store_url, OLD)

    ended = sealift("rewrap", "--all", "--store", store_url, "-i", old, "--remove", IDS[OLD])

    is_refused(ended, artifact.artifact_id, "no recipient left")
    assert get_manifest(open_store(store_url), artifact.artifact_id) == artifact.manifest


def test_an_artifact_that_no_key_opens_is_said_and_the_others_are_changed(tmp_path: Path) -> None:
    store_url, (old, _), (_, new_public) = f"file://{tmp_path}/store", key_files(tmp_path), key_files(tmp_path, NEW)
    mine, foreign = put(store_url, OLD), put(store_url, OTHER)

    ended = sealift("rewrap", "--all", "--store", store_url, "-i", old, "--add", new_public, "--json")

    assert ended.code == 1
    assert {one["artifactId"]: one["changed"] for one in ended.lines} == {
        mine.artifact_id: True, foreign.artifact_id: False,
    }  # fmt: skip
    assert ids(store_url, foreign) == {IDS[OTHER]}


def test_processes_that_change_one_artifact_at_once_lose_nothing(tmp_path: Path) -> None:
    store_url = f"file://{tmp_path}/store"
    artifact = put(store_url, OLD)
    old, _ = key_files(tmp_path, OLD)
    public = [key_files(tmp_path, number)[1] for number in (NEW, OTHER)]
    command = [*SEALIFT, "rewrap", "--all", "--store", store_url, "-i", str(old), "--add"]

    running = [subprocess.Popen([*command, str(one)], env=environment()) for one in public]

    assert [process.wait(timeout=60) for process in running] == [0, 0]
    assert ids(store_url, artifact) == set(IDS)


def test_a_change_that_another_process_overtakes_is_made_to_its_manifest(tmp_path: Path) -> None:
    """The other change comes between our reading and our writing."""
    store_url = f"file://{tmp_path}/store"
    artifact, store = put(store_url, OLD), open_store(store_url)
    overtaken = list[str]()

    def find_data_key(manifest: bytes) -> bytes:
        data_key = unwrap(manifest, [key_pair(OLD)])
        if not overtaken:
            overtaken.append("once")
            theirs = with_and_without([key_pair(OTHER).recipient], ())(manifest, data_key, None)
            store.swap(MANIFESTS, artifact.artifact_id, theirs, store.read(MANIFESTS, artifact.artifact_id).version)
        return data_key

    ours = with_and_without([key_pair(NEW).recipient], ())
    manifest, changed = change_recipients(store, artifact.artifact_id, find_data_key, ours)

    assert changed and recipient_ids(manifest) == set(IDS) == ids(store_url, artifact)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--all",), "missing or double"),
        (("--all", "-r", "x", "--add", "x"), "missing or double"),
        (("--remove", "0" * 64), "either ids or --all"),
    ],
)
def test_a_wrong_command_line_ends_with_2(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    is_refused(sealift("rewrap", *arguments, "--store", f"file://{tmp_path}", "-i", "x"), says, code=2)


def test_an_artifact_that_is_not_there_is_named(tmp_path: Path) -> None:
    old, public = key_files(tmp_path)

    ended = sealift("rewrap", "0" * 32, "--store", f"file://{tmp_path}/store", "-i", old, "--add", public)

    is_refused(ended, "0" * 32, "sealift list")
