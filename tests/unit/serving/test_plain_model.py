"""The form of models above 2 GB, read: the bare form's answers, nothing for clients to see, and hostile headers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealift.contents.plain_model import ALIGNMENT, MAGIC
from sealift.sealing import seal
from sealift.serving.errors import StartError
from sealift.serving.model import Model, load
from sealift.serving.opening import Opening, Source
from sealift.serving.plain_model import read_plain_model as read
from tests.keys import key_pair
from tests.unit.serving import large
from tests.unit.serving.tiny import DESCRIPTION, Files, onnx_model

ROWS = np.random.default_rng(1).standard_normal((33, large.FEATURES)).astype(np.float32)
WEIGHT = {"name": "w", "datatype": "FP32", "shape": [2, 3]}


def test_it_answers_with_the_bits_of_the_bare_form() -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.disable_prepacking", "1")
    bare = onnxruntime.InferenceSession(large.proto().SerializeToString(), options)
    plain = read(memoryview(large.plain()))
    model = Model(bytes(plain.graph), DESCRIPTION, weights=plain.weights)

    for rows in (ROWS[:1], ROWS[:2], ROWS):
        expected = bare.run(["prediction"], {"input": rows})[0]
        assert model.run({"input": rows}, ["prediction"])["prediction"].tobytes() == expected.tobytes()
    assert list(plain.weights) == ["w1", "b1", "w2", "b2", "w3"]
    assert (list(model.inputs), list(model.outputs)) == (["input"], ["prediction"])


def test_weights_are_where_they_were_opened_and_all_else_is_wiped(tmp_path: Path) -> None:
    artifact = seal(large.plain(), DESCRIPTION, [key_pair().recipient])
    files = Files.write(tmp_path, artifact)
    source = Source(files.payload, files.manifest, files.key, artifact.artifact_id, artifact.payload_digest)
    with Opening(source) as opening:
        start = read(opening.result()[0]).weights_start or 0
    with Opening(source) as opening:
        model = load(opening)

    memory = np.frombuffer(opening._memory, np.uint8)
    assert not memory[:start].any()
    assert all(np.shares_memory(memory, weight) for weight in model._weights.values())
    assert all(weight.ctypes.data % ALIGNMENT == 0 and not weight.flags.writeable for weight in model._weights.values())
    fresh = read(memoryview(large.plain()))
    expected = Model(bytes(fresh.graph), {}, weights=fresh.weights).run({"input": ROWS}, ["prediction"])["prediction"]
    assert model.run({"input": ROWS}, ["prediction"])["prediction"].tobytes() == expected.tobytes()


def test_weights_are_wiped_too_where_the_start_fails(tmp_path: Path) -> None:
    artifact = seal(large.plain(), DESCRIPTION, [key_pair().recipient])
    files = Files.write(tmp_path, artifact)
    source = Source(files.payload, files.manifest, files.key, artifact.artifact_id, artifact.payload_digest)
    with pytest.raises(StartError, match="later"), Opening(source) as opening:
        load(opening)
        raise StartError("later")

    assert not any(bytes(opening._memory))


def test_a_bare_file_is_itself() -> None:
    content = onnx_model()

    plain = read(memoryview(content))
    assert (bytes(plain.graph), plain.weights, plain.weights_start) == (content, {}, None)


def written(header: object, rest: bytes = b"", length: int | None = None) -> memoryview:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return memoryview(MAGIC + (len(text) if length is None else length).to_bytes(4, "big") + text + rest)


def header(*weights: Mapping[str, Any], graph: int = 1, **others: object) -> dict[str, object]:
    return {"version": 1, "graph": graph, "weights": weights, **others}


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        (memoryview(MAGIC), "header has 0 bytes|header: "),
        (written(header(), length=1 << 20), "its header has 1048576 bytes"),
        (written(header(), bytes((1 << 24) + 1), length=(1 << 24) + 1), "its header has 16777217 bytes"),
        (written(b"{"), "its header: "),
        (written(b'{"version":1,"graph":1,"weights":[{"name":"\xff"}]}'), "its header: "),
        (written([]), "its header: "),
        (written(header(version=2), b"g"), "its header: "),
        (written(header(more=1), b"g"), "its header: "),
        (written(header(graph=0)), "its header: "),
        (written(header(graph=1 << 31)), "its header: "),
        (written(header(graph=9), b"g"), "but its header says"),
        (written(header(), b"gg"), "but its header says"),
        (written(header(WEIGHT), b"g" + bytes(20)), "weight 0 ends at"),
        (written(header(WEIGHT), b"g" + bytes(200)), "but its header says"),
        (written(header(WEIGHT, WEIGHT), b"g" + bytes(500)), "weight 1 has the same name as another"),
        (written(header(WEIGHT | {"shape": [1 << 51] * 32}), b"g" + bytes(99)), "weight 0 ends at"),
        (written(header(WEIGHT | {"shape": [1 << 32, 1 << 32]}), b"g" + bytes(99)), "weight 0 ends at"),
        (written(header(WEIGHT | {"shape": [1] * 33}), b"g" + bytes(99)), "its header: "),
        (written(header(WEIGHT | {"shape": [-2, -3]}), b"g" + bytes(99)), "its header: "),
        (written(header(WEIGHT | {"shape": [0, 1 << 60]}), b"g" + bytes(99)), "its header: "),
        (written(header(WEIGHT | {"shape": [1.5]}), b"g" + bytes(99)), "its header: "),
        (written(header(WEIGHT | {"shape": [True]}), b"g" + bytes(99)), "its header: "),
        (written(header(WEIGHT | {"datatype": "BYTES"}), b"g" + bytes(99)), "its header: "),
        (written(header(WEIGHT | {"offset": 0}), b"g" + bytes(99)), "its header: "),
        (written(header(WEIGHT | {"name": ""}), b"g" + bytes(99)), "its header: "),
    ],
)
def test_a_header_that_does_not_fit_is_refused_in_one_line(plain: memoryview, why: str) -> None:
    with pytest.raises(StartError, match=why) as refused:
        read(plain)
    assert "\n" not in str(refused.value)


def test_weights_that_the_graph_does_not_take_are_refused() -> None:
    plain = read(memoryview(large.plain()))
    for wrong in ({"other": ROWS}, {"w1": ROWS}, {"w1": plain.weights["w1"].astype(np.float64)}):
        with pytest.raises(StartError, match="the model does not run"):
            Model(bytes(plain.graph), {}, weights={**plain.weights, **wrong})


@given(st.data())
def test_whatever_the_bytes_are_it_is_read_or_refused(data: st.DataObject) -> None:
    plain = bytearray(large.plain())
    for _ in range(data.draw(st.integers(1, 4))):
        plain[data.draw(st.integers(len(MAGIC), 700))] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.just(len(plain)), st.integers(len(MAGIC), len(plain))))
    view = memoryview(plain)[:end]

    try:
        found = read(view)
    except StartError:
        return
    assert sum(array.nbytes for array in found.weights.values()) + len(found.graph) < len(view)


@given(st.binary(max_size=200))
def test_whatever_follows_the_magic_is_read_or_refused(rest: bytes) -> None:
    with pytest.raises(StartError):
        read(memoryview(MAGIC + rest))
