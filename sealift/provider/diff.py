"""Differences of top-level inputs, for a resource whose inputs are changed or replaced one by one."""

from collections.abc import Collection, Mapping

from sealift.provider.messages import DiffKind, PropertyDiff
from sealift.provider.values import Value


def changed_inputs(olds: Mapping[str, Value], news: Mapping[str, Value]) -> dict[str, DiffKind]:
    """Returns the top-level inputs that differ, by name. Both sides are without secret wrappers. An unknown input
    counts as changed."""
    changed: dict[str, DiffKind] = {}
    for name in sorted(olds.keys() | news.keys()):
        if name not in olds:
            changed[name] = "add"
        elif name not in news:
            changed[name] = "delete"
        elif olds[name] != news[name]:
            changed[name] = "update"
    return changed


def detail_diff(
    changed: Mapping[str, DiffKind], replaces: Collection[str] = (), *, input_diff: bool = True
) -> dict[str, PropertyDiff]:
    """Returns `changed` in the form of a DiffResponse. `replaces` are the inputs whose change needs a new resource."""
    return {name: PropertyDiff(kind, name in replaces, input_diff) for name, kind in changed.items()}
