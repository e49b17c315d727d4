"""A mapping → a dataclass of settings, or all its problems rather than only the first.

A class with rules between its settings has a method `clashes`, which yields each violated rule as a Clash.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from sealift.names import camel_case, snake_case
from sealift.settings.declare import KEY, Setting, declarations
from sealift.settings.kinds import Kind, Refused, RefusedInside, any_text, show_value
from sealift.settings.names import input_of
from sealift.settings.problem import Problem

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Clash:
    """`property` conflicts with the properties in `needs`. The rule is skipped while any of them is unknown."""

    property: str
    message: str
    needs: tuple[str, ...] = ()
    hint: str = ""


@runtime_checkable
class Clashing(Protocol):
    """A dataclass of settings with rules between them."""

    def clashes(self) -> Iterator[Clash]:
        """Yields the conflicts. Names are camelCase, and paths are relative to this object. Unknown and refused values
        have their defaults."""


def read(
    of: type[Settings],
    raw: Mapping[str, object],
    what: str,
    *,
    path: str = "",
    unknown: Collection[str] = (),
    outside: Callable[[Settings], Iterable[Clash]] = lambda settings: (),
) -> tuple[Settings, list[Problem]]:
    """Returns the settings in `raw` and all their problems. Missing (or None) and invalid values get the default.

    `what` describes the object in messages about unknown names. `path` is the prefix of property paths. `unknown` are
    names whose values are not known yet; they are not checked. `outside` yields further conflicts, of which those about
    settings with another problem are dropped.
    """
    declared = list(declarations(of))
    chosen: dict[str, object] = {}
    problems: list[Problem] = []
    for one in declared:
        value = raw.get(one.name)
        if value is None:
            if one.required and one.name not in unknown:
                problems.append(Problem(f"{path}{one.name}", "is missing"))
            continue
        if one.name in unknown:
            continue
        accepted, found = _accept(one, value, f"{path}{one.name}")
        problems += found
        if not found:
            chosen[snake_case(one.name)] = accepted
    settings = of(**chosen)

    def setting_of(problem: Problem) -> str:
        return input_of(problem.property[len(path) :])

    for clashes in (settings.clashes() if isinstance(settings, Clashing) else (), outside(settings)):
        excluded = {*unknown, *map(setting_of, problems)}
        problems += [
            Problem(f"{path}{clash.property}", clash.message, clash.hint)
            for clash in clashes
            if not {input_of(clash.property), *clash.needs} & excluded
        ]
    names = [one.name for one in declared]
    problems.sort(key=lambda one: names.index(setting_of(one)))
    return settings, problems + list(_strange(raw, names, what, path))


def numbers_read(of: type[Any], raw: Mapping[str, object]) -> dict[str, object]:
    """Converts texts to numbers where a number is declared, and numbers to texts where text is declared. Other values
    stay unchanged, so that `read` can quote them.
    """
    return _each(of, texts_read(of, raw), _number_read)


def texts_read(of: type[Any], raw: Mapping[str, object]) -> dict[str, object]:
    """Converts numbers to texts where text is declared: in YAML, a rotation of 2027 is a number."""
    return _each(of, raw, _text_read)


def _each(of: type[Any], raw: Mapping[str, object], change: Callable[[Kind[Any], object], object]) -> dict[str, object]:
    """Applies `change` to the values of all declared settings, at every depth."""

    def changed(one: Setting, value: object) -> object:
        if one.kind is not None:
            return change(one.kind, value)
        if one.of is None or not isinstance(value, Mapping):
            return value
        if one.many:
            return {name: changed(replace(one, many=False), each) for name, each in value.items()}
        return _each(one.of, value, change)

    declared = {one.name: one for one in declarations(of)}
    return {name: changed(declared[name], value) if name in declared else value for name, value in raw.items()}


def properties(settings: object) -> dict[str, object]:
    """The settings as a mapping for `read`, with camelCase names and without default values."""
    return cast("dict[str, object]", spell(settings))


def spell(value: object, *, only_off: bool = False, shapes: bool | None = None) -> Any:
    """A setting's value as JSON. Objects of settings have camelCase names and no default values or, with `only_off`, no
    default values that are off: None, false, 0 or empty. `shapes` selects settings by that declaration.
    """
    if is_dataclass(value) and not isinstance(value, type):
        told, default = (_each_spelt(one, only_off, shapes) for one in (value, type(value)()))
        return {name: one for name, one in told.items() if one != default.get(name) or (only_off and one)}
    if isinstance(value, Mapping):
        return {name: spell(one, only_off=only_off, shapes=shapes) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _each_spelt(settings: object, only_off: bool, shapes: bool | None) -> dict[str, Any]:
    """Returns all values by name, including defaults. In a section with `shapes`, each setting decides for itself."""
    chosen: dict[str, Any] = {}
    for field in fields(settings):  # type: ignore[arg-type]
        value, one_shapes = getattr(settings, field.name), field.metadata.get(KEY, {}).get("shapes", True)
        if shapes is None or one_shapes == shapes:
            inner = shapes or None
            chosen[camel_case(field.name)] = spell(value, only_off=only_off, shapes=inner)
        elif one_shapes and is_dataclass(value):
            chosen[camel_case(field.name)] = spell(value, only_off=only_off, shapes=False)
    return chosen


def names_of(of: type[Any]) -> tuple[str, ...]:
    """Names of the settings in camelCase."""
    return tuple(camel_case(field.name) for field in fields(of))


def _accept(one: Setting, value: object, path: str) -> tuple[object, list[Problem]]:
    if one.kind is not None:
        try:
            return one.kind.accept(_text_of(value) if one.kind is any_text else value), []
        except Refused as refused:
            shown_value = "a secret, which is not shown" if one.secret else show_value(value)
            return None, [Problem(path, f"is {shown_value}; {refused}", refused.hint)]
        except RefusedInside as refused:
            return None, [replace(inner, property=f"{path}{inner.property}") for inner in refused.problems]
    if one.of is None:
        raise AssertionError(f"internal error: {path} has neither a kind nor settings of its own")
    if not isinstance(value, Mapping):
        inside = "objects" if one.many else "settings"
        return None, [Problem(path, f"is {show_value(value)}; allowed: an object of {inside}")]
    if not one.many:
        return read(one.of, value, path, path=f"{path}.")
    named: dict[str, object] = {}
    problems: list[Problem] = []
    for name, inner in value.items():
        accepted, found = _accept(replace(one, many=False), inner, f"{path}.{name}")
        problems += found
        named[str(name)] = accepted
    return named, problems


def _number_read(kind: Kind[Any], value: object) -> object:
    if kind.type not in ("number", "integer") or not isinstance(value, str) or not value.isascii() or "_" in value:
        return value
    for number in (int, float):
        try:
            return number(value)
        except ValueError:
            continue
    return value


def _text_read(kind: Kind[Any], value: object) -> object:
    if kind.type == "string":
        return _text_of(value)
    if kind.items == "string" and isinstance(value, list | tuple):
        return [_text_of(one) for one in value]
    if kind.items == "string" and isinstance(value, Mapping):
        return {name: _text_of(one) for name, one in value.items()}
    return value


def _text_of(value: object) -> object:
    """A number as text in its usual spelling. Pulumi turns 2027 into a double."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _strange(raw: Mapping[str, object], names: list[str], what: str, path: str) -> Iterator[Problem]:
    for name in sorted(map(str, raw.keys() - set(names))):
        close = get_close_matches(name, names, n=1)
        meant = f"did you mean '{close[0]}'?" if close else f"allowed: {', '.join(names)}"
        yield Problem(f"{path}{name}", f"is not a setting of {what}; {meant}")
