"""Who owns which field. Objects are created by the manager `pulumi-kubernetes` and updated by server-side apply under a
manager of their own, so the first update must take over what creation set: else a field that the program drops would
stay. Done as the official plugin does (fluxcd's PatchReplaceFieldsManagers).
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
"""Name prefix and operation."""


def takeover_patch(live: Object, manager: str) -> list[Object]:
    """The JSON patch that hands the fields of TAKEN_OVER to `manager`; [] if there is nothing to hand over."""
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
        # Refused with a conflict if somebody changed the object since it was read.
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    ]


def must_force(inputs: Object, live: Object | None, *, preview: bool, always: bool) -> bool:
    """Whether an apply takes fields from other managers: not unasked; in a preview the takeover is still to come."""
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
