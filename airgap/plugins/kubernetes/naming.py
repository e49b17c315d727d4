"""Names that nobody gave: `<resource name>-<8 hex digits>`, marked as such so that a replacement may have another."""

import hashlib
import secrets
from typing import Final

from airgap.plugins.kubernetes.objects import AUTONAMED, Object, annotation, dig, is_autonamed, name_of
from sealift.provider import UNKNOWN

FIELD_MANAGER_PREFIX: Final = "pulumi-kubernetes-"
CREATION_MANAGER: Final = "pulumi-kubernetes"
"""Creates everything; the first update hands its fields over to the resource's own manager."""


def unique_name(prefix: str, seed: bytes = b"") -> str:
    """`prefix` and 8 hex digits: drawn anew, or the same for the same seed (the engine gives one to keep to a plan)."""
    if seed:
        return prefix + hashlib.sha256(seed + b"\0" + prefix.encode()).hexdigest()[:8]
    return prefix + secrets.token_hex(4)


def adopt_or_assign_name(new: Object, old: Object, automatic_name: str) -> None:
    """Names `new`, in place, if the program did not: as `old` was if that was autonamed, else `automatic_name`.

    `old` is {} for a resource that is not there yet. A name or metadata that a preview does not know yet is a name.
    """
    if is_named(new) or not isinstance(new.setdefault("metadata", {}), dict):
        return
    if old and is_autonamed(old):
        _name(new, name_of(old))
    elif not old:
        _name(new, automatic_name)


def is_named(obj: Object) -> bool:
    """Whether the program gave a name, known or not."""
    metadata = obj.get("metadata")
    if metadata is UNKNOWN:
        return True
    return bool(dig(metadata, "name"))


def _name(obj: Object, name: str) -> None:
    obj["metadata"]["name"] = name
    annotations = obj["metadata"].setdefault("annotations", {})
    if isinstance(annotations, dict):
        annotations[AUTONAMED] = "true"


def field_manager(inputs: Object, remembered: str) -> str:
    """Who applies this resource: the annotation's word, else what the state remembers, else a new one."""
    return annotation(inputs, "pulumi.com/patchFieldManager") or remembered or unique_name(FIELD_MANAGER_PREFIX)
