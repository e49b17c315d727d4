"""On the real engine: no rename, replacement, twin or other spelling destroys an artifact that is still used."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.stack import Stack

MakeStack = Callable[..., Stack]
TWIN = """
TrainingRun("twin", {**wiring, **(config.get_object("run") or {})})
"""


def payloads(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "store" / "payloads").iterdir())


def edit(stack: Stack, old: str, new: str) -> None:
    program = stack.folder / "__main__.py"
    text = program.read_text()
    assert old in text
    program.write_text(text.replace(old, new))


def test_a_renamed_run_keeps_its_artifact(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    artifact, held = stack.outputs()["artifact_id"], payloads(tmp_path)

    edit(stack, 'TrainingRun("training"', 'TrainingRun("renamed"')
    stack.up().ok()

    assert stack.outputs()["artifact_id"] == artifact
    assert payloads(tmp_path) == held
    assert "lost" not in stack.refresh().ok().text
    stack.destroy().ok()
    assert payloads(tmp_path) == []


def test_up_replace_keeps_the_artifact(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    held = payloads(tmp_path)

    stack.up("--replace", "urn:pulumi:dev::engine-test::sealift:index:TrainingRun::training").ok()

    assert payloads(tmp_path) == held
    assert "lost" not in stack.refresh().ok().text


def test_of_two_identical_runs_one_can_go(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    program = stack.folder / "__main__.py"
    alone = program.read_text()
    program.write_text(alone + TWIN)
    stack.up().ok()
    held = payloads(tmp_path)

    program.write_text(alone)
    stack.up().ok()

    assert payloads(tmp_path) == held
    assert "lost" not in stack.refresh().ok().text


def test_another_spelling_of_the_store_s_url_changes_nothing(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    held = payloads(tmp_path)

    stack.set_config("storeUrl", f"file://{tmp_path}/other/../store/")
    steps = stack.preview_steps()
    stack.up().ok()

    assert "sealift:index:TrainingRun" not in steps
    assert payloads(tmp_path) == held


def test_a_relative_store_is_the_project_s_for_all_who_use_it(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.set_config("storeUrl", "file://store")
    stack.up().ok()

    assert payloads(stack.folder) != []
    assert "lost" not in stack.refresh().ok().text
    stack.up("--expect-no-changes").ok()
    stack.destroy().ok()
    assert payloads(stack.folder) == []


def test_a_renamed_stack_deletes_what_it_made_before(training_stack: MakeStack, tmp_path: Path) -> None:
    stack = training_stack(epochs=2)
    stack.up().ok()
    assert payloads(tmp_path) != []

    stack.run("stack", "rename", "-s", "dev", "after").ok()
    replace(stack, name="after").destroy().ok()

    assert payloads(tmp_path) == []
