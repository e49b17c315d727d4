"""Whose field is whose: the first update takes over what creation set; ignored fields stay as they are."""

import copy
from typing import Any

import pytest

from airgap.plugins.kubernetes.field_managers import must_force, takeover_patch
from airgap.plugins.kubernetes.objects import Object
from airgap.plugins.kubernetes.resource import keep_ignored

OWN = "pulumi-kubernetes-0badcafe"


def entry(manager: str, operation: str, fields: Object, subresource: str = "") -> Object:
    found: Object = {"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": fields}
    return found | ({"subresource": subresource} if subresource else {})


def live(*entries: Object, **metadata: Any) -> Object:
    return {"metadata": {"name": "m", "resourceVersion": "7", "managedFields": list(entries), **metadata}}


CREATED = entry("pulumi-kubernetes", "Update", {"f:spec": {"f:replicas": {}, "f:paused": {}}})
CONTROLLER = entry("kube-controller-manager", "Update", {"f:status": {}}, subresource="status")


def test_what_creation_set_becomes_the_resource_s_own() -> None:
    managers, version = takeover_patch(live(CREATED, CONTROLLER), OWN)

    assert managers["value"] == [CONTROLLER, {**CREATED, "manager": OWN, "operation": "Apply"}]
    assert (managers["op"], managers["path"]) == ("replace", "/metadata/managedFields")
    assert version == {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}


def test_several_managers_are_taken_over_as_one() -> None:
    own = entry(OWN, "Apply", {"f:spec": {"f:selector": {}}})
    kubectl = entry("kubectl-client-side-apply", "Update", {"f:metadata": {"f:labels": {"f:a": {}}}})
    before = live(own, CREATED, kubectl, CONTROLLER)
    untouched = copy.deepcopy(before)

    patch = takeover_patch(before, OWN)

    expected = {"f:spec": {"f:selector": {}, "f:replicas": {}, "f:paused": {}}, "f:metadata": {"f:labels": {"f:a": {}}}}
    assert patch[0]["value"] == [CONTROLLER, {**own, "fieldsV1": expected}]
    assert before == untouched


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [CONTROLLER],
        [entry(OWN, "Apply", {})],
        [entry("pulumi-kubernetes", "Update", {}, subresource="status")],
        [entry("helm", "Apply", {})],
    ],
)
def test_what_belongs_to_others_is_not_taken_over(entries: list[Object]) -> None:
    assert takeover_patch(live(*entries), OWN) == []


@pytest.mark.parametrize(
    ("now", "preview", "annotated", "forced"),
    [
        (live(CONTROLLER), False, "", False),
        (live(CONTROLLER), True, "", False),
        (live(CREATED), False, "", False),
        (live(CREATED), True, "", True),
        (live(), False, "", True),
        (live(CONTROLLER), False, "true", True),
    ],
    ids=["others", "others in preview", "taken over before", "to be taken over", "older than managers", "asked for"],
)
def test_fields_of_others_are_taken_only_where_asked_for(
    now: Object, preview: bool, annotated: str, forced: bool
) -> None:
    inputs = {"metadata": {"annotations": {"pulumi.com/patchForce": annotated}}}

    assert must_force(inputs, now, preview=preview, always=False) is forced
    assert must_force(inputs, now, preview=preview, always=True) is True


def test_an_ignored_field_is_applied_as_it_is_on_the_cluster() -> None:
    inputs = {"spec": {"replicas": 2, "containers": [{"image": "a"}, {"image": "b"}]}, "data": {"k.pem": "1"}}
    now = {"spec": {"replicas": 5, "containers": [{"image": "x"}, {"image": "y"}]}, "data": {"k.pem": "2"}}

    kept = keep_ignored(inputs, now, ["spec.replicas", "spec.containers[1].image", 'data["k.pem"]', "spec.nothing"])

    assert kept == {"spec": {"replicas": 5, "containers": [{"image": "a"}, {"image": "y"}]}, "data": {"k.pem": "2"}}
    assert inputs["spec"]["replicas"] == 2, "the program's own inputs stay"  # type: ignore[index]
