"""A program's inputs in the API server's form, and the live object reduced to the program's fields."""

import base64
import binascii
from typing import Any, Final

from airgap.plugins.kubernetes.objects import Object, ObjectKind, dig
from airgap.plugins.kubernetes.quantity import canonical_quantities
from sealift.provider import Properties, Secret, has_secret, has_unknown, reveal_all

READ_ONLY_METADATA: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)


def normalize(inputs: Object) -> Object:
    """Returns a copy in which equal values have the same form: Secret `stringData` as base64 `data`, canonical
    quantities, no read-only metadata. If a value is unknown, only the last applies.
    """
    result = dict(inputs)
    if not has_unknown(result):
        result = _normalize_secret(result) if is_secret(result) else _with_canonical_spec(result)
    if isinstance(result.get("metadata"), dict):
        result["metadata"] = {k: v for k, v in result["metadata"].items() if k not in READ_ONLY_METADATA}
    return result


def is_secret(obj: Object) -> bool:
    return ObjectKind.of(obj) == ObjectKind("v1", "Secret")


def is_config_map(obj: Object) -> bool:
    return ObjectKind.of(obj) == ObjectKind("v1", "ConfigMap")


def plain_inputs(properties: Properties) -> Object:
    """Returns the inputs without secret wrappers. Never log the result."""
    plain: Object = reveal_all(properties)
    return plain


def prune(live: Any, shape: Any) -> Any:
    """Reduces `live` to the fields of `shape` (old inputs), like the official plugin's pruneMap and pruneSlice.

    An empty field (false, 0, "", {}, []) of the program that the API server leaves out is kept as the program has it:
    the API leaves out such values.
    """
    if isinstance(live, dict) and isinstance(shape, dict):
        kept = {key: prune(value, shape[key]) for key, value in live.items() if key in shape}
        empty = {key: value for key, value in shape.items() if key not in live and not value and value is not None}
        return kept | empty
    if isinstance(live, list) and isinstance(shape, list):
        if not live or not shape:
            return []
        if type(live[0]) is not type(shape[0]):
            return live
        return [prune(value, like) for value, like in zip(live, shape, strict=False)]
    return live


def annotate_secrets(outputs: dict[str, Any], inputs: Properties) -> None:
    """Wraps in place the contents of a Secret and the values that were secret in the inputs. `outputs` are plain."""
    if outputs.get("kind") == "Secret":
        for name in ("data", "stringData"):
            if name in outputs and not isinstance(outputs[name], Secret):
                outputs[name] = Secret(outputs[name])
        return
    for key, given in inputs.items():
        if key not in outputs:
            continue
        if isinstance(outputs[key], dict) and isinstance(given, dict):
            annotate_secrets(outputs[key], given)
        elif not isinstance(outputs[key], Secret) and has_secret(given):
            outputs[key] = Secret(outputs[key])


def _normalize_secret(secret: Object) -> Object:
    given = dig(secret, "stringData", default={})
    data = {key: _canonical_base64(value) for key, value in dig(secret, "data", default={}).items()}
    data |= {key: base64.b64encode(str(value).encode()).decode() for key, value in given.items()}
    rest = {key: value for key, value in secret.items() if key != "stringData" or not given}
    return rest | {"data": data} if data else rest


def _canonical_base64(value: Any) -> Any:
    """Removes white space, like the API server. Invalid base64 stays, so that the API server refuses it."""
    try:
        return base64.b64encode(base64.b64decode(value)).decode()
    except (binascii.Error, TypeError, ValueError):
        return value


def _with_canonical_spec(inputs: Object) -> Object:
    kind = ObjectKind.of(inputs)
    if "spec" not in inputs or not kind.is_built_in or kind.name == "CustomResourceDefinition":
        return inputs  # a text that looks like a quantity there may be something else
    return inputs | {"spec": canonical_quantities(inputs["spec"])}
