"""Data for the model's page: the model's name, origin, inputs and outputs, from which the page makes its form.

The metrics are not included, because a stack may keep them secret.
"""

from typing import Final

from sealift.serving.model import Model
from sealift.serving.protocol.open_inference_answer import encode
from sealift.serving.row_schema import Field, Row
from sealift.serving.version import VERSION

MOST_FIELDS: Final = 1024
"""Largest number of fields of an input that are listed. Of a larger input without names, only the first field is, and
the page repeats it."""


def about(name: str, model: Model, explains: bool) -> bytes:
    """Returns the data as JSON."""
    source = model.source
    return encode(
        {
            "name": name,
            "server": f"sealift {VERSION}",
            "artifactId": source and source.artifact_id,
            "payloadDigest": source and source.payload_digest,
            "task": model.description.task,
            "classes": list(model.description.classes),
            "explains": explains,
            "inputs": [_input(row) for row in model.rows],
            "outputs": [{"name": one.name, "datatype": one.datatype} for one in model.outputs.values()],
        }
    )


def _input(row: Row) -> dict[str, object]:
    fields = row.fields if len(row.fields) <= MOST_FIELDS or row.fields[0].name else row.fields[:1]
    return {
        "name": row.tensor.name,
        "datatype": row.tensor.datatype,
        "shape": row.shape,
        "fields": [_field(field) for field in fields],
    }


def _field(field: Field) -> dict[str, object]:
    return {
        "name": field.name,
        "usual": field.usual,
        "lowest": field.lowest,
        "highest": field.highest,
        "choices": field.choices,
    }
