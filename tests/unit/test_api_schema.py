"""The check of objects by the API's schema: it sees what the API server would drop in silence."""

from typing import Any

import pytest

from tests.api_schema import ApiSchema

SCHEMAS: dict[str, Any] = {
    "io.k8s.Deployment": {
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "spec": {"allOf": [{"$ref": "#/components/schemas/io.k8s.Spec"}], "default": {}},
        },
        "x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}],
    },
    "io.k8s.Spec": {
        "type": "object",
        "required": ["selector"],
        "properties": {
            "replicas": {"type": "integer", "format": "int32"},
            "paused": {"type": "boolean"},
            "selector": {"type": "object", "additionalProperties": {"type": "string"}},
            "ports": {"type": "array", "items": {"$ref": "#/components/schemas/io.k8s.IntOrString"}},
        },
    },
    "io.k8s.IntOrString": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
}
SCHEMA = ApiSchema.from_document({"components": {"schemas": SCHEMAS}})


def problems(**spec: object) -> list[str]:
    return SCHEMA.problems({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"a": "b"}} | spec})


def test_an_object_as_the_api_has_it_is_fine() -> None:
    assert problems(replicas=3.0, paused=False, ports=[80, "http"]) == []


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"replica": 3}, "Deployment.spec.replica is not in the schema"),
        ({"replicas": "3"}, "Deployment.spec.replicas is '3', which is no integer"),
        ({"replicas": 1.5}, "Deployment.spec.replicas is 1.5, which is no integer"),
        ({"replicas": None}, "Deployment.spec.replicas is None, which is no integer"),
        ({"replicas": True}, "Deployment.spec.replicas is True, which is no integer"),
        ({"paused": "no"}, "Deployment.spec.paused is 'no', which is no boolean"),
        ({"selector": {"a": 1}}, "Deployment.spec.selector.a is 1, which is no string"),
        ({"ports": "http"}, "Deployment.spec.ports is 'http', which is no array"),
        ({"ports": [1, None]}, "Deployment.spec.ports[1] is None, which is none of integer, string"),
    ],
)
def test_what_the_schema_does_not_allow_is_told_with_its_path(spec: dict[str, object], problem: str) -> None:
    assert problems(**spec) == [problem]


def test_what_is_missing_is_told() -> None:
    object_ = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {}}

    assert SCHEMA.problems(object_) == ["Deployment.spec lacks selector"]
