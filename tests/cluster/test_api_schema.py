"""What ModelDeployment gives its provider, held against the schema that the cluster's API server serves.

The SDK's types know only its own classes, and the API server drops a key that it does not know without an error.
"""

from functools import cache
from typing import Any

import pytest

from tests.api_schema import ApiSchema
from tests.certificates import self_signed
from tests.cluster.cluster import Cluster
from tests.unit.components.test_model_deployment import SECRET_MARK, deploy, event_loop
from tests.unit.components.test_server_objects import two_versions

__all__ = ["event_loop"]


def certificate() -> dict[str, str]:
    pem = self_signed()
    return {"tlsCertificate": pem.certificate, "tlsPrivateKey": pem.key}


SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "none-asked-for-a-key": {"auth": "none"},
    "tls": certificate(),
    "a-node-port": {"exposure": "nodePort", "nodePort": 30080},
    "labels-and-a-quota": {"labels": {"team": "ml"}, "quota": {"limits.memory": "16Gi", "pods": 9}},
    "autoscaling": {"autoscaling": {"minReplicas": 2, "maxReplicas": 9}},
    "autoscaling-by-the-server-s-metrics": {
        "autoscaling": {"maxReplicas": 9, "cpu": 50, "requestsPerSecond": 2.5, "latencySeconds": 0.05}
    },
    "all-the-server-can-do": {"grpc": True, "explain": True, "tracing": {"otlpEndpoint": "http://collector:4318"}},
}


def plain(value: Any) -> Any:
    """Without the marks by which the engine knows a secret."""
    if isinstance(value, dict):
        return plain(value["value"]) if SECRET_MARK in value else {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def problems(cluster: Cluster, objects: dict[str, Any]) -> list[str]:
    """Of all that are Kubernetes'."""
    schema_of = cache(lambda api_version: ApiSchema.from_document(cluster.open_api(api_version)))
    kubernetes = [plain(inputs) for inputs in objects.values() if "apiVersion" in inputs]
    assert {"Deployment", "ConfigMap", "Secret"} <= {one["kind"] for one in kubernetes}
    return [problem for one in kubernetes for problem in schema_of(one["apiVersion"]).problems(one)]


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_object_is_as_the_api_s_own_schema_has_it(cluster: Cluster, settings: str) -> None:
    assert problems(cluster, deploy(**SETTINGS[settings]).objects) == []


def test_two_versions_side_by_side_are_too(cluster: Cluster) -> None:
    assert problems(cluster, two_versions()) == []


def test_a_key_that_the_api_does_not_know_is_seen(cluster: Cluster) -> None:
    objects = deploy().objects

    objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["startup_probe"] = {}

    assert problems(cluster, objects) == [
        "Deployment.spec.template.spec.containers[0].startup_probe is not in the schema"
    ]
