"""Documents about artifacts, read by the formats' own schemas and messages."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cyclonedx.schema
import jsonschema
import pytest
import referencing
import referencing.jsonschema
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.statement import Statement

from sealift.contents.description import Description, RowCounts, TensorForm
from sealift.provenance import Subject, make_cyclonedx, make_slsa

SCHEMAS: Final = Path(cyclonedx.schema.__file__).parent / "_res"
DESCRIPTION: Final = Description(
    task="classification",
    dataset="data/churn.csv",
    model="mlp",
    hyperparameters={"learningRate": 0.1, "epochs": 3, "hidden": [8, 8], "momentum": None},
    metrics={"accuracy": 0.75, "auroc": 0.5},
    epochs_run=3,
    stop_reason="epochs",
    data_digest="1" * 64,
    code_digest="2" * 64,
    libraries="torch 2.15.0+cu130, numpy 2.4.6, scikit_learn 1.9.1",
    content_digest="3" * 64,
    rows=RowCounts(70, 30),
    inputs=(TensorForm("age", "INT64", ("batch", 1)),),
    output=TensorForm("probabilities", "FP32", ("batch", 2)),
)
SUBJECT: Final = Subject("0123456789abcdef" * 2, "4" * 64, 1234, "5" * 64, DESCRIPTION)
BARE: Final = replace(SUBJECT, description=Description())


def is_cyclonedx(document: Any) -> None:
    """Raises ValidationError unless the document is valid by CycloneDX's own schema."""
    schemas = {
        name: json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text())
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    named = {f"{name}.schema.json": referencing.jsonschema.DRAFT7.create_resource(one) for name, one in schemas.items()}
    base = "http://cyclonedx.org/schema/"
    registry = referencing.Registry().with_resources([(base + name, one) for name, one in named.items()])
    checker = jsonschema.Draft7Validator.FORMAT_CHECKER
    jsonschema.Draft7Validator(schemas["bom-1.6"], registry=registry, format_checker=checker).validate(document)


@pytest.mark.parametrize("subject", [SUBJECT, BARE], ids=["described", "bare"])
def test_a_bill_of_materials_is_valid_by_the_schema_of_cyclonedx(subject: Subject) -> None:
    document = make_cyclonedx(subject)

    is_cyclonedx(document)
    with pytest.raises(jsonschema.ValidationError):
        is_cyclonedx(document | {"specVersion": 1.6})
    with pytest.raises(jsonschema.ValidationError):
        is_cyclonedx(document | {"components": [{"type": "unheard-of", "name": "x"}]})


@pytest.mark.parametrize("subject", [SUBJECT, BARE], ids=["described", "bare"])
def test_the_statement_is_read_by_the_messages_of_in_toto(subject: Subject) -> None:
    document = make_slsa(subject)

    statement = Statement("", "", {})
    json_format.ParseDict(document, statement.pb)
    statement.validate()
    predicate = json_format.ParseDict(document["predicate"], Provenance())

    assert statement.pb.subject[0].digest["sha256"] == subject.payload_sha256
    assert predicate.build_definition.build_type and predicate.run_details.builder.id
    with pytest.raises(json_format.ParseError):
        json_format.ParseDict(document["predicate"] | {"unheardOf": 1}, Provenance())


def test_documents_name_data_code_libraries_and_results() -> None:
    slsa, bom = make_slsa(SUBJECT), make_cyclonedx(SUBJECT)

    definition = slsa["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["hyperparameters"] == DESCRIPTION.hyperparameters
    assert definition["resolvedDependencies"] == [
        {"name": "data", "digest": {"sealiftFileSet": "1" * 64}},
        {"name": "code", "digest": {"sealiftFileSet": "2" * 64}},
        {"name": "torch", "uri": "pkg:pypi/torch@2.15.0%2Bcu130"},
        {"name": "numpy", "uri": "pkg:pypi/numpy@2.4.6"},
        {"name": "scikit_learn", "uri": "pkg:pypi/scikit-learn@1.9.1"},
    ]
    assert slsa["predicate"]["runDetails"]["byproducts"][0]["annotations"]["metrics"] == DESCRIPTION.metrics
    card = bom["metadata"]["component"]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"][0] == {"type": "accuracy", "value": "0.75"}
    assert card["modelParameters"]["inputs"] == [{"format": "age: INT64 [batch, 1]"}]
    assert [one["purl"] for one in bom["components"]][1:] == ["pkg:pypi/numpy@2.4.6", "pkg:pypi/scikit-learn@1.9.1"]


def test_equal_artifacts_have_equal_documents() -> None:
    again = replace(
        SUBJECT, description=replace(DESCRIPTION, metrics=dict(sorted(DESCRIPTION.metrics.items(), reverse=True)))
    )

    assert json.dumps(make_slsa(again), sort_keys=True) == json.dumps(make_slsa(SUBJECT), sort_keys=True)
    assert json.dumps(make_cyclonedx(again)) == json.dumps(make_cyclonedx(SUBJECT))
