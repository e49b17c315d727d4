"""Changes between the live object and new inputs, by field, and which of them replace the object.

The comparison is the official plugin's: the live state is reduced to the fields of the old inputs, a JSON merge patch
(RFC 7386) to the new inputs is computed, and the patch is searched for real changes. Unlike a comparison of old with
new inputs, this detects drift that a refresh has found.
"""

from collections.abc import Iterator
from typing import Any, Final

from airgap.plugins.kubernetes.inputs import normalize, prune
from airgap.plugins.kubernetes.objects import Object, ObjectKind, is_autonamed, name_of, namespace_of
from airgap.plugins.kubernetes.replacement import ANY, Path, fixed_fields
from sealift.property_path import parse_path, write_path
from sealift.provider import UNKNOWN, DiffKind, DiffResponse, PropertyDiff

MISSING: Final = object()


def diff(
    old_inputs: Object,
    live: Object,
    new_inputs: Object,
    *,
    ignored: tuple[str, ...] = (),
    mutable_config_maps: bool = False,
    mutable_secrets: bool = False,
) -> DiffResponse:
    """Compares plain objects. `new_inputs` may contain UNKNOWN. `ignored` are property paths of ignoreChanges."""
    new = normalize(new_inputs)
    old = prune(live, normalize(old_inputs))
    _place(old, new, ObjectKind.of(new))
    if name_of(new):
        old.setdefault("metadata", {})["name"] = name_of(live)
    fixed = fixed_fields(new, mutable_config_maps=mutable_config_maps, mutable_secrets=mutable_secrets)
    ignored_paths = [tuple(parse_path(path)) for path in ignored]
    changes = {
        write_path(path): change
        for path, change in _changes((), merge_patch(old, new), old, new, old, fixed)
        if not any(path[: len(prefix)] == prefix for prefix in ignored_paths)
    }
    same_place = name_of(new) == name_of(live) and _namespace(new) == _namespace(live)
    replaces = any(change.replaces for change in changes.values())
    fixed_name = bool(name_of(new)) and not is_autonamed(new)
    return DiffResponse(changes, replaces and fixed_name and same_place, with_reasons=False)


def merge_patch(old: Object, new: Object) -> Object:
    """Returns the JSON merge patch from `old` to `new`. None deletes, and stands for unknown values."""
    patch: Object = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key, MISSING)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := merge_patch(before, value):
                patch[key] = inner
        elif before is MISSING or not _equal(before, value):
            patch[key] = None if value is UNKNOWN else value
    return patch


def _changes(
    path: Path, patch: Any, old: Any, new: Any, old_input: Any, fixed: list[Path], *, in_list: bool = False
) -> Iterator[tuple[Path, PropertyDiff]]:
    """Walks over a patch whose parts exist in `old`, the live state, and in `new`, the new inputs."""
    if isinstance(patch, dict):
        keys = [*patch, *(key for key in old if key not in patch)] if in_list else list(patch)
        for key in keys:
            parts = (_at(patch, key, None), _at(old, key), _at(new, key), _at(old_input, key))
            yield from _change((*path, key), *parts, fixed, in_list=in_list)
        return
    for index in range(max(len(patch), len(old))):
        inside = index < len(patch)
        parts = (patch[index] if inside else None, _item(old, index), _item(new, index), _item(old_input, index))
        yield from _change((*path, index), *parts, fixed, in_list=True)


def _change(
    path: Path, patch: Any, old: Any, new: Any, old_input: Any, fixed: list[Path], *, in_list: bool
) -> Iterator[tuple[Path, PropertyDiff]]:
    if new is MISSING and (patch is not None or old_input is MISSING):
        return  # both values are filled in by the API server
    kind: DiffKind = "update"
    input_diff = False
    if patch is None or patch is UNKNOWN:
        if new is UNKNOWN:
            kind = "add" if old is MISSING else "update"
        else:
            kind, input_diff = "delete", True
    elif old is MISSING:
        kind = "add"
    elif (isinstance(patch, dict) and isinstance(old, dict)) or (isinstance(patch, list) and isinstance(old, list)):
        yield from _changes(path, patch, old, new, old_input, fixed, in_list=in_list)
        return
    elif _equal(patch, old):
        return  # a merge patch contains whole lists, including equal elements
    replaces = any(_touches(path, patch, fixed_path) for fixed_path in fixed)
    yield path, PropertyDiff(kind, replaces or (kind == "delete" and path == ("metadata",)), input_diff)


def _touches(path: Path, patch: Any, fixed: Path) -> bool:
    """Whether the change of `path` to `patch` changes the field `fixed`."""
    for position, part in enumerate(fixed):
        if position < len(path):
            if part != path[position] and not (part == ANY and isinstance(path[position], int)):
                return False
        elif part == ANY:
            return isinstance(patch, list) and any(
                _touches((*path, 0), item, (*fixed[:position], 0, *fixed[position + 1 :])) for item in patch
            )
        elif isinstance(patch, dict) and part in patch:
            patch = patch[part]
        else:
            return False
    return True


def _at(mapping: Any, key: str, default: Any = MISSING) -> Any:
    return mapping.get(key, default) if isinstance(mapping, dict) else default


def _item(items: Any, index: int) -> Any:
    return items[index] if isinstance(items, list) and index < len(items) else MISSING


def _equal(left: Any, right: Any) -> bool:
    """Compares like JSON: true differs from 1, but 1 equals 1.0."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _place(old: Object, new: Object, kind: ObjectKind) -> None:
    """Sets the effective namespace in both: `default` if none is set, and none for kinds without a namespace."""
    for obj in (old, new):
        metadata = obj.get("metadata")
        if not isinstance(metadata, dict):
            continue
        if kind.is_namespaced:
            obj["metadata"] = {**metadata, "namespace": metadata.get("namespace") or "default"}
        else:
            obj["metadata"] = {key: value for key, value in metadata.items() if key != "namespace"}


def _namespace(obj: Object) -> str:
    return namespace_of(obj) or "default"
