"""The declarations as Markdown tables: one for the settings, and one for each object among them."""

from collections.abc import Iterator
from typing import Any, Final

from sealift.settings.declare import Setting, declarations, summary

UNITS: Final = {2**30: "GiB", 2**20: "MiB"}


def tables(of: type[Any], level: int = 2) -> str:
    """Writes the tables. `level` is the level of the headings of the objects' tables."""
    parts = list(_table(of, ""))
    for path, inner in _objects(of, ""):
        parts += ["", f"{'#' * level} {path}", "", summary(inner), "", *_table(inner, path)]
    return "\n".join(parts) + "\n"


def _objects(of: type[Any], path: str) -> Iterator[tuple[str, type[Any]]]:
    for one in declarations(of):
        if one.of is not None:
            inner = _path(path, one)
            yield inner, one.of
            yield from _objects(one.of, inner)


def _table(of: type[Any], path: str) -> Iterator[str]:
    yield from ("| input | default | allowed | meaning |", "|---|---|---|---|")
    for one in declarations(of):
        allowed = one.kind.allowed if one.kind is not None else _link(_path(path, one))
        secret = " Secret." if one.secret else ""
        cells = (f"`{one.name}`", _default(one), allowed, f"{one.meaning}{secret}")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _path(path: str, one: Setting) -> str:
    name = f"{one.name}.NAME" if one.many else one.name
    return f"{path}.{name}" if path else name


def _link(path: str) -> str:
    return f"[{path}](#{path.replace('.', '').lower()})"


def _default(one: Setting) -> str:
    value = one.default
    if one.required:
        return "required"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if one.of is not None or value == {}:
        return "`{}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    for unit, name in UNITS.items():
        if isinstance(value, int) and value >= unit and value % unit == 0:
            return f"{value // unit} {name}"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"
