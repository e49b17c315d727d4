"""Owners of fields. The manager `pulumi-kubernetes` creates objects, and server-side apply updates them with a manager
per object. The first update must therefore take over the fields of the creation: otherwise a field that the program
removes would stay. The method is the official plugin's (fluxcd's PatchReplaceFieldsManagers).
"""

import copy
from typing import Final

from airgap.plugins.kubernetes.naming import CREATION_MANAGER
from airgap.plugins.kubernetes.objects import Object, annotation, dig

TAKEN_OVER: Final = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    (CREATION_MANAGER, "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)
"""Name prefix and operation of managers whose fields are taken over."""


def takeover_patch(live: Object, manager: str) -> list[Object]:
    """Returns the JSON patch that gives the fields of TAKEN_OVER to `manager`, [] if they have none."""
    entries = dig(live, "metadata", "managedFields", default=[])
    taken = [entry for entry in entries if _is_taken_over(entry)]
    if not taken:
        return []
    own = next((entry for entry in entries if entry["manager"] == manager and entry["operation"] == "Apply"), None)
    merged = copy.deepcopy(own or {**taken.pop(0), "manager": manager, "operation": "Apply"})
    for entry in taken:
        _merge(merged["fieldsV1"], entry["fieldsV1"])
    kept = [entry for entry in entries if entry is not own and not _is_taken_over(entry)]
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": [*kept, merged]},
        # The API server refuses it with a conflict if the object has changed since it was read.
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    ]


def must_force(inputs: Object, live: Object | None, *, preview: bool, always: bool) -> bool:
    """Whether an apply takes fields from other managers: only if requested, or in a preview before the takeover."""
    if always or annotation(inputs, "pulumi.com/patchForce") == "true" or live is None:
        return True
    entries = dig(live, "metadata", "managedFields", default=[])
    return not entries or (preview and any(_is_taken_over(entry) for entry in entries))


def _is_taken_over(entry: Object) -> bool:
    return not entry.get("subresource") and any(
        entry["manager"].startswith(name) and entry["operation"] == operation for name, operation in TAKEN_OVER
    )


def _merge(into: Object, fields: Object) -> None:
    for key, inner in fields.items():
        _merge(into.setdefault(key, {}), inner)
