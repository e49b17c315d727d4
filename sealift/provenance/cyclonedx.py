"""Bill of materials of a model, in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): an ML-BOM."""

import json
import uuid
from typing import Any, Final

from sealift.contents.description import TensorForm
from sealift.provenance.subject import SEGMENTED, Subject, list_libraries

SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
SPEC_VERSION: Final = "1.6"
MODEL_REF: Final = "model"
DATA_REF: Final = "data"


def make_cyclonedx(subject: Subject) -> dict[str, Any]:
    """Returns the bill of materials as JSON values."""
    libraries = [
        {"type": "library", "bom-ref": one.purl, "name": one.name, "version": one.version, "purl": one.purl}
        for one in list_libraries(subject.description)
    ]
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid.UUID(hex=subject.artifact_id)}",
        "version": 1,
        "metadata": {"component": _model(subject)},
        "components": libraries,
        "dependencies": [
            {"ref": MODEL_REF, "dependsOn": [one["bom-ref"] for one in libraries]},
            *({"ref": one["bom-ref"]} for one in libraries),
        ],
    }


def _model(subject: Subject) -> dict[str, Any]:
    described = subject.description
    digests = (("data-digest", described.data_digest), ("code-digest", described.code_digest))
    properties = {
        "artifact-id": subject.artifact_id,
        "payload-digest": subject.payload_digest,
        "payload-size": str(subject.payload_size),
        **{name: digest for name, digest in digests if digest is not None},
        **{f"hyperparameter:{name}": _text(value) for name, value in sorted(described.hyperparameters.items())},
    }
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL_REF,
        "name": described.model or subject.artifact_id,
        "version": subject.artifact_id,
        "description": f"Payload sealed by Sealift; {SEGMENTED} is the property sealift:payload-digest.",
        "hashes": [{"alg": "SHA-256", "content": subject.payload_sha256}],
        "modelCard": _model_card(subject),
        "properties": [{"name": f"sealift:{name}", "value": value} for name, value in properties.items()],
    }


def _model_card(subject: Subject) -> dict[str, Any]:
    described = subject.description
    parameters: dict[str, Any] = {"approach": {"type": "supervised"}}
    if described.task is not None:
        parameters["task"] = described.task
    if described.model is not None:
        parameters["modelArchitecture"] = described.model
    if described.dataset is not None:
        parameters["datasets"] = [{"type": "dataset", "bom-ref": DATA_REF, "name": described.dataset}]
    parameters["inputs"] = [{"format": _form(one)} for one in described.inputs]
    parameters["outputs"] = [] if described.output is None else [{"format": _form(described.output)}]
    metrics = [{"type": name, "value": _text(value)} for name, value in sorted(described.metrics.items())]
    return {"modelParameters": parameters, "quantitativeAnalysis": {"performanceMetrics": metrics}}


def _form(tensor: TensorForm) -> str:
    return f"{tensor.name}: {tensor.datatype} [{', '.join(str(size) for size in tensor.shape)}]"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
