"""On the real engine: after a compromise the model is sealed again, under another data key, and nothing is trained."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sealift.sealing import RsaIdentity, open_artifact, unwrap
from sealift.stores import Store, artifact_ids, get_manifest, get_payload, open_store
from tests.stack import Stack

MakeStack = Callable[..., Stack]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path}/store")


def model_of(stack: Stack, store: Store) -> bytes:
    outputs = stack.outputs(secrets=True)
    pins = {name: outputs[name] for name in ("artifact_id", "payload_digest")}
    key = RsaIdentity(outputs["opening_keys"][0])
    payload = get_payload(store, pins["artifact_id"])
    return bytes(open_artifact(outputs["manifest"].encode(), payload, key, **pins).model)


def test_the_model_is_sealed_again_and_the_old_artifact_goes(training_stack: MakeStack, store: Store) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("retention", "keep")
    stack.up().ok()
    before, model, ids = stack.outputs(), model_of(stack, store), artifact_ids(store)
    key = RsaIdentity(stack.outputs(secrets=True)["opening_keys"][0])
    old_key = unwrap(get_manifest(store, before["artifact_id"]), [key])

    stack.set_config("reseal", "2027")
    step = stack.preview_steps()["sealift:index:TrainingRun"]
    assert list(step["detailedDiff"]) == ["reseal"]
    preview = stack.preview().ok().text
    assert "under a new data key, without training" in preview
    up = stack.up().ok()

    after = stack.outputs()
    assert "epoch " not in up.text
    assert after["content_id"] == before["content_id"]
    for name in ("artifact_id", "payload_digest", "manifest"):
        assert after[name] != before[name]
    assert model_of(stack, store) == model
    assert unwrap(after["manifest"].encode(), [key]) != old_key
    assert len(artifact_ids(store)) == 2 and not {*artifact_ids(store)} & {*ids}, "the model and its report"
    stack.up("--expect-no-changes").ok()
    assert "lost" not in stack.refresh().ok().text


def test_rotating_the_key_at_the_same_time_leaves_nothing_to_the_old_one(
    training_stack: MakeStack, store: Store
) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    old = RsaIdentity(stack.outputs(secrets=True)["opening_keys"][0])

    stack.set_config("rotation", "2027")
    stack.set_config("reseal", "2027")
    assert "epoch " not in stack.up().ok().text

    new = RsaIdentity(stack.outputs(secrets=True)["opening_keys"][0])
    for artifact_id in artifact_ids(store):
        manifest = get_manifest(store, artifact_id)
        assert unwrap(manifest, [new])
        with pytest.raises(Exception, match="no given private key"):
            unwrap(manifest, [old])


def test_a_resealed_model_is_judged_again_without_training(training_stack: MakeStack, store: Store) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    stack.set_config("reseal", "2027")
    stack.up().ok()
    resealed = stack.outputs()["artifact_id"]

    stack.set_run(epochs=2, gates={"metrics": {"r2": {"minimum": -1000}}})
    assert "epoch " not in stack.up().ok().text

    assert stack.outputs()["artifact_id"] == resealed


def test_gates_and_data_keys_may_change_at_once(training_stack: MakeStack, store: Store) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    before = stack.outputs()["artifact_id"]

    stack.set_config("reseal", "2027")
    stack.set_run(epochs=2, gates={"metrics": {"r2": {"minimum": -1000}}})
    assert "epoch " not in stack.up().ok().text

    assert stack.outputs()["artifact_id"] != before
    assert len(artifact_ids(store)) == 2
    stack.up("--expect-no-changes").ok()
