"""Our diffs, held against what the official plugin answered for the same state and the same inputs."""

import pytest

from airgap.plugins.kubernetes.checkpoint import parse
from airgap.plugins.kubernetes.diff import diff
from sealift.provider import DiffResponse
from tests.unit.airgap_kubernetes.recorded import CHANGES, needs_recordings, state, steps

KINDS = {
    ("add", False): "add",
    ("add", True): "add-replace",
    ("delete", False): "delete",
    ("delete", True): "delete-replace",
    ("update", False): "update",
    ("update", True): "update-replace",
}


def as_recorded(found: DiffResponse) -> dict[str, dict[str, object]]:
    return {
        path: {"kind": KINDS[change.kind, change.replaces], "inputDiff": change.input_diff}
        for path, change in found.detailed_diff.items()
    }


@needs_recordings
@pytest.mark.parametrize("change", CHANGES)
def test_every_step_of_a_recorded_preview_has_the_same_detailed_diff_and_reasons(change: str) -> None:
    before = state()
    compared = 0

    for urn, (inputs, step) in steps(change).items():
        old_inputs, live = parse(before[urn]["outputs"])
        found = diff(old_inputs, live, inputs)

        assert as_recorded(found) == (step.get("detailedDiff") or {}), urn
        assert found.replaces == (step.get("replaceReasons") or []), urn
        compared += bool(step.get("detailedDiff"))
    assert compared > 0


@needs_recordings
def test_what_is_autonamed_is_created_anew_before_the_old_one_goes() -> None:
    before = state()

    for urn, (inputs, _) in steps("selector").items():
        assert not diff(*parse(before[urn]["outputs"]), inputs).delete_before_replace


@needs_recordings
def test_the_recorded_state_does_not_differ_from_its_own_inputs() -> None:
    for urn, resource in state().items():
        assert diff(*parse(resource["outputs"]), resource["inputs"]).detailed_diff == {}, urn
