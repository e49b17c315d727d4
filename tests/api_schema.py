"""Kubernetes objects held against the API server's own OpenAPI documents, more strictly than it does itself: a key that
the schema does not name is a mistake.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class ApiSchema:
    """The schemas of one group and version, as `/openapi/v3/…` serves them."""

    schemas: Mapping[str, Schema]

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "ApiSchema":
        return ApiSchema(document["components"]["schemas"])

    def problems(self, given: Mapping[str, Any]) -> list[str]:
        """What is wrong with an object of the kind that it names itself."""
        return [*self._problems(self._of(given["apiVersion"], given["kind"]), given, given["kind"])]

    def _of(self, api_version: str, kind: str) -> Schema:
        group, _, version = api_version.rpartition("/")
        asked = {"group": group, "kind": kind, "version": version}
        (found,) = (one for one in self.schemas.values() if asked in one.get("x-kubernetes-group-version-kind", []))
        return found

    def _problems(self, schema: Schema, value: Any, path: str) -> Iterator[str]:
        if "$ref" in schema:
            yield from self._problems(self.schemas[schema["$ref"].rpartition("/")[2]], value, path)
        for part in schema.get("allOf", []):
            yield from self._problems(part, value, path)
        choices = schema.get("oneOf", [])
        if choices and all([*self._problems(choice, value, path)] for choice in choices):
            yield f"{path} is {value!r}, which is none of {', '.join(choice['type'] for choice in choices)}"
        if "type" in schema:
            yield from self._problems_of_type(schema, value, path)

    def _problems_of_type(self, schema: Schema, value: Any, path: str) -> Iterator[str]:
        if not _is(schema["type"], value):
            yield f"{path} is {value!r}, which is no {schema['type']}"
        elif schema["type"] == "array":
            for index, item in enumerate(value):
                yield from self._problems(schema["items"], item, f"{path}[{index}]")
        elif schema["type"] == "object":
            yield from self._problems_of_object(schema, value, path)

    def _problems_of_object(self, schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[str]:
        named, others = schema.get("properties", {}), schema.get("additionalProperties")
        yield from (f"{path} lacks {name}" for name in schema.get("required", []) if name not in value)
        for name, item in value.items():
            property_ = named.get(name, others)
            if property_ is None:
                yield f"{path}.{name} is not in the schema"
            else:
                yield from self._problems(property_, item, f"{path}.{name}")


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int | float) and value == int(value)  # Pulumi's engine sends every number as a float
    types: dict[str, type | tuple[type, ...]] = {
        "array": list,
        "boolean": bool,
        "number": (int, float),
        "object": Mapping,
        "string": str,
    }
    return isinstance(value, types[kind])
