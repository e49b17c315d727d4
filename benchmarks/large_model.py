"""`python -m benchmarks.large_model --gigabytes 3`: the memory that a server needs for a model above 2 GB.

The model is made of random weights in dense layers, and NumPy computes its answer to one row. The model is sealed, and
`python -m sealift.serving --artifact` serves it. The memory of the server and its opener together is sampled from the
start to the first answer (process_tree.py counts it; memory that both share counts once). All files are written as
streams into a temporary folder, which takes about three times the model's size while the model is made.
"""

import argparse
import http.client
import json
import math
import mmap
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from benchmarks.serving.process_tree import tree_bytes
from sealift.sealing import RsaIdentity, seal_into
from sealift.serving import image_layout
from training.recipe.large_form import write_large_form

ROOT: Final = Path(__file__).parents[1]
LAYERS: Final = 12
SAMPLED_SECONDS: Final = 0.02
ANSWER_SECONDS: Final = 600.0
Row = NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """`ready_seconds` is the time from the server's start to its first answer. `difference` is the largest difference
    from NumPy's answer, relative to its largest number."""

    model_bytes: int
    peak_bytes: int
    serving_bytes: int
    ready_seconds: float
    difference: float


def main() -> int:
    """Returns exit code 1 if the answer differs from NumPy's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_model", description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=3.0, help="size of the weights in GB (default: 3)")
    width = math.ceil((parser.parse_args().gigabytes * 1e9 / LAYERS / 4) ** 0.5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        row, expected = write_weights(folder / "weights", width)
        size = write_plain(folder, width)
        began = time.monotonic()
        artifact_id = write_sealed(folder, folder / "plain")
        print(f"sealed in {time.monotonic() - began:.1f} s")
        found = serve(folder, artifact_id, size, row, expected)
    print(
        f"model {found.model_bytes / 1e9:.3f} GB, {LAYERS} layers of {width} x {width} FP32\n"
        f"first answer {found.ready_seconds:.1f} s after the start; it differs from NumPy's by {found.difference:.1e} "
        "of the largest number\n"
        f"peak memory until then {found.peak_bytes / 1e9:.3f} GB, {found.peak_bytes / found.model_bytes:.3f} times the "
        f"model; afterwards {found.serving_bytes / 1e9:.3f} GB"
    )
    return 0 if found.difference < 1e-4 else 1


def write_weights(path: Path, width: int) -> tuple[Row, Row]:
    """Writes the weights of all layers. Returns a row and NumPy's answer to it, both (1, width)."""
    numbers = np.random.default_rng(0)
    row: Row = numbers.standard_normal((1, width), np.float32)
    hidden = row
    with path.open("wb") as file:
        for _ in range(LAYERS):
            weight = numbers.standard_normal((width, width), np.float32)
            weight *= np.float32((2 / width) ** 0.5)  # so that numbers neither vanish nor grow (He et al. 2015)
            file.write(weight.data)
            hidden = np.maximum(hidden @ weight, np.float32(0))
    return row, hidden


def write_plain(folder: Path, width: int) -> int:
    """Writes the model with the weights in `folder`, in its large form. Returns its size in bytes."""
    nodes, weights, given = list[onnx.NodeProto](), list[TensorProto](), "input"
    for layer in range(LAYERS):
        weight = TensorProto(name=f"weight{layer}", data_type=TensorProto.FLOAT, dims=[width, width])
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="weights")
        weight.external_data.add(key="offset", value=str(layer * width * width * 4))
        weights.append(weight)
        answer = "prediction" if layer == LAYERS - 1 else f"hidden{layer}"
        nodes.append(helper.make_node("MatMul", [given, weight.name], [f"sum{layer}"]))
        nodes.append(helper.make_node("Relu", [f"sum{layer}"], [answer]))
        given = answer
    tensors = [helper.make_tensor_value_info(one, TensorProto.FLOAT, ["batch", width]) for one in ("input", given)]
    graph = helper.make_graph(nodes, "large", tensors[:1], tensors[1:], weights)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with (folder / "plain").open("wb") as file:
        for piece in write_large_form(proto, folder):
            file.write(piece)
        (folder / "weights").unlink()
        return file.tell()


def write_sealed(folder: Path, plain: Path) -> str:
    """Seals the model into a store in `folder`, with the key in `private.pem`. Returns the artifact's id."""
    identity = RsaIdentity.generate()
    (folder / "private.pem").write_text(identity.pem)
    description = {"task": "regression", "features": [], "classes": []}
    for name in (image_layout.PAYLOADS, image_layout.MANIFESTS):
        (folder / name).mkdir()
    with (
        plain.open("rb") as read,
        mmap.mmap(read.fileno(), 0, access=mmap.ACCESS_READ) as content,
        (folder / "sealed").open("wb") as written,
    ):
        sealed = seal_into(written.write, content, description, [identity.recipient])
    plain.unlink()
    (folder / "sealed").rename(folder / image_layout.PAYLOADS / sealed.artifact_id)
    (folder / image_layout.MANIFESTS / sealed.artifact_id).write_bytes(sealed.manifest)
    return sealed.artifact_id


def serve(folder: Path, artifact_id: str, size: int, row: Row, expected: Row) -> Found:
    """Serves the artifact, sends one request, and measures."""
    words = ["--artifact", str(folder / artifact_id), "--key", str(folder / "private.pem"), "--auth", "none"]
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "sealift.serving", *words, "--port", "0"],
        cwd=ROOT, env={"PATH": os.defpath}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    memory = Memory(process.pid)
    try:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        answer = ask(port, row)
        seconds = time.monotonic() - began
        peak = memory.peak()
        after = tree_bytes(process.pid)
    finally:
        process.kill()
        process.communicate()
        memory.peak()
    difference = float(np.abs(answer - expected).max() / np.abs(expected).max())
    return Found(size, peak, after, seconds, difference)


def ask(port: int, row: Row) -> Row:
    tensor = {"name": "input", "shape": row.shape, "datatype": "FP32", "data": row.ravel().tolist()}
    connection = http.client.HTTPConnection("127.0.0.1", port, ANSWER_SECONDS)
    connection.request("POST", "/v2/models/model/infer", json.dumps({"inputs": [tensor]}))
    said: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return np.array(said["outputs"][0]["data"], np.float32).reshape(row.shape)


class Memory:
    """The peak memory of a process and its descendants, sampled in a thread."""

    def __init__(self, process: int) -> None:
        self._process, self._most = process, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def peak(self) -> int:
        """Ends the sampling. Returns the peak in bytes."""
        self._over.set()
        self._thread.join()
        return self._most

    def _sample(self) -> None:
        while not self._over.wait(SAMPLED_SECONDS):
            self._most = max(self._most, tree_bytes(self._process))


if __name__ == "__main__":
    sys.exit(main())
