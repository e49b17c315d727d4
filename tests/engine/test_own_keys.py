"""On the real engine: with `keysUrl`, each artifact has a key-encryption key of its own, and an erasure destroys it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sealift.own_keys import unwrap_with
from sealift.sealing import RsaIdentity, has_own_key, open_artifact, parse_key
from sealift.stores import ArtifactErased, Store, artifact_ids, get_manifest, get_payload, open_store
from sealift.stores.store import KEYS
from tests.stack import Stack
from tests.unit.command.typed import is_refused, sealift, succeeds

MakeStack = Callable[..., Stack]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path}/store", f"file://{tmp_path}/keys")


def key_names(store: Store) -> list[str]:
    assert store.keys is not None
    return store.keys.names(KEYS)


def private_key(stack: Stack) -> RsaIdentity:
    return RsaIdentity(stack.outputs(secrets=True)["opening_keys"][0])


def test_a_run_with_own_keys_lives_and_its_erasure_is_final(
    training_stack: MakeStack, store: Store, tmp_path: Path
) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("keysUrl", f"file://{tmp_path}/keys")
    stack.up().ok()
    stack.up("--expect-no-changes").ok()
    outputs = stack.outputs(secrets=True)
    first, manifest = outputs["artifact_id"], outputs["manifest"].encode()
    assert key_names(store) == artifact_ids(store) and len(key_names(store)) == 2, "the model and its report"
    assert all(has_own_key(get_manifest(store, one)) for one in key_names(store))
    data_key = parse_key(outputs["data_key"])
    assert isinstance(data_key, bytes), "a server gets it, and needs neither a private key nor the store of keys"
    assert open_artifact(
        manifest, get_payload(store, first), data_key, artifact_id=first, payload_digest=outputs["payload_digest"]
    ).model

    stack.set_config("rotation", "2027")
    assert "epoch " not in stack.up().ok().text
    rotated = stack.outputs(secrets=True)
    assert (rotated["artifact_id"], rotated["data_key"]) == (first, outputs["data_key"])
    assert unwrap_with(get_manifest(store, first), [private_key(stack)], store.keys) == data_key

    shutil.copytree(tmp_path / "store", tmp_path / "backup")
    pem = tmp_path / "key.pem"
    pem.write_text(rotated["opening_keys"][0])
    copied = (first, "--store", f"file://{tmp_path}/backup", "--keys", f"file://{tmp_path}/keys", "-i", pem)
    assert succeeds("open", *copied).output
    where = ("--store", f"file://{tmp_path}/store", "--keys", f"file://{tmp_path}/keys")
    succeeds("erase", first, *where, "--reason", "request 17", "--yes")
    is_refused(sealift("open", *copied), first, "was erased on", "request 17")
    with pytest.raises(ArtifactErased, match="request 17"):
        unwrap_with(manifest, [private_key(stack)], store.keys)

    assert "request 17" in stack.refresh().ok().text
    stack.up().ok()
    assert stack.outputs()["artifact_id"] != first and first not in key_names(store)
    assert key_names(store) == artifact_ids(store)
    stack.destroy().ok()
    assert key_names(store) == artifact_ids(store) == []


def test_what_is_sealed_again_or_replaced_takes_its_key_along(
    training_stack: MakeStack, store: Store, tmp_path: Path
) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("keysUrl", f"file://{tmp_path}/keys")
    stack.up().ok()
    before = key_names(store)

    stack.set_config("reseal", "2027")
    assert "epoch " not in stack.up().ok().text
    resealed = key_names(store)
    assert resealed == artifact_ids(store) and not {*resealed} & {*before}
    stack.set_run(epochs=3)
    stack.up().ok()

    assert key_names(store) == artifact_ids(store) and not {*key_names(store)} & {*resealed}
    stack.set_run(epochs=3, gates={"metrics": {"r2": {"minimum": -1000}}})
    assert "epoch " not in stack.up().ok().text
    assert key_names(store) == artifact_ids(store)


def test_the_setting_is_for_new_artifacts_and_stays_as_long_as_one_needs_it(
    training_stack: MakeStack, store: Store, tmp_path: Path
) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    plain = stack.outputs()["artifact_id"]

    stack.set_config("keysUrl", f"file://{tmp_path}/store/keys")
    refused = stack.preview().failed().text
    assert "keysUrl" in refused and "in one another" in refused
    stack.set_config("keysUrl", f"file://{tmp_path}/keys")
    stack.up().ok()
    assert (stack.outputs()["artifact_id"], stack.outputs(secrets=True).get("data_key")) == (plain, None)
    assert not has_own_key(get_manifest(store, plain))
    stack.set_run(epochs=3)
    stack.up().ok()
    assert len(key_names(store)) == 2

    stack.run("config", "rm", "keysUrl").ok()
    for ran in (stack.preview(), stack.up()):
        assert "keysUrl is not set" in ran.failed().text and "retrainTrigger" in ran.text
    stack.set_run(epochs=3, retrainTrigger="without keys")
    stack.up().ok()
    assert not has_own_key(get_manifest(store, stack.outputs()["artifact_id"]))


def test_another_store_of_keys_is_for_new_artifacts(training_stack: MakeStack, store: Store, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("keysUrl", f"file://{tmp_path}/keys")
    stack.up().ok()
    before = stack.outputs(secrets=True)

    (tmp_path / "later").mkdir()
    stack.set_config("keysUrl", f"file://{tmp_path}/later")
    assert "epoch " not in stack.up().ok().text
    assert "lost" not in stack.refresh().ok().text
    stack.up("--expect-no-changes").ok()
    after = stack.outputs(secrets=True)
    assert [after[name] for name in ("artifact_id", "data_key")] == [
        before[name] for name in ("artifact_id", "data_key")
    ]
    stack.set_config("rotation", "2027")
    refused = stack.up().failed().text
    assert f"is gone from {tmp_path}/later" in refused and "give the store of keys" in refused
    stack.set_config("keysUrl", f"file://{tmp_path}/keys")
    assert "epoch " not in stack.up().ok().text

    assert unwrap_with(get_manifest(store, before["artifact_id"]), [private_key(stack)], store.keys)
