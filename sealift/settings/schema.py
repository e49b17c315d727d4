"""The declarations as properties of a Pulumi package schema (pkg/codegen/schema/pulumi.json of Pulumi)."""

from typing import Any, Final

from sealift.settings.declare import Setting, declarations, summary
from sealift.settings.typed import describe

ANY: Final = {"$ref": "pulumi.json#/Any"}
MODULE: Final = "sealift:index"
LARGEST_DEFAULT: Final = 2**31 - 1
"""Largest integer default that the engine accepts in a schema. A larger one is only in the description."""


def inputs(of: type[Any]) -> dict[str, Any]:
    """Makes `inputProperties` and `requiredInputs` of a resource."""
    declared = list(declarations(of))
    required = [one.name for one in declared if one.required]
    properties = {one.name: _property(one) for one in declared}
    return {"inputProperties": properties, **({"requiredInputs": required} if required else {})}


def types(of: type[Any]) -> dict[str, Any]:
    """Makes the types of a resource's objects of settings, by token, including nested ones."""
    found: dict[str, Any] = {}
    for one in declarations(of):
        if one.of is not None:
            properties = {inner.name: _property(inner) for inner in declarations(one.of)}
            found[_token(one.of)] = {"type": "object", "description": summary(one.of), "properties": properties}
            found |= types(one.of)
    return found


def _property(one: Setting) -> dict[str, Any]:
    said: dict[str, Any] = {"description": describe(one), **_type(one)}
    if one.kind is not None and one.default not in (None, "", (), {}) and not one.required:
        scalar = isinstance(one.default, bool | int | float | str)
        largest = isinstance(one.default, int) and one.default > LARGEST_DEFAULT
        if one.kind.type in ("string", "number", "integer", "boolean") and not largest:
            said["default"] = one.default if scalar else str(one.default)
    return said | ({"secret": True} if one.secret else {})


def _type(one: Setting) -> dict[str, Any]:
    if one.of is not None:
        reference = {"$ref": f"#/types/{_token(one.of)}"}
        return {"type": "object", "additionalProperties": reference} if one.many else reference
    if one.kind is None:
        raise AssertionError(f"internal error: {one.name} has neither a kind nor settings of its own")
    if one.kind.type == "any":
        return ANY
    items = {"type": one.kind.items} if one.kind.items else ANY
    if one.kind.type == "array":
        return {"type": "array", "items": items}
    if one.kind.type == "object":
        return {"type": "object", "additionalProperties": items}
    return {"type": one.kind.type}


def _token(of: type[Any]) -> str:
    return f"{MODULE}:{of.__name__}"
