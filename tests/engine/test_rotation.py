"""On the real engine: a rotated key trains nothing and loses nothing; what is kept can be opened."""

from collections.abc import Callable
from pathlib import Path

from sealift.sealing import RsaIdentity, describe
from sealift.stores import get_manifest, open_store
from tests.stack import Stack

MakeStack = Callable[..., Stack]


def keys(stack: Stack) -> list[RsaIdentity]:
    return [RsaIdentity(pem) for pem in stack.outputs(secrets=True)["opening_keys"]]


def test_a_rotation_wraps_the_artifact_for_the_new_key_and_trains_nothing(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    before, old = stack.outputs(), keys(stack)

    stack.set_config("rotation", "2027")
    step = stack.preview_steps()["sealift:index:TrainingRun"]
    assert list(step["detailedDiff"]) == ["openingKeys", "recipients"]
    preview = stack.preview().ok().text
    assert "without training" in preview
    assert "artifact_id" not in preview, "the preview knows that the artifact stays"
    up = stack.up().ok()

    after, new = stack.outputs(), keys(stack)
    assert "epoch " not in up.text
    for name in ("artifact_id", "content_id", "payload_digest"):
        assert after[name] == before[name]
    assert new[0].key_id != old[0].key_id and new[1].key_id == old[0].key_id
    assert describe(after["manifest"].encode(), new[0])["task"] == "regression"
    stack.up("--expect-no-changes").ok()
    assert "lost" not in stack.refresh().ok().text


def test_a_rename_after_a_rotation_trains_nothing(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    artifact = stack.outputs()["artifact_id"]
    stack.set_config("rotation", "2027")
    stack.up().ok()

    program = stack.folder / "__main__.py"
    program.write_text(program.read_text().replace('TrainingRun("training"', 'TrainingRun("renamed"'))
    stack.up().ok()

    assert stack.outputs()["artifact_id"] == artifact
    assert "lost" not in stack.refresh().ok().text


def test_an_artifact_that_was_kept_can_be_opened_after_a_rotation(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("retention", "keep")
    stack.up().ok()
    kept = stack.outputs()["artifact_id"]
    stack.set_run(epochs=3)
    stack.up().ok()
    stack.set_config("rotation", "2027")
    stack.up().ok()

    manifest = get_manifest(open_store(f"file://{tmp_path}/store"), kept)

    assert describe(manifest, keys(stack)[1])["task"] == "regression"


def test_destroy_warns_before_the_only_key_of_a_kept_artifact_goes(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("retention", "keep")
    stack.up().ok()

    assert "only this stack's key opens it" in stack.destroy().ok().text


def test_a_recovery_key_of_the_user_s_opens_what_a_destroyed_stack_kept(
    training_stack: MakeStack, tmp_path: Path
) -> None:
    recovery = RsaIdentity.generate()
    stack = training_stack(epochs=2)
    stack.set_config("retention", "keep")
    stack.set_config("recipients", [recovery.recipient.pem])
    stack.up().ok()
    kept = stack.outputs()["artifact_id"]

    destroyed = stack.destroy().ok()

    assert "only this stack's key" not in destroyed.text
    manifest = get_manifest(open_store(f"file://{tmp_path}/store"), kept)
    assert describe(manifest, recovery)["task"] == "regression"


def test_a_renamed_store_keeps_the_key_that_kept_artifacts_need(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("retention", "keep")
    stack.up().ok()
    artifact, held = stack.outputs()["artifact_id"], keys(stack)
    program = stack.folder / "__main__.py"
    renamed = program.read_text().replace('EncryptedArtifactStore("store", ', 'EncryptedArtifactStore("renamed", ')

    program.write_text(renamed)
    assert "pulumi.Alias(name=" in stack.preview().ok().text
    for _ in range(2):
        said = " ".join(stack.up().failed().text.split())
        assert "only this key opens 2 artifacts" in said, "the model and its report"
        assert artifact in said
    assert (
        held[0].pem.splitlines()[1] in stack.run("stack", "export", "--show-secrets", "--stack", stack.name).ok().text
    )


def test_an_alias_keeps_the_key_of_a_renamed_store(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("retention", "keep")
    stack.up().ok()
    artifact, held = stack.outputs()["artifact_id"], keys(stack)
    program = stack.folder / "__main__.py"
    alias = 'pulumi.ResourceOptions(aliases=[pulumi.Alias(name="store")])'
    text = program.read_text().replace('EncryptedArtifactStore("store", ', 'EncryptedArtifactStore("renamed", ')
    program.write_text(
        text.replace('config.get_object("recipients") or []})', f'config.get_object("recipients") or []}}, {alias})')
    )

    preview = stack.preview().ok().text
    stack.up().ok()

    assert "new key cannot open" not in preview
    assert [key.key_id for key in keys(stack)] == [key.key_id for key in held]
    assert stack.outputs()["artifact_id"] == artifact
