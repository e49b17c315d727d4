"""Every datatype through ONNX Runtime and back, in JSON and as binary data; and in JSON what is beyond each."""

import json
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from sealift.serving.errors import InvalidInput
from sealift.serving.model import Model
from sealift.serving.protocol import json_numbers, open_inference
from sealift.serving.protocol.contract import Answer, Inferred
from sealift.serving.tensor import KINDS
from tests.unit.serving.tiny import onnx_model

ONNX = {
    "BOOL": TensorProto.BOOL, "UINT8": TensorProto.UINT8, "UINT16": TensorProto.UINT16, "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64, "INT8": TensorProto.INT8, "INT16": TensorProto.INT16, "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64, "FP16": TensorProto.FLOAT16, "FP32": TensorProto.FLOAT, "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}  # fmt: skip
EXTREMES: dict[str, list[Any]] = {
    "BOOL": [True, False, True], "UINT8": [0, 1, 2**8 - 1], "UINT16": [0, 1, 2**16 - 1], "UINT32": [0, 1, 2**32 - 1],
    "UINT64": [0, 2**63, 2**64 - 1], "INT8": [-(2**7), 0, 2**7 - 1], "INT16": [-(2**15), 0, 2**15 - 1],
    "INT32": [-(2**31), 0, 2**31 - 1], "INT64": [-(2**63), 2**53 + 1, 2**63 - 1], "FP16": [-65504.0, 6e-8, 65504.0],
    "FP32": [-3.4028234663852886e38, 1e-45, 0.1], "FP64": [-1.7976931348623157e308, 5e-324, 0.1],
    "BYTES": ["", "東\u0000", '"\n'],
}  # fmt: skip
BEYOND: dict[str, list[Any]] = {
    "BOOL": [0, 1, "true", None], "UINT8": [-1, 2**8, 1.0], "UINT16": [-1, 2**16], "UINT32": [-1, 2**32],
    "UINT64": [-1, 2**64, 10**30], "INT8": [-(2**7) - 1, 2**7], "INT16": [-(2**15) - 1, 2**15],
    "INT32": [-(2**31) - 1, 2**31, True], "INT64": [-(2**63) - 1, 2**63, 10**30, 1.5],
    "FP16": [65520, -65520.0], "FP32": [3.4028235677973366e38, -1e39, False], "FP64": [10**309, -(10**400)],
    "BYTES": [1, None, ["a"]],
}  # fmt: skip


def ask(datatype: str, fields: dict[str, Any], data: bytes = b"", **more: object) -> Answer:
    """What a model answers that gives back what it is given."""
    model = Model(onnx_model("Identity", ("input",), ONNX[datatype]), {})
    operation = open_inference.operations("m", model)["/v2/models/m/infer"]
    assert isinstance(operation, Inferred)
    item = {"name": "input", "shape": [1, 3], "datatype": datatype} | fields
    head = json.dumps({"inputs": [item]} | more).encode()
    inference = operation.parse(head + data, len(head))
    return operation.answer(inference, model.run(inference.inputs, inference.outputs))


def test_all_datatypes_that_are_served_are_tried() -> None:
    assert set(ONNX) == set(KINDS) == set(EXTREMES) == set(BEYOND)


@pytest.mark.parametrize("datatype", ONNX)
def test_the_extremes_of_each_datatype_come_back_in_json_as_they_went(datatype: str) -> None:
    (output,) = json.loads(ask(datatype, {"data": [EXTREMES[datatype]]}).body)["outputs"]

    assert (output["datatype"], output["shape"]) == (datatype, [1, 3])
    expected = np.array(EXTREMES[datatype], KINDS[datatype])
    assert [type(one) for one in output["data"]] == [type(one) for one in EXTREMES[datatype]]
    assert np.array(output["data"], KINDS[datatype]).tolist() == expected.tolist()


@pytest.mark.parametrize("datatype", ONNX)
def test_the_extremes_of_each_datatype_come_back_as_binary_data_as_they_went(datatype: str) -> None:
    values = EXTREMES[datatype]
    if datatype == "BYTES":
        data = b"".join(len(one.encode()).to_bytes(4, "little") + one.encode() for one in values)
    else:
        data = np.array(values, KINDS[datatype]).tobytes()

    sized = {"parameters": {"binary_data_size": len(data)}}
    body, json_bytes = ask(datatype, sized, data, parameters={"binary_data_output": True})

    assert body[json_bytes:] == data
    assert json.loads(body[:json_bytes])["outputs"][0]["datatype"] == datatype


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
def test_what_json_has_no_words_for_goes_through_as_binary_data(datatype: str) -> None:
    data = np.array([np.nan, np.inf, -np.inf], KINDS[datatype]).tobytes()

    sized = {"parameters": {"binary_data_size": len(data)}}
    body, json_bytes = ask(datatype, sized, data, parameters={"binary_data_output": True})

    assert body[json_bytes:] == data


@pytest.mark.parametrize("piece_bytes", [1, 1000])
@pytest.mark.parametrize(("datatype", "value"), [(kind, value) for kind in BEYOND for value in BEYOND[kind]])
def test_what_is_none_of_a_datatype_is_refused_with_its_place(
    monkeypatch: pytest.MonkeyPatch, datatype: str, value: object, piece_bytes: int
) -> None:
    monkeypatch.setattr(json_numbers, "PIECE_BYTES", piece_bytes)
    first, _, last = EXTREMES[datatype]

    with pytest.raises(InvalidInput, match=r"^input 'input' has .*\[1\]"):
        ask(datatype, {"data": [first, value, last]})
    with pytest.raises(InvalidInput, match=r"^input 'input' has .*\[0\]\[1\]"):
        ask(datatype, {"data": [[first, value, last]]})
