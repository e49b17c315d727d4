"""Pages of the settings: one for each section of a stack's config, and an index of all of them."""

import json
from collections.abc import Iterator
from typing import Final

from components.sections import SECTIONS
from docs.settings_by_task import GROUPS, REMARKS, Declared, Example, commands, declared, effect
from sealift.settings.declare import summary

INDEX_HEAD: Final = """\
# Configuration: every setting

`make docs` generates this page and the pages of the sections from the declarations beside the components. A stack's
config has sections. Each section is an object of settings. A setting that you leave out has its default:

    config:
      sealift:training:
        dataset: data/churn.csv
        data: {target: churned}
        momentum: 0.9
        earlyStopping: {patience: 5}
      sealift:deployment: {replicas: 3, memoryLimit: 1Gi}

To change one setting: `pulumi config set --path training.learningRate 0.02`. In your own program, the same names are
keys of the components' `args`.

`target` is the place where the model is served: `kubernetes` (the default), with the settings in `deployment`, or
`docker`, with the settings in `container`.

| section | settings of |
|---|---|
"""
TYPES: Final = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "array": "list",
    "object": "object",
    "any": "text or object",
}
UNITS: Final = {2**30: "GiB", 2**20: "MiB"}


def pages() -> dict[str, str]:
    """Returns the page of each section, by the section's name."""
    return {section: "".join(_page(section)) for section in SECTIONS}


def index() -> str:
    """Returns the page that lists all settings."""
    parts = [INDEX_HEAD]
    parts += [f"| [`{name}`](settings/{name}.md) | {_first_sentence(summary(of))} |\n" for name, of in SECTIONS.items()]
    for section in SECTIONS:
        parts.append(f"\n## {section}\n\n| setting | meaning |\n|---|---|\n")
        for one in declared(section):
            if one.setting.of is None:
                link = f"[`{one.path}`](settings/{section}.md#{anchor(one.path)})"
                parts.append(f"| {link} | {_first_sentence(one.setting.meaning)} |\n")
    return "".join(parts)


def anchor(path: str) -> str:
    """Returns the anchor of a setting on its section's page: the one that GitHub and the site make of the heading."""
    return path.replace(".", "").lower()


def _page(section: str) -> Iterator[str]:
    found = {one.path: one for one in declared(section)}
    yield f"# Settings of {section}\n\n{summary(SECTIONS[section])}\n\n"
    yield "`make docs` generates this page. [Configuration](../configuration.md) lists all settings. "
    yield "A list that you set replaces the default list.\n"
    yield '"Change" is the effect of a change on the next `pulumi up`.\n'
    shown: set[str] = set()
    for title, examples in GROUPS[section].items():
        yield f"\n## {title}\n"
        for path, example in examples.items():
            for outer in _objects_around(path, found):
                if outer.path not in shown:
                    shown.add(outer.path)
                    yield from _object(outer)
            yield from _setting(found[path], example)


def _objects_around(path: str, found: dict[str, Declared]) -> Iterator[Declared]:
    parts = path.split(".")
    yield from (found[outer] for length in range(1, len(parts)) if (outer := ".".join(parts[:length])) in found)


def _object(one: Declared) -> Iterator[str]:
    of = one.setting.of
    if of is None:
        raise AssertionError(f"internal error: {one.full_path} is not an object")
    meaning, about = one.setting.meaning, summary(of)
    text = f"{meaning} {about}" if one.setting.many else " ".join([about, *meaning.split(". ")[1:]])
    yield f"\n### {one.path}\n\n{text}\n"
    kind = "objects by name" if one.setting.many else "object"
    yield f"\n- Type: {kind}. {_default(one)}.\n"


def _setting(one: Declared, example: Example) -> Iterator[str]:
    kind = one.setting.kind
    if kind is None:
        raise AssertionError(f"internal error: {one.full_path} has no kind")
    yield f"\n### {one.path}\n\n{one.setting.meaning}\n\n"
    secret = ", secret" if one.setting.secret else ""
    allowed = "" if kind.type == "boolean" else f" Allowed: {kind.allowed}."
    remark = f" {REMARKS[one.full_path]}" if one.full_path in REMARKS else ""
    yield f"- Type: {TYPES[kind.type]}{secret}. {_default(one)}.{allowed}\n"
    yield f"- Change: {effect(one).value}.{remark}\n\n"
    yield "\n".join(["```sh", *commands(one.section, one.path, example), "```\n"])


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".").replace("|", "\\|") + "."


def _default(one: Declared) -> str:
    if one.setting.required:
        return "Required"
    is_object = one.setting.of is not None and one.setting.default is not None
    return f"Default: {'`{}`' if is_object else _value(one.setting.default)}"


def _value(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if value == {}:
        return "`{}`"
    if isinstance(value, tuple):
        return f"`{json.dumps(value)}`"
    for unit, name in UNITS.items():
        if isinstance(value, int) and value >= unit and value % unit == 0:
            return f"{value // unit} {name}"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"
