"""Which files an ONNX file's weights lie in, found without onnx: as onnx itself says."""

import contextlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from training.errors import ModelError
from training.weight_files import inside, locations, weight_files


def outside(name: str, location: str) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="offset", value="0")
    tensor.external_data.add(key="location", value=location)
    return tensor


def everywhere() -> onnx.ModelProto:
    """A model with a tensor in a file of its own in each place where it can have one."""
    body = helper.make_graph([], "body", [], [], [outside("b", "in_subgraph")])
    nodes = [
        helper.make_node("Constant", [], ["c"], value=outside("c", "in_attribute")),
        helper.make_node("If", ["c"], ["d"], then_branch=body, else_branch=helper.make_graph([], "none", [], [])),
    ]
    function = helper.make_function(
        "own", "F", [], ["o"],
        [helper.make_node("Constant", [], ["o"], value=outside("o", "in_function"))], [helper.make_opsetid("", 17)],
    )  # fmt: skip
    function.attribute_proto.append(helper.make_attribute("default", outside("d", "in_default")))
    sparse = helper.make_sparse_tensor(outside("v", "in_values"), outside("i", "in_indices"), [9])
    inner = numpy_helper.from_array(np.zeros(1000, np.float32), "location")
    graph = helper.make_graph(
        nodes, "graph", [], [], [inner, outside("w", "weights/in_initializer é")], sparse_initializer=[sparse]
    )
    return helper.make_model(graph, functions=[function])


def test_every_place_is_looked_at() -> None:
    assert locations(everywhere().SerializeToString()) == {
        "weights/in_initializer é", "in_attribute", "in_subgraph", "in_function", "in_default", "in_values",
        "in_indices",
    }  # fmt: skip


def test_a_model_in_one_file_has_none(tmp_path: Path) -> None:
    proto = everywhere()
    for field in ("initializer", "sparse_initializer", "node"):
        proto.graph.ClearField(field)
    proto.ClearField("functions")
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros(9, np.float32), "location"))
    onnx.save(proto, tmp_path / "model.onnx")
    (tmp_path / "empty.onnx").touch()

    assert (weight_files(tmp_path / "model.onnx"), weight_files(tmp_path / "empty.onnx")) == ({}, {})


def test_they_lie_below_the_models_folder_and_are_no_way_out_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "weights").mkdir(parents=True)
    for path in (folder / "weights" / "a", tmp_path / "b"):
        path.touch()
    (folder / "link").symlink_to(tmp_path / "b")
    (folder / "own").symlink_to(folder / "weights" / "a")

    assert inside(folder, "weights/a") == inside(folder, "own") == folder / "weights" / "a"
    for hidden in (".env", ".sealift/passphrase"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).touch()
        with pytest.raises(ModelError, match="which is hidden or in a hidden folder"):
            inside(folder, hidden)
    for wrong in ("../b", str(tmp_path / "b"), "link", "none", "weights", ".", "", "a\0"):
        with pytest.raises(ModelError, match="which is not a file in the model's folder"):
            inside(folder, wrong)


@given(st.data())
def test_bytes_that_are_no_model_are_refused_and_end(data: st.DataObject) -> None:
    content = bytearray(everywhere().SerializeToString())
    for _ in range(data.draw(st.integers(0, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(ModelError):
        assert isinstance(locations(bytes(content[: data.draw(st.integers(0, len(content)))])), set)


def test_it_needs_no_library() -> None:
    program = (
        "import sys, training.weight_files; print(sorted({'onnx', 'numpy', 'google.protobuf'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"
