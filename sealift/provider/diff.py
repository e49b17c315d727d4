"""Differences of whole inputs: enough for a resource whose inputs are changed or replaced one by one."""

from collections.abc import Collection, Mapping

from sealift.provider.messages import DiffKind, PropertyDiff
from sealift.provider.values import Value


def changed_inputs(olds: Mapping[str, Value], news: Mapping[str, Value]) -> dict[str, DiffKind]:
    """The top-level inputs that differ, by name; both sides without secret wrappers. An unknown input counts."""
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
    """`changed` as a DiffResponse has it; `replaces` are the inputs that only a new resource can take on."""
    return {name: PropertyDiff(kind, name in replaces, input_diff) for name, kind in changed.items()}
