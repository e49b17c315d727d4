"""The form of models above 2 GB, written: from memory or from files, the same bytes, and what is refused."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from sealift.contents.plain_model import MAGIC
from sealift.serving.plain_model import read_plain_model as read
from tests.unit.serving import large
from training.errors import ModelError
from training.recipe.large_form import write_large_form


def with_files(folder: Path) -> onnx.ModelProto:
    """The model, all of whose weights lie in one file of the folder."""
    proto = large.proto()
    external_data_helper.convert_model_to_external_data(proto, location="weights.bin", size_threshold=0)
    onnx.save(proto, folder / "model.onnx")
    return onnx.load(folder / "model.onnx", load_external_data=False)


def test_weights_come_from_memory_or_from_files_with_the_same_bytes(tmp_path: Path) -> None:
    expected = large.plain()

    assert b"".join(write_large_form(with_files(tmp_path), tmp_path)) == expected == large.plain()
    assert not expected.startswith(large.proto().SerializeToString()[:1])


def test_every_weight_has_its_values_and_its_kind() -> None:
    kinds = [np.int8, np.uint16, np.int64, np.float16, np.float32, np.float64]
    arrays = {np.dtype(kind).name: np.arange(2048).reshape(2, -1).astype(kind) for kind in kinds}
    weights = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    weights.append(helper.make_tensor("typed", TensorProto.FLOAT, [512], np.arange(512.0)))
    graph = helper.make_graph([], "weights", [], [], weights)

    found = read(memoryview(b"".join(write_large_form(helper.make_model(graph))))).weights
    assert {name: (one.dtype, one.tobytes()) for name, one in found.items() if name != "typed"} == {
        name: (array.dtype, array.tobytes()) for name, array in arrays.items()
    }
    assert found["typed"].tolist() == list(range(512))


def test_small_weights_and_those_that_numpy_has_not_stay_in_the_graph() -> None:
    weights = [
        numpy_helper.from_array(np.zeros(255, np.float32), "small"),
        numpy_helper.from_array(np.zeros(256, np.float32), "large"),
        numpy_helper.from_array(np.zeros(256, np.float32), "answered"),
        helper.make_tensor("bfloat16", TensorProto.BFLOAT16, [1024], np.zeros(1024)),
        numpy_helper.from_array(np.array(["x" * 2000], object), "text"),
    ]
    answer = helper.make_tensor_value_info("answered", TensorProto.FLOAT, [256])
    graph = helper.make_graph([], "weights", [], [answer], weights)

    plain = read(memoryview(b"".join(write_large_form(helper.make_model(graph)))))
    left = onnx.ModelProto.FromString(bytes(plain.graph)).graph
    assert list(plain.weights) == ["large"]
    assert [one.name for one in left.initializer] == ["small", "answered", "bfloat16", "text"]
    assert [one.name for one in left.input] == ["large"]


def test_a_default_value_of_an_input_is_an_input_once() -> None:
    proto = large.proto()
    proto.graph.input.append(helper.make_tensor_value_info("w1", TensorProto.FLOAT, [large.FEATURES, large.WIDTH]))

    graph = read(memoryview(b"".join(write_large_form(proto)))).graph
    names = [one.name for one in onnx.ModelProto.FromString(bytes(graph)).graph.input]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "link.bin", "none.bin", ".", ""])
def test_files_that_are_not_the_models_own_are_not_read(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    proto = with_files(folder)
    (tmp_path / "weights.bin").write_bytes(bytes(1 << 20))
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    for one in proto.graph.initializer:
        next(entry for entry in one.external_data if entry.key == "location").value = location

    with pytest.raises(ModelError, match="which is not a file in the model's folder"):
        list(write_large_form(proto, folder))


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("length", "4", "a size in its file other than"),
        ("length", "x", "a size in its file other than"),
        ("offset", "-4", "a size in its file other than"),
        ("offset", str(1 << 40), "is too short"),
    ],
)
def test_files_that_hold_something_else_are_refused(tmp_path: Path, key: str, value: str, why: str) -> None:
    proto = with_files(tmp_path)
    next(entry for entry in proto.graph.initializer[0].external_data if entry.key == key).value = value

    with pytest.raises(ModelError, match=why):
        list(write_large_form(proto, tmp_path))


def test_no_onnx_file_begins_as_it_does() -> None:
    """A protobuf begins with a field's tag, and there is no field 0."""
    assert MAGIC[0] < 0x08
