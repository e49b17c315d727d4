"""The model as each peer runs it: with one thread, and answers of the Open Inference Protocol v2."""

from typing import Any

import numpy as np
import onnxruntime


class Net:
    """A model, loaded from a file in ONNX's format."""

    def __init__(self, path: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(self, features: Any) -> Any:
        """Runs the model: FP32 [batch, 10] → [batch, 1]."""
        return self._session.run(["prediction"], {"input": features})[0]

    def answer(self, name: str, datatype: str, shape: list[int], data: list[float]) -> dict[str, Any]:
        """Answers a request with one input. Raises ValueError if the input is not the model's."""
        if name != "input" or datatype != "FP32":
            raise ValueError("expected the input named input, FP32")
        found = self.run(np.array(data, np.float32).reshape(shape))
        output = {"name": "prediction", "datatype": "FP32", "shape": list(found.shape), "data": found.ravel().tolist()}
        return {"model_name": "net", "model_version": "1", "outputs": [output]}
