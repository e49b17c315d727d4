"""A run whose gates refuse its model leaves a report, and what the stack has stays."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.stack import Stack
from tests.store_files import store_files

MakeStack = Callable[..., Stack]
STRICT = {"metrics": {"r2": {"minimum": 0.99}}}


def test_a_refused_run_leaves_its_report_beside_outputs_that_stay(training_stack: MakeStack, tmp_path: Path) -> None:
    """Until the next report is sealed, which takes its place."""
    stack = training_stack(epochs=2, expose_metrics=True)
    stack.up().ok()
    before = stack.outputs()
    noted = stack.folder / ".sealift" / "refused-reports" / "dev" / "training.json"
    assert not noted.exists()

    stack.set_run(epochs=3, expose_metrics=True, gates=STRICT)
    said = stack.up().failed().text

    assert "r2 is" in said
    assert "all metrics of the held-out rows: mse" in said
    assert "`make report STACK=dev` shows the report of this run" in said
    report = json.loads(noted.read_text())
    payloads = tmp_path / "store" / "payloads"
    assert (payloads / report["artifactId"]).exists()
    assert stack.outputs() == before

    stack.set_run(epochs=3, expose_metrics=True)
    stack.up().ok()
    assert not noted.exists()
    assert not (payloads / report["artifactId"]).exists()


def test_a_gate_that_the_served_model_does_not_meet_fails_the_update_and_it_stays(
    training_stack: MakeStack, tmp_path: Path
) -> None:
    """It is refused without training, and once the gate is gone nothing is trained either."""
    stack = training_stack(epochs=2, expose_metrics=True)
    stack.up().ok()
    before = stack.outputs()

    stack.set_run(epochs=2, expose_metrics=True, gates=STRICT)
    said = stack.up().failed().text
    assert "the gates refuse the model: r2 is" in said
    assert "epoch " not in said
    assert stack.outputs() == before

    stack.set_run(epochs=2, expose_metrics=True, model_card={"contact": "ada@example.org"})
    assert "epoch " not in stack.up().ok().text
    assert stack.outputs()["artifact_id"] == before["artifact_id"]
    assert len(list((tmp_path / "store" / "payloads").iterdir())) == 2, "the model and the one report of it"


def test_of_a_first_run_that_was_refused_destroy_leaves_nothing(training_stack: MakeStack, tmp_path: Path) -> None:
    """The engine keeps no resource whose creation failed, so it deletes none."""
    stack = training_stack(epochs=2, expose_metrics=True, gates=STRICT)
    stack.up().failed()
    assert any((tmp_path / "store" / "payloads").iterdir())

    said = stack.destroy().ok().text

    assert "only this key opens" not in said
    assert store_files(tmp_path / "store") == []
    assert not any((stack.folder / ".sealift" / "refused-reports").rglob("*.json"))
