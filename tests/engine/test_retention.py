"""On the real engine: replaced artifacts stay by number, the way back trains nothing, and destroy leaves nothing."""

from collections.abc import Callable
from pathlib import Path

from sealift.sealing import RsaIdentity, unwrap
from sealift.stores import artifact_ids, check_log, get_manifest, open_store
from tests.engine.test_training_run import artifacts
from tests.stack import Stack
from tests.unit.stores.contract import lines

MakeStack = Callable[..., Stack]


def test_the_newest_replaced_artifact_stays_and_the_way_back_trains_nothing(
    training_stack: MakeStack, tmp_path: Path
) -> None:
    store = open_store(f"file://{tmp_path}/store")
    stack = training_stack(epochs=2)
    stack.up().ok()
    stack.set_config("retainCount", "1")
    step = stack.preview_steps()["sealift:index:TrainingRun"]
    assert list(step["detailedDiff"]) == ["retainCount"]
    assert "epoch " not in stack.up().ok().text
    made = []
    for epochs in (3, 4):
        stack.set_run(epochs=epochs)
        stack.up().ok()
        made.append(stack.outputs()["artifact_id"])
    assert len(artifact_ids(store)) == 4, "two models and their reports"
    assert set(made) < set(artifact_ids(store))

    stack.set_config("rotation", "2027")
    stack.up().ok()
    new = RsaIdentity(stack.outputs(secrets=True)["opening_keys"][0])
    assert all(unwrap(get_manifest(store, one), [new]) for one in artifact_ids(store)), "kept ones are wrapped too"

    stack.set_run(epochs=3)
    assert f"will reuse the sealed artifact {made[0]}" in stack.preview().ok().text
    assert "epoch " not in stack.up().ok().text
    assert stack.outputs()["artifact_id"] == made[0]
    assert len(artifact_ids(store)) == 4
    stack.up("--expect-no-changes").ok()

    stack.set_config("reseal", "2027")
    assert "epoch " not in stack.up().ok().text
    assert len(artifact_ids(store)) == 2 and not {*made} & {*artifact_ids(store)}, "after a compromise, none stays"

    stack.destroy().ok()
    assert artifacts(tmp_path) == []
    log = lines(store)
    assert check_log(store).damage == [] and {"refused"}.isdisjoint(one.outcome for one in log)
    for action in ("seal", "open", "rewrap", "delete"):
        ends = [one.outcome for one in log if one.action == action]
        assert ends.count("begun") == ends.count("done") > 0, action
    assert {one.artifact_id for one in log if one.action == "seal"} == {
        one.artifact_id for one in log if one.action == "delete"
    }
