"""Provenance of an artifact as an in-toto statement with the predicate of SLSA.

Statement: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md. Predicate:
https://slsa.dev/spec/v1.0/provenance. docs/how-to/provenance.md defines the build type.
"""

from typing import Any, Final

from sealift.contents.codec import encode
from sealift.provenance.subject import FILE_SET, SEGMENTED, Subject, list_libraries

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "https://sealift.dev/training/v1"
BUILDER: Final = "https://sealift.dev/training"


def make_slsa(subject: Subject) -> dict[str, Any]:
    """Returns the statement as JSON values."""
    described = subject.description
    return {
        "_type": STATEMENT_TYPE,
        "subject": _subjects(subject),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": _without_none(
                    {
                        "dataset": described.dataset,
                        "model": described.model,
                        "task": described.task,
                        "hyperparameters": dict(described.hyperparameters),
                    }
                ),
                "resolvedDependencies": _dependencies(subject),
            },
            "runDetails": {
                "builder": {"id": BUILDER},
                "metadata": {"invocationId": subject.artifact_id},
                "byproducts": _byproducts(subject),
            },
        },
    }


def _subjects(subject: Subject) -> list[dict[str, Any]]:
    payload = {"sha256": subject.payload_sha256, SEGMENTED: subject.payload_digest}
    subjects: list[dict[str, Any]] = [{"name": f"{subject.artifact_id}.payload", "digest": payload}]
    if subject.description.content_digest is not None:
        plain = {"sha256": subject.description.content_digest}
        subjects.append({"name": f"{subject.artifact_id}.model", "digest": plain})
    return subjects


def _dependencies(subject: Subject) -> list[dict[str, Any]]:
    described = subject.description
    digests = (("data", described.data_digest), ("code", described.code_digest))
    named = [{"name": name, "digest": {FILE_SET: digest}} for name, digest in digests if digest is not None]
    return named + [{"name": one.name, "uri": one.purl} for one in list_libraries(described)]


def _byproducts(subject: Subject) -> list[dict[str, Any]]:
    described = subject.description
    results = _without_none(
        {
            "metrics": encode(described.metrics),
            "epochsRun": described.epochs_run,
            "stopReason": described.stop_reason,
            "rows": None if described.rows is None else encode(described.rows),
        }
    )
    return [{"name": "results", "annotations": results}]


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
