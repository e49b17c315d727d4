"""BentoML with one worker, as `bentoml serve` starts it for production."""

import os
import sys
from typing import Any

import bentoml

from benchmarks.serving.programs.net import Net


@bentoml.service(workers=1, traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Service:
    """The service, which BentoML runs in its own process."""

    def __init__(self) -> None:
        self._net = Net(os.environ["NET"])

    @bentoml.api(route="/v2/models/net/infer")  # type: ignore[untyped-decorator] # an optional package
    async def infer(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        (given,) = inputs
        return self._net.answer(given["name"], given["datatype"], given["shape"], given["data"])


def main(model: str, port: str) -> None:
    """Serves until the server ends."""
    from bentoml_cli.cli import cli

    os.environ |= {"NET": model, "BENTOML_DO_NOT_TRACK": "True"}
    service = "benchmarks.serving.programs.peer_bentoml:Service"
    cli(["serve", service, "--host", "127.0.0.1", "--port", port])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
