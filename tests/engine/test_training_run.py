"""TrainingRun on the real engine: when it trains, what it says, what it keeps."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stack import PROJECT_ROOT, Stack
from tests.store_files import store_files

MakeStack = Callable[..., Stack]
PACKAGES = ("components", "sealift", "training")
"""Packages that a stack's program and the plugin import."""


def artifacts(home: Path) -> list[str]:
    """What the store holds, sorted: every payload, manifest and record."""
    return [str(path.relative_to(home)) for path in store_files(home / "store")]


def test_preview_trains_nothing_and_up_trains_once(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=5)

    assert stack.preview_steps()["sealift:index:TrainingRun"]["op"] == "create"
    assert not (tmp_path / "store").exists()

    up = stack.up().ok()
    outputs = stack.outputs()
    assert len(outputs["artifact_id"]) == 32
    assert outputs["epochs_run"] == 5
    assert outputs["metrics"] == "[secret]", "metrics are secret unless the stack exposes them"
    assert "epoch " in up.text, "progress shows in the engine's own display"
    assert "loss" not in up.text, "the loss is a metric"

    again = stack.up("--expect-no-changes").ok()
    assert "epoch " not in again.text
    assert stack.outputs() == outputs


def test_where_nothing_changed_neither_preview_nor_up_starts_a_training_process(
    training_stack: MakeStack, tmp_path: Path
) -> None:
    """In a copy of the project whose training process, once the model is there, does nothing but leave a mark."""
    project, mark = tmp_path / "project", tmp_path / "started"
    for package in PACKAGES:
        shutil.copytree(PROJECT_ROOT / package, project / package, ignore=shutil.ignore_patterns("__pycache__"))
    (project / "bootstrap").mkdir()
    (project / "bootstrap" / "venv").symlink_to(Stack.virtualenv())
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "rows.csv").write_text("a,y\n" + "".join(f"{at},{at * at % 31}.5\n" for at in range(40)))
    data = {"dataset": "rows.csv", "data": {"target": "y"}}
    stack = training_stack(project_root=project, epochs=2, **data)
    stack.up().ok()
    (project / "training" / "__main__.py").write_text(f"from pathlib import Path\nPath({str(mark)!r}).touch()\n")

    stack.preview("--expect-no-changes").ok()
    stack.up("--expect-no-changes").ok()
    assert not mark.exists()

    stack.set_run(epochs=3, **data)
    stack.up().failed()
    assert mark.exists(), "a run that trains starts it"


def test_no_changes_from_another_umask(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()

    stack.preview("--expect-no-changes", umask=0o077).ok()
    stack.preview("--expect-no-changes", umask=0o000).ok()


def test_a_changed_learning_rate_is_named_in_the_preview_and_trains(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    before, files = stack.outputs(), artifacts(tmp_path)

    stack.set_run(epochs=2, learning_rate=0.02)
    step = stack.preview_steps()["sealift:index:TrainingRun"]
    assert step["op"] == "update"
    assert list(step["detailedDiff"]) == ["learningRate"]
    assert artifacts(tmp_path) == files, "a preview never trains"

    stack.up().ok()
    after = stack.outputs()
    assert after["artifact_id"] != before["artifact_id"]
    assert after["content_id"] != before["content_id"]
    of_lists = 1  # the record in which the run lists its artifacts, from its first update on
    assert len(artifacts(tmp_path)) == len(files) + of_lists, "retention is delete: the replaced artifact is gone"


def test_going_back_to_an_earlier_config_is_foretold_and_trains_nothing(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("retention", "keep")
    stack.up().ok()
    first = stack.outputs()["artifact_id"]
    stack.set_run(epochs=2, learning_rate=0.02)
    assert "will train net on diabetes, because learningRate changed" in stack.preview().ok().text
    stack.up().ok()

    stack.set_run(epochs=2)
    said = stack.preview().ok().text
    assert f"will reuse the sealed artifact {first} of net on diabetes" in said
    assert "will train" not in said
    assert "epoch " not in stack.up().ok().text
    assert stack.outputs()["artifact_id"] == first


def test_settings_that_do_not_shape_the_model_train_nothing(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    before = stack.outputs()

    stack.set_run(epochs=2, expose_metrics=True, timeout_seconds=600)
    up = stack.up().ok()

    assert "epoch " not in up.text
    after = stack.outputs()
    assert after["artifact_id"] == before["artifact_id"]
    assert after["metrics"]["mse"] > 0


@pytest.mark.parametrize(
    "asked",
    [
        {"model_card": {"contact": "ada@example.org"}}, {"gates": {"metrics": {"r2": {"minimum": -9.0}}}},
        {"quality": {"maximumMissing": 0.5}}, {"model_path": "nets"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_asked_of_a_model_is_judged_and_reported_again_and_nothing_is_trained(
    training_stack: MakeStack, tmp_path: Path, asked: dict[str, Any]
) -> None:
    """Each of these changes once trained the model again."""
    stack = training_stack(epochs=2)
    (stack.folder / "nets").mkdir()
    stack.up().ok()
    before, files = stack.outputs(), artifacts(tmp_path)

    stack.set_run(epochs=2, **asked)
    said = stack.preview().ok().text
    assert (
        f"will check the sealed artifact {before['artifact_id']} of net on diabetes again and rewrite its report"
        in said
    )
    assert "without training" in said
    assert "epoch " not in stack.up().ok().text

    after = stack.outputs()
    same = ("artifact_id", "payload_digest", "manifest", "content_id")
    assert {name: after[name] for name in same if name in after} == {
        name: before[name] for name in same if name in before
    }
    of_lists = 1  # the record in which the run lists its artifacts, from its first update on
    assert len(artifacts(tmp_path)) == len(files) + of_lists, "retention is delete: the old report is gone"
    stack.preview("--expect-no-changes").ok()
    stack.destroy().ok()
    assert store_files(tmp_path / "store") == []


def test_the_same_run_after_a_destroyed_stack_with_kept_artifacts_is_bit_for_bit_the_same_model(
    training_stack: MakeStack, tmp_path: Path
) -> None:
    stack = training_stack(epochs=3)
    stack.up().ok()
    first = stack.outputs()["content_id"]
    stack.set_run(epochs=4)
    stack.up().ok()
    assert stack.outputs()["content_id"] != first

    stack.set_run(epochs=3)
    stack.up().ok()

    assert stack.outputs()["content_id"] == first


def test_destroy_with_retention_delete_leaves_an_empty_store(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    assert artifacts(tmp_path)

    stack.destroy().ok()

    assert artifacts(tmp_path) == []


def test_destroy_with_retention_keep_keeps_the_artifact(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("retention", "keep")
    stack.up().ok()
    before = artifacts(tmp_path)

    stack.destroy().ok()

    assert artifacts(tmp_path) == before


def test_refresh_shows_a_missing_artifact_as_drift_and_up_makes_it_anew(
    training_stack: MakeStack, tmp_path: Path
) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    content_id = stack.outputs()["content_id"]
    next((tmp_path / "store").glob("payloads/*")).unlink()

    refresh = stack.refresh().ok()
    assert "lost" in refresh.text

    stack.up().ok()
    assert stack.outputs()["content_id"] == content_id
    stack.up("--expect-no-changes").ok()


def test_refresh_shows_a_flipped_bit_as_drift_and_up_makes_it_anew(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    payload = next((tmp_path / "store").glob("payloads/*"))
    content = bytearray(payload.read_bytes())
    content[len(content) // 2] ^= 1
    payload.write_bytes(content)

    assert "lost" in stack.refresh().ok().text

    stack.up().ok()
    assert "lost" not in stack.refresh().ok().text


def test_ignored_changes_show_no_update(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    program = stack.folder / "__main__.py"
    ending = '(config.get_object("run") or {})})'
    ignoring = 'opts=pulumi.ResourceOptions(ignore_changes=["stopLoss", "recipients[0]", "epochs"]))'
    assert ending in program.read_text()
    program.write_text(program.read_text().replace(ending, f"{ending[:-1]}, {ignoring}"))
    stack.up().ok()

    stack.preview("--expect-no-changes").ok()
    stack.set_run(epochs=3, stop_loss=0.5)
    stack.preview("--expect-no-changes").ok()


def test_refresh_of_a_store_that_cannot_be_reached_is_an_error_and_keeps_the_resource(
    training_stack: MakeStack, tmp_path: Path
) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    (tmp_path / "store").rename(tmp_path / "unmounted")

    refresh = stack.refresh().failed()
    assert "does not exist" in refresh.text
    (tmp_path / "unmounted").rename(tmp_path / "store")

    stack.up("--expect-no-changes").ok()


def test_refresh_shows_another_manifest_as_drift_and_up_makes_the_artifact_anew(
    training_stack: MakeStack, tmp_path: Path
) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    content_id = stack.outputs()["content_id"]
    (tmp_path / "store" / "manifests" / stack.outputs()["artifact_id"]).write_bytes(b"garbage")

    assert "lost" in stack.refresh().ok().text

    stack.up().ok()
    assert stack.outputs()["content_id"] == content_id
    assert "lost" not in stack.refresh().ok().text


def test_what_cannot_be_imported_is_refused_with_a_sentence(training_stack: MakeStack) -> None:
    stack = training_stack(epochs=2)
    for kind in ("SealingKey", "TrainingRun"):
        refused = stack.run("import", "--yes", "--stack", "dev", f"sealift:index:{kind}", "k", "nonsense").failed()
        assert f"a {kind} cannot be imported" in refused.text
        assert kind not in stack.exported()
