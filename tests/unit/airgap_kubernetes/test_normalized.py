"""Inputs spelt as the API server will give them back, and only where it is known what they mean."""

from airgap.plugins.kubernetes.inputs import normalize, prune
from airgap.plugins.kubernetes.objects import Object


def test_quantities_in_every_place_of_a_built_in_kind_are_canonical_numbers_included() -> None:
    container: Object = {"resources": {"limits": {"cpu": 1, "memory": "1024Mi"}, "requests": {"cpu": 0.5}}}
    volume: Object = {"emptyDir": {"sizeLimit": "2048Ki"}}
    spec: Object = {"replicas": 2, "template": {"spec": {"containers": [container], "volumes": [volume]}}}

    found = normalize({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec})["spec"]

    assert found["replicas"] == 2
    assert found["template"]["spec"] == {
        "containers": [{"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}}],
        "volumes": [{"emptyDir": {"sizeLimit": "2Mi"}}],
    }


def test_what_looks_like_a_quantity_in_a_custom_resource_stays_as_it_is() -> None:
    widget: Object = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "spec": {"limits": {"items": 5, "size": "1024Mi"}},
    }
    schema: Object = {"default": {"items": 5}}
    definition: Object = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": schema}

    assert normalize(widget) == widget
    assert normalize(definition) == definition


def test_what_only_the_api_server_says_of_an_object_is_no_input() -> None:
    metadata = {"name": "a", "labels": {"b": "c"}}
    found = normalize({"metadata": {**metadata, "uid": "1", "resourceVersion": "2", "managedFields": []}})

    assert found["metadata"] == metadata


def test_the_live_object_is_cut_down_to_what_the_program_said() -> None:
    shape = {"spec": {"ports": [{"port": 80}], "selector": {"app": "m"}}}
    live = {"spec": {"ports": [{"port": 81, "protocol": "TCP"}], "clusterIP": "10.0.0.1"}, "status": {}}

    assert prune(live, shape) == {"spec": {"ports": [{"port": 81}]}}


def test_a_field_set_to_nothing_that_the_api_server_leaves_out_is_still_there() -> None:
    shape = {"hostNetwork": False, "labels": {}, "args": [], "priority": 0, "replicas": 2}

    assert prune({"other": 1}, shape) == {"hostNetwork": False, "labels": {}, "args": [], "priority": 0}
