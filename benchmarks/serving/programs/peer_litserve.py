"""LitServe with one worker and batching, which makes one client wait, and makes 16 clients 1.5 times as fast."""

import sys
from typing import Any

import litserve
import numpy as np
from fastapi import HTTPException

from benchmarks.serving.programs.net import Net


class Api(litserve.LitAPI):  # type: ignore[misc] # an optional package without types here
    """Requests of any number of rows share a batch."""

    def __init__(self, model: str) -> None:
        super().__init__(api_path="/v2/models/net/infer", max_batch_size=16, batch_timeout=0.002)
        self._path = model

    def setup(self, device: str) -> None:
        self._net = Net(self._path)

    def decode_request(self, request: dict[str, Any]) -> Any:
        (given,) = request["inputs"]
        if given["name"] != "input" or given["datatype"] != "FP32":
            raise HTTPException(400, "expected the input named input, FP32")
        return np.array(given["data"], np.float32).reshape(given["shape"])

    def batch(self, inputs: list[Any]) -> Any:
        return np.concatenate(inputs), [len(rows) for rows in inputs]

    def predict(self, x: Any) -> Any:
        rows, sizes = x
        return np.split(self._net.run(rows), np.cumsum(sizes)[:-1])

    def unbatch(self, output: Any) -> Any:
        return output

    def encode_response(self, output: Any) -> dict[str, Any]:
        data, shape = output.ravel().tolist(), list(output.shape)
        tensor = {"name": "prediction", "datatype": "FP32", "shape": shape, "data": data}
        return {"model_name": "net", "model_version": "1", "outputs": [tensor]}


if __name__ == "__main__":
    server = litserve.LitServer(Api(sys.argv[1]), accelerator="cpu", workers_per_device=1, timeout=60)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), num_api_servers=1, generate_client_file=False, log_level="warning",
        access_log=False,
    )  # fmt: skip
