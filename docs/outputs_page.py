"""The page of outputs: those of the stack, from the program, and those of each resource, from the package's schema."""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from docs.package_schema import package_schema
from sealift.names import camel_case
from sealift.settings.schema import MODULE

PROGRAM: Final = Path(__file__).resolve().parent.parent / "__main__.py"
HEAD: Final = """\
# Outputs

`make docs` generates this page from the program and the package's schema. `pulumi stack output NAME` shows one of the
stack's outputs. A secret is shown with `--show-secrets` only.
A preview can show other names for the namespace and the Service than `pulumi up`, because they depend on its values.
"""
SERVERS: Final = {"kubernetes": "ModelDeployment", "docker": "ModelContainer"}
"""Resources that the program's variable `service` can be, by target."""
VARIABLES: Final = {"store": "EncryptedArtifactStore", "run": "TrainingRun", "image": "ModelImage"}
"""Resources of the program's other variables."""
OWN: Final = {
    "modelName": "Name of the model in request paths such as /v2/models/NAME/infer.",
    "report": "Place of the run's report: the store's URL, that of the store of keys if there is one, and the id and "
    "the digest of the report's artifact. `make report` reads it.",
}
"""Meanings of the outputs that are not a resource's."""
TYPES: Final = {"string": "text", "integer": "whole number", "number": "number", "array": "list", "object": "object"}


def page() -> str:
    """Returns the page."""
    resources = {
        token.removeprefix(f"{MODULE}:"): one for token, one in json.loads(package_schema())["resources"].items()
    }
    parts = [HEAD, "\n## Stack\n\n| output | meaning |\n|---|---|\n"]
    parts += [f"| `{name}` | {meaning} |\n" for name, meaning in stack_outputs(resources).items()]
    for name, resource in sorted(resources.items()):
        parts += _resource(name, resource)
    return "".join(parts)


def stack_outputs(resources: Mapping[str, Any]) -> dict[str, str]:
    """Returns the meaning of each `pulumi.export(NAME, VALUE)` of the program, by name."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(PROGRAM.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(attr="export"), args=[ast.Constant(value=str(name)), value]):
                found[name] = OWN[name] if name in OWN else _meaning(value, resources)
    return dict(sorted(found.items()))


def _meaning(value: ast.expr, resources: Mapping[str, Any]) -> str:
    if not isinstance(value, ast.Attribute) or not isinstance(value.value, ast.Name):
        raise TypeError(f"internal error: {ast.unparse(value)} is exported, but OWN does not describe it")
    variable, name = value.value.id, camel_case(value.attr)
    if variable in VARIABLES:
        return str(resources[VARIABLES[variable]]["properties"][name]["description"])
    texts = {
        target: resources[of]["properties"][name]["description"]
        for target, of in SERVERS.items()
        if name in resources[of]["properties"]
    }
    if len(texts) == 1:
        ((target, text),) = texts.items()
        return f"{text} Only with `target: {target}`."
    if len(set(texts.values())) == 1:
        return str(texts["docker"])
    return " ".join(f"With `target: {target}`: {text}" for target, text in texts.items())


def _resource(name: str, resource: Mapping[str, Any]) -> Iterator[str]:
    own = {
        key: value
        for key, value in resource["properties"].items()
        if resource["isComponent"] or key not in resource.get("inputProperties", {})
    }
    rest = "" if resource["isComponent"] else " Its inputs are outputs too."
    yield f"\n## {name}\n\n{resource['description']}{rest}\n\n| output | meaning |\n|---|---|\n"
    for key, value in own.items():
        yield f"| `{key}`<br>{TYPES[value['type']]} | {value['description']} |\n"
