"""`python -m serving --grpc-port`: gRPC beside HTTP in one process, over the same model, and its end."""

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from serving.grpc.messages import CLASSES
from serving.http.server import DRAIN_SECONDS
from tests.process.serving_process import arguments, serving, start
from tests.unit.serving.sockets import INFER, SECONDS
from tests.unit.serving.tiny import Files, request


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.write(tmp_path)


def ask(channel: grpc.Channel, call: str, message: Any = None) -> Any:
    method = channel.unary_unary(
        f"/inference.GRPCInferenceService/{call}",
        request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=CLASSES[f"{call}Response"].FromString,
    )
    return method(message or CLASSES[f"{call}Request"](), timeout=SECONDS)


def infer(channel: grpc.Channel, *row: float) -> list[float]:
    message = CLASSES["ModelInferRequest"](model_name="tiny", raw_input_contents=[np.array(row, "<f4").tobytes()])
    message.inputs.add(name="input", datatype="FP32", shape=[1, len(row)])
    answer = ask(channel, "ModelInfer", message)
    return [float(number) for number in np.frombuffer(answer.raw_output_contents[0], "<f4")]


def test_both_transports_answer_alike_and_end_with_0_when_told_to(files: Files) -> None:
    with serving(files, grpc_port="0") as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.ready['grpc_port']}") as channel:
            assert ask(channel, "ServerReady").ready
            assert infer(channel, 1, 2, 3) == [321]
            with server.connect() as connection:
                connection.request("POST", INFER, json.dumps(request([[1, 2, 3]])))
                assert json.loads(connection.getresponse().read())["outputs"][0]["data"] == [321]
        server.terminate()
        code, log, complaints = server.end()
    assert (code, [line["event"] for line in log], complaints) == (0, ["draining", "stopped"], "")


def test_no_call_that_was_taken_is_lost_when_it_ends_under_load(files: Files) -> None:
    """What is refused is told to be unavailable, which clients send again elsewhere."""
    answers: list[object] = []
    with serving(files, grpc_port="0") as server:
        address = f"127.0.0.1:{server.ready['grpc_port']}"
        some = threading.Event()

        def load(number: int) -> None:
            with grpc.insecure_channel(address) as channel:
                while True:
                    try:
                        answers.append(infer(channel, number, 0, 0) == [number])
                    except grpc.RpcError as error:
                        answers.append(error.code())
                        return
                    if len(answers) > 200:
                        some.set()

        threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        assert some.wait(SECONDS)
        server.terminate()
        for thread in threads:
            thread.join(SECONDS)
        code, _, complaints = server.end()
    assert (code, complaints) == (0, "")
    assert answers.count(True) > 200
    assert {answer for answer in answers if answer is not True} == {grpc.StatusCode.UNAVAILABLE}


def test_told_twice_it_ends_at_once_though_a_client_stays_connected(files: Files) -> None:
    with (
        serving(files, grpc_port="0") as server,
        grpc.insecure_channel(f"127.0.0.1:{server.ready['grpc_port']}") as channel,
        server.connect(),
    ):
        assert ask(channel, "ServerLive").live
        begun = time.monotonic()
        server.terminate()
        assert server.process.stdout is not None
        assert "draining" in server.process.stdout.readline()
        server.terminate()
        assert server.end()[0] == 0
        assert time.monotonic() - begun < DRAIN_SECONDS


def test_a_port_in_use_keeps_it_from_starting(files: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(arguments(files, grpc_port=str(taken.getsockname()[1])))
        said, complaints = process.communicate(timeout=SECONDS)
    assert (process.returncode, said) == (1, "")
    assert "for gRPC; is another server using it?" in complaints
    assert complaints.count("\n") == 1
