"""The declarations as the source of a TypedDict: the `args` of a component or resource, each with a docstring."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any, Final

from sealift.settings.declare import Setting, declarations, summary

PYTHON: Final = {"string": "str", "number": "float", "integer": "int", "boolean": "bool", "any": "Any"}
WIDTH: Final = 116


def typed_dict(name: str, of: type[Any]) -> str:
    """Writes `class NAME(TypedDict)`. Keys are Pulumi's camelCase names. It has no base class, because the SDK's
    analyzer does not find docstrings in one.
    """
    lines = [f"class {name}(TypedDict):", *_docstring(summary(of))]
    for one in declarations(of):
        kind = f"pulumi.Input[{_python(one)}]"
        lines += ["", f"    {one.name}: {kind if one.required else f'NotRequired[{kind}]'}"]
        lines += _docstring(describe(one))
    return "\n".join(lines) + "\n"


def describe(one: Setting) -> str:
    """Returns the description of a setting: meaning, allowed values, and default."""
    return " ".join(_sentences(one))


def _python(one: Setting) -> str:
    if one.kind is None:
        return "Mapping[str, Any]"
    if one.kind.type == "array":
        return f"Sequence[pulumi.Input[{PYTHON[one.kind.items]}]]" if one.kind.items else "Sequence[Any]"
    if one.kind.type == "object":
        return f"Mapping[str, pulumi.Input[{PYTHON[one.kind.items]}]]" if one.kind.items else "Mapping[str, Any]"
    return PYTHON[one.kind.type]


def _sentences(one: Setting) -> Iterator[str]:
    yield one.meaning
    if one.kind is not None and one.kind.type != "boolean":
        yield f"Allowed: {one.kind.allowed}."
    if not one.required and one.default not in (None, "", (), {}) and one.kind is not None:
        yield f"Default: {_spell(one.default)}."
    if one.secret:
        yield "Secret."


def _spell(default: object) -> str:
    return json.dumps(default) if isinstance(default, bool | tuple) else str(default)


def _docstring(text: str) -> list[str]:
    wrapped = textwrap.wrap(text.replace("\\", "\\\\"), WIDTH - 3, break_long_words=False)
    quotes = '"""'
    if len(wrapped) == 1 and not text.endswith('"'):
        return [f"    {quotes}{wrapped[0]}{quotes}"]
    return [f"    {quotes}{wrapped[0]}", *(f"    {line}" for line in wrapped[1:]), f"    {quotes}"]
