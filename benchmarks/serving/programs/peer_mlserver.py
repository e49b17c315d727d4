"""MLServer with a custom runtime for one model, as its documentation shows, in one process without workers."""

import json
import os
import socket
import sys
import tempfile
from pathlib import Path

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.serving.programs.net import Net


class Runtime(MLModel):  # type: ignore[misc] # an optional package without types here
    """The runtime that the model's settings name."""

    async def load(self) -> bool:
        self._net = Net(os.environ["NET"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        features = self.decode(payload.inputs[0], default_codec=NumpyCodec)
        output = NumpyCodec.encode_output("prediction", self._net.run(features))
        return InferenceResponse(model_name=self.name, model_version="1", outputs=[output])


def main(model: str, port: int) -> None:
    """Serves until the server ends."""
    from mlserver.cli import main as mlserver

    os.environ["NET"] = model
    folder = Path(tempfile.mkdtemp(dir=Path(model).parent))
    settings = {
        "host": "127.0.0.1", "http_port": port, "grpc_port": _free_port(), "metrics_port": _free_port(),
        "parallel_workers": 0, "debug": False,
    }  # fmt: skip
    implementation = "benchmarks.serving.programs.peer_mlserver.Runtime"
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps({"name": "net", "implementation": implementation}))
    sys.argv = ["mlserver", "start", str(folder)]
    mlserver()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        port: int = made.getsockname()[1]
    return port


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
