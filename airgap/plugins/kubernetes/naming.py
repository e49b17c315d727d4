"""Automatic names: `<resource name>-<8 hex digits>`, with a mark so that a replacement may have another name."""

import hashlib
import secrets
from typing import Final

from airgap.plugins.kubernetes.objects import AUTONAMED, Object, annotation, dig, is_autonamed, name_of
from sealift.provider import UNKNOWN

FIELD_MANAGER_PREFIX: Final = "pulumi-kubernetes-"
CREATION_MANAGER: Final = "pulumi-kubernetes"
"""Manager that creates all objects. The first update gives its fields to the resource's own manager."""


def unique_name(prefix: str, seed: bytes = b"") -> str:
    """Returns `prefix` and 8 hex digits: random, or fixed by a seed, which the engine passes to follow a plan."""
    if seed:
        return prefix + hashlib.sha256(seed + b"\0" + prefix.encode()).hexdigest()[:8]
    return prefix + secrets.token_hex(4)


def adopt_or_assign_name(new: Object, old: Object, automatic_name: str) -> None:
    """Sets the name of `new` in place if the program gives none: the name of `old` if that was automatic, otherwise
    `automatic_name`.

    `old` is {} for a new resource. A name or metadata that a preview does not know counts as a name.
    """
    if is_named(new) or not isinstance(new.setdefault("metadata", {}), dict):
        return
    if old and is_autonamed(old):
        _name(new, name_of(old))
    elif not old:
        _name(new, automatic_name)


def is_named(obj: Object) -> bool:
    """Whether the program gives a name, known or unknown."""
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
    """Returns the field manager: the annotation's, otherwise the state's, otherwise a new one."""
    return annotation(inputs, "pulumi.com/patchFieldManager") or remembered or unique_name(FIELD_MANAGER_PREFIX)
