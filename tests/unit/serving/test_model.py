"""Opening: what is served, what is refused and why, and what is left in memory."""

import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from sealing import OpenedArtifact, open_artifact, seal
from serving import model as serving_model
from serving.errors import InvalidInput, StartError
from serving.model import Model, Source, load
from serving.tensor import ANY, Tensor
from tests.keys import key_pair
from tests.unit.serving.tiny import DESCRIPTION, Files, id_model, onnx_model, sealed


@pytest.fixture
def source(tmp_path: Path) -> Source:
    files = Files.write(tmp_path)
    return Source(files.payload, files.manifest, files.key, sealed().artifact_id, sealed().payload_digest)


def test_a_sealed_model_answers_and_says_what_clients_may_know(source: Source) -> None:
    model = load(source)

    answer = model.run({"input": np.array([[1, 2, 3], [4, 5, 6]], np.float32)}, ["prediction"])
    assert answer["prediction"].tolist() == [[321], [654]]
    assert model.inputs == {"input": Tensor("input", (ANY, 3))}
    assert model.outputs == {"prediction": Tensor("prediction", (ANY, 1))}
    assert model.description == {"task": "regression", "features": ["age", "bmi", "sex"], "classes": []}


def test_a_model_of_ids_answers_and_refuses_an_id_it_has_not() -> None:
    model = Model(id_model(), DESCRIPTION)

    answer = model.run({"input": np.array([[2], [0]])}, ["prediction"])
    assert answer["prediction"].tolist() == [[100], [1]]
    assert model.inputs == {"input": Tensor("input", (ANY, 1), "INT64")}
    with pytest.raises(InvalidInput, match="every id"):
        model.run({"input": np.array([[3]])}, ["prediction"])


def test_shapes_that_do_not_fit_inside_the_model_are_the_requests_fault_and_are_not_quoted() -> None:
    row, other, answer = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", name]) for name in ("a", "b", "c")
    )
    model = Model(served_graph([helper.make_node("Add", ["a", "b"], ["c"], "inner")], [row, other], [answer]), {})

    assert model.run({"a": np.ones((1, 2), np.float32), "b": np.ones((1, 2), np.float32)}, ["c"])["c"].tolist() == [
        [2, 2]
    ]
    with pytest.raises(InvalidInput, match="do their shapes fit") as error:
        model.run({"a": np.ones((1, 2), np.float32), "b": np.ones((1, 37), np.float32)}, ["c"])
    assert not {"inner", "37"} & set(error.value.message.split())


def test_memory_that_is_not_there_is_no_fault_of_the_requests() -> None:
    value = helper.make_tensor_value_info("value", TensorProto.FLOAT, [1])
    size = helper.make_tensor_value_info("size", TensorProto.INT64, [1])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n"])
    model = Model(
        served_graph([helper.make_node("Expand", ["value", "size"], ["answer"])], [value, size], [answer]), {}
    )

    with pytest.raises(Exception, match="alloc") as error:
        model.run({"value": np.ones(1, np.float32), "size": np.array([1 << 58])}, ["answer"])
    assert not isinstance(error.value, InvalidInput)


def served_graph(nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> bytes:
    graph = helper.make_graph(nodes, "graph", inputs, outputs)
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


def test_the_plain_model_is_zeroed_and_nobody_holds_a_copy(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[OpenedArtifact] = []

    def remember(*args: object, **named: object) -> OpenedArtifact:
        opened.append(open_artifact(*args, **named))  # type: ignore[arg-type]
        return opened[0]

    monkeypatch.setattr(serving_model, "open_artifact", remember)
    model = load(source)

    plain = onnx_model()
    assert bytes(opened[0].model) == bytes(len(plain))
    del opened[:]
    gc.collect()
    copies = [value for value in vars(model._session).values() if isinstance(value, bytes) and b"tiny-graph" in value]
    assert copies == []


def test_the_plain_model_is_zeroed_though_it_cannot_be_served(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = seal(b"not ONNX, but secret", DESCRIPTION, [key_pair().recipient])
    files = Files.write(tmp_path, artifact)
    plain = memoryview(bytearray(b"not ONNX, but secret"))
    monkeypatch.setattr(serving_model, "open_artifact", lambda *_, **__: OpenedArtifact(plain, {}))

    with pytest.raises(StartError, match="does not load the model: InvalidProtobuf; train it again"):
        load(replace(source, payload=files.payload))
    assert bytes(plain) == bytes(20)


def test_a_model_larger_than_one_piece_is_zeroed_to_its_end() -> None:
    plain = memoryview(bytearray(b"x" * ((1 << 20) * 2 + 3)))

    serving_model._wipe(plain)

    assert not any(plain)


@pytest.mark.parametrize("missing", ["payload", "manifest", "key"])
def test_a_missing_file_is_named(source: Source, missing: str) -> None:
    path = getattr(source, missing)
    path.unlink()

    with pytest.raises(StartError, match=rf"^{path} cannot be read: No such file or directory; is it mounted"):
        load(source)


def test_an_empty_payload_is_named(source: Source) -> None:
    source.payload.write_bytes(b"")

    with pytest.raises(StartError, match=rf"^{source.payload} is empty"):
        load(source)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"-----BEGIN PRIVATE KEY-----\n", b"secret words"])
def test_what_is_no_key_is_named_and_not_quoted(source: Source, content: bytes) -> None:
    source.key.write_bytes(content)

    with pytest.raises(StartError, match="private key in PEM") as refused:
        load(source)
    assert str(refused.value).startswith(str(source.key))
    assert "secret" not in str(refused.value)


def test_another_key_another_pin_and_flipped_bits_are_told_in_one_line(source: Source) -> None:
    key = source.key.read_text()
    source.key.write_text(key_pair(1).pem)
    with pytest.raises(StartError, match=r"^private key .* is none of the 1 recipients of this artifact; use the key"):
        load(source)
    source.key.write_text(key)
    with pytest.raises(StartError, match=r"not the pinned artifact 0{32} .*; deploy the manifest"):
        load(replace(source, artifact_id="0" * 32))
    payload = bytearray(source.payload.read_bytes())
    payload[-1] ^= 1
    source.payload.write_bytes(payload)
    with pytest.raises(StartError, match=r"^the payload's digest is not the one in its manifest; take the payload"):
        load(source)


def test_tensors_of_other_types_are_not_served() -> None:
    with pytest.raises(
        StartError, match=r"tensor 'input' of the model is tensor\(bfloat16\), which is not served; export it as one of"
    ):
        Model(onnx_model("Identity", ("input",), TensorProto.BFLOAT16), {})


def test_a_model_may_have_several_inputs() -> None:
    model = Model(onnx_model("Add", ("left", "right")), {})

    row = np.array([[1, 2, 3]], np.float32)
    assert model.run({"left": row, "right": row}, ["prediction"])["prediction"].tolist() == [[2, 4, 6]]
    assert list(model.inputs) == ["left", "right"]
    assert model.description == {}
