"""Our description of the messages, against bytes that tritonclient 2.73 wrote with the generated ones."""

import json
from typing import Any

from sealift.serving.grpc.messages import CLASSES


def read(name: str, wire: str) -> Any:
    return CLASSES[name].FromString(bytes.fromhex(wire))


REQUEST = (
    "0a016d1201311a013722080a016112031a01622a110a046c6566741205494e5433321a0201022a120a057269676874120542595445531a020101"
    "321b0a0373756d12140a0e636c617373696669636174696f6e120210023a0801000000feffffff3a0602000000c3a9"
)
CONTENTS = (
    "0a0101120affffffffffffffffff011a0a808080808080808080012205ffffffff0f2a0affffffffffffffffff0132040000003f3a0800000000"
    "0000d03f420178"
)
METADATA = (
    "0a016d1201311a017022160a01691204465033321a0bffffffffffffffffff01032a150a016f1204465033321a0affffffffffffffffff01"
)


def test_a_request() -> None:
    message = read("ModelInferRequest", REQUEST)

    assert (message.model_name, message.model_version, message.id) == ("m", "1", "7")
    assert message.parameters["a"].string_param == "b"
    assert [(one.name, one.datatype, list(one.shape)) for one in message.inputs] == [
        ("left", "INT32", [1, 2]), ("right", "BYTES", [1, 1]),
    ]  # fmt: skip
    assert [one.parameters["classification"].int64_param for one in message.outputs] == [2]
    assert list(message.raw_input_contents) == [b"\x01\x00\x00\x00\xfe\xff\xff\xff", b"\x02\x00\x00\x00\xc3\xa9"]
    assert message.SerializeToString() == bytes.fromhex(REQUEST)


def test_typed_contents() -> None:
    message = read("InferTensorContents", CONTENTS)

    assert [list(getattr(message, field.name)) for field in message.DESCRIPTOR.fields] == [
        [True], [-1], [-(2**63)], [2**32 - 1], [2**64 - 1], [0.5], [0.25], [b"x"],
    ]  # fmt: skip


def test_metadata() -> None:
    message = read("ModelMetadataResponse", METADATA)

    told = [
        message.name,
        list(message.versions),
        message.platform,
        message.inputs[0].name,
        list(message.inputs[0].shape),
    ]
    assert json.dumps(told) == '["m", ["1"], "p", "i", [-1, 3]]'
    assert message.SerializeToString() == bytes.fromhex(METADATA)
