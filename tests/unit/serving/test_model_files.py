"""A sealed model opens no file, whatever it names and wherever: ONNX Runtime would answer with what the file holds."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sealift.sealing import seal
from sealift.serving.errors import StartError
from sealift.serving.model import Model
from sealift.serving.model import load as load_opened
from sealift.serving.opening import Opening, Source
from tests.keys import key_pair
from tests.unit.serving.tiny import DESCRIPTION, Files

SECRET = b"a private key of 36 bytes, in a file"


def outside(location: str, name: str = "weights") -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.UINT8, dims=[len(SECRET)])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def model_of(graph_nodes: list[onnx.NodeProto], **parts: object) -> onnx.ModelProto:
    """FP32 [batch, 1] → UINT8 [36]: whatever `weights` is."""
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 1])
    answer = helper.make_tensor_value_info("answer", TensorProto.UINT8, [len(SECRET)])
    functions = parts.pop("functions", [])
    graph = helper.make_graph(graph_nodes, "reader", [given], [answer], **parts)  # type: ignore[arg-type]
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=9, functions=functions)


def initializer(location: str) -> onnx.ModelProto:
    return model_of([helper.make_node("Identity", ["weights"], ["answer"])], initializer=[outside(location)])


def constant(location: str) -> onnx.ModelProto:
    return model_of([helper.make_node("Constant", [], ["answer"], value=outside(location))])


def branch(location: str) -> onnx.ModelProto:
    answer = helper.make_tensor_value_info("branch", TensorProto.UINT8, [len(SECRET)])
    body = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["branch"])], "body", [], [answer], [outside(location, "w")]
    )
    true = helper.make_tensor("", TensorProto.BOOL, [], [True])
    nodes = [
        helper.make_node("Constant", [], ["yes"], value=true),
        helper.make_node("If", ["yes"], ["answer"], then_branch=body, else_branch=body),
    ]
    return model_of(nodes)


def function(location: str) -> onnx.ModelProto:
    body = [helper.make_node("Constant", [], ["o"], value=outside(location))]
    own = helper.make_function("own", "Read", [], ["o"], body, [helper.make_opsetid("", 17)])
    return model_of([helper.make_node("Read", [], ["answer"], domain="own")], functions=[own])


def function_default(location: str) -> onnx.ModelProto:
    inner = helper.make_node("Constant", [], ["o"])
    inner.attribute.add(name="value", ref_attr_name="content", type=onnx.AttributeProto.TENSOR)
    own = helper.make_function("own", "Read", [], ["o"], [inner], [helper.make_opsetid("", 17)])
    own.attribute_proto.append(helper.make_attribute("content", outside(location)))
    return model_of([helper.make_node("Read", [], ["answer"], domain="own")], functions=[own])


def sparse(location: str) -> onnx.ModelProto:
    values = outside(location)
    indices = helper.make_tensor("i", TensorProto.INT64, [len(SECRET)], range(len(SECRET)))
    one = helper.make_sparse_tensor(values, indices, [len(SECRET)])
    return model_of([helper.make_node("Identity", ["weights"], ["answer"])], sparse_initializer=[one])


PLACES = [initializer, constant, branch, function, function_default, sparse]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place.__name__))
def test_a_model_that_names_a_file_is_refused_before_the_file_is_opened(
    place: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "private.pem").write_bytes(SECRET)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(StartError, match="keeps weights in other files, which the server never opens"):
        Model(place("private.pem").SerializeToString(), DESCRIPTION)


def test_onnx_runtime_itself_would_answer_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the tests of this file test nothing."""
    import onnxruntime

    (tmp_path / "private.pem").write_bytes(SECRET)
    monkeypatch.chdir(tmp_path)
    session = onnxruntime.InferenceSession(initializer("private.pem").SerializeToString())

    (answer,) = session.run(None, {"input": np.zeros((1, 1), np.float32)})
    assert bytes(np.asarray(answer)) == SECRET


def test_a_sealed_model_that_names_a_file_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    artifact = seal(initializer("private.pem").SerializeToString(), DESCRIPTION, [key_pair().recipient])
    files = Files.write(tmp_path, artifact)
    source = Source(files.payload, files.manifest, files.key, artifact.artifact_id, artifact.payload_digest)

    with Opening(source) as opening, pytest.raises(StartError, match="never opens"):
        load_opened(opening)


def test_memory_is_no_file_either() -> None:
    """ONNX Runtime takes this location for an address in its own memory."""
    tensor = outside("*/_ORT_MEM_ADDR_/*")
    tensor.external_data.add(key="offset", value="140000000000000")
    model = model_of([helper.make_node("Identity", ["weights"], ["answer"])], initializer=[tensor])

    with pytest.raises(StartError, match="never opens"):
        Model(model.SerializeToString(), DESCRIPTION)


@pytest.mark.parametrize("content", [b"", b"not ONNX", b"\x08\x00\x00\x00ORTM" + bytes(64), b"\x23\x24"])
def test_what_is_not_an_onnx_file_is_never_handed_on(content: bytes) -> None:
    """ONNX Runtime reads a format of its own too, which no walk looks through."""
    with pytest.raises(StartError):
        Model(content, DESCRIPTION)
