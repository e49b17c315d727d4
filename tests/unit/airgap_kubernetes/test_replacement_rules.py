"""Which changes replace an object, and which are none."""

import pytest

from airgap.plugins.kubernetes.diff import diff
from airgap.plugins.kubernetes.objects import Object
from sealift.provider import UNKNOWN

AUTONAMED = {"pulumi.com/autonamed": "true"}


def resource(api_version: str, kind: str, body: Object, name: str = "a-1", **metadata: object) -> Object:
    metadata = {"name": name, "namespace": "n", "annotations": AUTONAMED, **metadata}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


@pytest.mark.parametrize(
    ("api_version", "kind", "old", "new", "replaces"),
    [
        ("apps/v1", "Deployment", {"spec": {"selector": {"app": "a"}}}, {"spec": {"selector": {"app": "b"}}}, True),
        ("apps/v1", "Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, False),
        ("batch/v1", "Job", {"spec": {"template": {"x": 1}}}, {"spec": {"template": {"x": 2}}}, True),
        ("batch/v1", "Job", {"spec": {"ttlSecondsAfterFinished": 1}}, {"spec": {"ttlSecondsAfterFinished": 2}}, False),
        ("v1", "ConfigMap", {"data": {"a": "1"}}, {"data": {"a": "2"}}, True),
        ("v1", "ConfigMap", {"binaryData": {"a": "MQ=="}}, {"binaryData": {"a": "Mg=="}}, True),
        ("v1", "Secret", {"data": {"a": "MQ=="}}, {"data": {"a": "Mg=="}}, True),
        ("v1", "Secret", {"type": "Opaque"}, {"type": "other"}, True),
        ("v1", "Service", {"spec": {"clusterIP": "None"}}, {"spec": {"clusterIP": "10.0.0.1"}}, True),
        ("v1", "Service", {"spec": {"type": "ClusterIP"}}, {"spec": {"type": "NodePort"}}, False),
        ("v1", "PersistentVolumeClaim", {"spec": {"accessModes": ["A"]}}, {"spec": {"accessModes": ["B"]}}, True),
        (
            "v1",
            "PersistentVolumeClaim",
            {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
            {"spec": {"resources": {"requests": {"storage": "2Gi"}}}},
            False,
        ),
        (
            "v1",
            "Pod",
            {"spec": {"containers": [{"name": "a", "image": "x"}]}},
            {"spec": {"containers": [{"name": "a", "image": "y"}]}},
            True,
        ),
    ],
)
def test_a_change_replaces_exactly_where_the_api_server_would_refuse_it(
    api_version: str, kind: str, old: Object, new: Object, replaces: bool
) -> None:
    before, after = resource(api_version, kind, old), resource(api_version, kind, new)

    found = diff(before, before, after)

    assert len(found.detailed_diff) == 1
    assert bool(found.replaces) is replaces


@pytest.mark.parametrize("field", ["name", "namespace"])
def test_an_object_cannot_move(field: str) -> None:
    before = resource("v1", "ServiceAccount", {})

    assert diff(before, before, resource("v1", "ServiceAccount", {}, **{field: "other"})).replaces == [
        f"metadata.{field}"
    ]


def test_no_namespace_is_the_default_one() -> None:
    before = resource("v1", "ServiceAccount", {}, namespace="default")
    after = resource("v1", "ServiceAccount", {})
    del after["metadata"]["namespace"]

    assert diff(before, before, after).detailed_diff == {}


def test_a_name_that_the_program_gave_is_free_only_after_the_old_object_is_gone() -> None:
    before = resource("v1", "ConfigMap", {"data": {"a": "1"}}, "fixed", annotations={})
    after = resource("v1", "ConfigMap", {"data": {"a": "2"}}, "fixed", annotations={})

    assert diff(before, before, after).delete_before_replace


def test_a_new_fixed_name_leaves_room_for_the_old_object() -> None:
    before = resource("v1", "ConfigMap", {"data": {"a": "1"}}, "one", annotations={})
    after = resource("v1", "ConfigMap", {"data": {"a": "2"}}, "two", annotations={})

    assert not diff(before, before, after).delete_before_replace


def test_what_a_config_map_holds_may_change_in_place_where_the_provider_is_configured_so() -> None:
    before, after = resource("v1", "ConfigMap", {"data": {"a": "1"}}), resource("v1", "ConfigMap", {"data": {"a": "2"}})

    assert diff(before, before, after, mutable_config_maps=True).replaces == []
    assert diff(before, before, after | {"immutable": True}, mutable_config_maps=True).replaces == ["data.a"]


def test_an_unknown_value_counts_as_a_change() -> None:
    before = resource("apps/v1", "Deployment", {"spec": {"replicas": 1, "selector": {"app": "a"}}})
    after = resource("apps/v1", "Deployment", {"spec": {"replicas": UNKNOWN, "selector": {"app": UNKNOWN}}})

    found = diff(before, before, after)

    assert {path: change.kind for path, change in found.detailed_diff.items()} == {
        "spec.replicas": "update",
        "spec.selector.app": "update",
    }
    assert found.replaces == ["spec.selector.app"]


def test_what_only_the_api_server_fills_in_is_no_change() -> None:
    inputs = resource("v1", "Service", {"spec": {"ports": [{"port": 1}]}})
    live = resource(
        "v1", "Service", {"spec": {"ports": [{"port": 1, "protocol": "TCP", "targetPort": 1}], "clusterIP": "10.0.0.1"}}
    )

    assert diff(inputs, live, inputs).detailed_diff == {}


def test_drift_that_a_refresh_found_is_a_change() -> None:
    inputs = resource("apps/v1", "Deployment", {"spec": {"replicas": 1}})
    live = resource("apps/v1", "Deployment", {"spec": {"replicas": 5}})

    assert list(diff(inputs, live, inputs).detailed_diff) == ["spec.replicas"]


def test_additions_deletions_and_updates_in_lists_and_mappings() -> None:
    before = resource("v1", "Thing", {"spec": {"gone": 1, "list": ["a", "b"], "same": {"x": 1}}})
    after = resource("v1", "Thing", {"spec": {"new": 1, "list": ["a", "c", "d"], "same": {"x": 1}}})

    assert {path: change.kind for path, change in diff(before, before, after).detailed_diff.items()} == {
        "spec.gone": "delete",
        "spec.new": "add",
        "spec.list[1]": "update",
        "spec.list[2]": "add",
    }


def test_ignored_changes_are_none() -> None:
    before = resource("apps/v1", "Deployment", {"spec": {"replicas": 1, "paused": False}})
    after = resource("apps/v1", "Deployment", {"spec": {"replicas": 2, "paused": True}})

    assert list(diff(before, before, after, ignored=("spec.replicas",)).detailed_diff) == ["spec.paused"]
