"""The package's schema. Inputs come from the declarations of the settings, outputs from the annotations of the classes
that a program uses and the docstrings below them.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from components.settings.api_key import ApiKeyInputs
from components.settings.artifact_signature import ArtifactSignatureInputs
from components.settings.container import ModelContainerInputs
from components.settings.deployment import ModelDeploymentInputs
from components.settings.image import ModelImageInputs
from components.settings.run import TrainingRunInputs
from components.settings.sealing_key import SealingKeyInputs
from components.settings.store import StoreSettings
from sealift.names import camel_case
from sealift.serving.version import VERSION
from sealift.settings import schema

COMPONENTS: Final = Path(__file__).resolve().parent.parent / "components"
RESOURCES: Final[Mapping[str, tuple[str, type[Any]]]] = {
    "ApiKey": ("api_key", ApiKeyInputs),
    "ArtifactSignature": ("artifact_signature", ArtifactSignatureInputs),
    "EncryptedArtifactStore": ("artifact_store", StoreSettings),
    "ModelContainer": ("model_container", ModelContainerInputs),
    "ModelDeployment": ("model_deployment", ModelDeploymentInputs),
    "ModelImage": ("model_image", ModelImageInputs),
    "SealingKey": ("sealing_key", SealingKeyInputs),
    "TrainingRun": ("training_run", TrainingRunInputs),
}
BASES: Final[Mapping[str, str]] = {"TrainingRunOutputs": "run_outputs"}
"""Base classes that declare outputs, and their modules."""
TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "str": {"type": "string"},
    "str | None": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "float | None": {"type": "number"},
    "Sequence[str]": {"type": "array", "items": {"type": "string"}},
    "Mapping[str, str]": {"type": "object", "additionalProperties": {"type": "string"}},
    "Mapping[str, float]": {"type": "object", "additionalProperties": {"type": "number"}},
    "Mapping[str, object]": {"type": "object", "additionalProperties": schema.ANY},
}
"""Schema types of outputs, by the type in `pulumi.Output[…]`."""


def package_schema() -> str:
    """Returns the schema as JSON, with which the plugin answers GetSchema."""
    types: dict[str, Any] = {}
    resources = {}
    for name, (module, inputs) in RESOURCES.items():
        types |= schema.types(inputs)
        resources[f"{schema.MODULE}:{name}"] = _resource(name, module, inputs)
    package = {
        "name": "sealift",
        "displayName": "Sealift",
        "version": VERSION,
        "description": "PyTorch models, trained, sealed and served on Kubernetes, within a quota and observed.",
        "meta": {"moduleFormat": "(.*)"},
        "types": dict(sorted(types.items())),
        "resources": resources,
    }
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def _resource(name: str, module: str, of: type[Any]) -> dict[str, Any]:
    described = _class(name, module)
    declared = schema.inputs(of)
    outputs = dict(_outputs(described))
    component = any(ast.unparse(base).endswith("ComponentResource") for base in described.bases)
    kept = {} if component else declared["inputProperties"]
    properties = {**{key: _plain(value) for key, value in kept.items()}, **outputs}
    return {
        "description": " ".join((ast.get_docstring(described) or "").split()),
        "isComponent": component,
        "properties": properties,
        "required": sorted(outputs),
        **declared,
    }


def _plain(described: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an input's description as an output, without the default."""
    return {key: value for key, value in described.items() if key != "default"}


def _class(name: str, module: str) -> ast.ClassDef:
    for node in ast.parse((COMPONENTS / f"{module}.py").read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    raise AssertionError(f"internal error: {module}.py has no class {name}")


def _outputs(described: ast.ClassDef) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each annotation `NAME: pulumi.Output[TYPE]` with its docstring, which ends in "Secret." for a secret."""
    for base in described.bases:
        if (name := ast.unparse(base)) in BASES:
            yield from _outputs(_class(name, BASES[name]))
    for node, below in zip(described.body, described.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = _docstring(below)
            kind = ast.unparse(node.annotation).removeprefix("pulumi.Output[").removesuffix("]")
            secret = {"secret": True} if text.endswith("Secret.") else {}
            yield camel_case(node.target.id), {"description": text, **TYPES[kind], **secret}


def _docstring(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).split())
    raise AssertionError(f"internal error: a docstring is missing before line {node.lineno}")
