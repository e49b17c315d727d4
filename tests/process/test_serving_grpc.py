"""`python -m sealift.serving --grpc-port`: gRPC beside HTTP in one process, over the same model, and its end."""

import contextlib
import json
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.internal import encoder

from sealift.serving.grpc.arrivals import MOST_ARRIVING
from sealift.serving.grpc.messages import CLASSES
from sealift.serving.memory_budget import MAX_BODY_BYTES
from tests.process.serving_process import arguments, serving, start
from tests.process.test_strangers import resident_bytes
from tests.unit.serving.sockets import INFER, SECONDS, answer, dial
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


def test_told_twice_it_ends_at_once_though_clients_stay_connected(files: Files) -> None:
    """It waits for no body that is on its way: told once, it would, and say 408 in the end."""
    with (
        serving(files, grpc_port="0") as server,
        grpc.insecure_channel(f"127.0.0.1:{server.ready['grpc_port']}") as channel,
        server.connect(),
        dial(server.ready["port"]) as unfinished,
    ):
        assert ask(channel, "ServerLive").live
        unfinished.sendall(b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{")
        server.terminate()
        assert server.process.stdout is not None
        assert "draining" in server.process.stdout.readline()
        server.terminate()
        assert server.end()[0] == 0
        assert answer(unfinished) == b""


def test_a_port_in_use_keeps_it_from_starting(files: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(arguments(files, grpc_port=str(taken.getsockname()[1])))
        said, complaints = process.communicate(timeout=SECONDS)
    assert (process.returncode, said) == (1, "")
    assert "for gRPC; check whether another server uses this port" in complaints
    assert complaints.count("\n") == 1


def test_strangers_who_send_heads_and_no_message_or_half_of_one_keep_nobody_out(files: Files) -> None:
    """Nor do they take memory that nobody counts."""
    half = b"\0" + struct.pack(">I", MAX_BODY_BYTES) + bytes(MAX_BODY_BYTES - 1)
    with serving(files, grpc_port="0") as server:
        address = ("127.0.0.1", server.ready["grpc_port"])
        with contextlib.ExitStack() as stack, grpc.insecure_channel(f"{address[0]}:{address[1]}") as channel:
            before, left = resident_bytes(server), list[int]()
            for call, data in [("ServerLive", b"")] * 70 + [("ModelInfer", half)] * 3 * MOST_ARRIVING:
                client = stack.enter_context(socket.create_connection(address, timeout=0.2))
                left.append(pour(client, call, data))
            assert ask(channel, "ServerLive").live
            assert infer(channel, 1, 2, 3) == [321]
            assert max(left) < MAX_BODY_BYTES  # they got some way
            assert resident_bytes(server) - before < 2 * MOST_ARRIVING * MAX_BODY_BYTES


@pytest.mark.parametrize(
    "part",
    [b"\x42\0", b"\0"],
    ids=["texts without a letter", "integers of one byte"],
)
def test_refused_messages_of_many_values_leave_no_memory_behind(files: Files, part: bytes) -> None:
    count = (MAX_BODY_BYTES - 1000) // len(part)
    values = part * count if part[0] else sized(2, part * count)
    data = sized(1, b"tiny") + sized(5, sized(1, b"input") + sized(2, b"FP32") + sized(3, b"\1\3") + sized(5, values))
    with (
        serving(files, grpc_port="0") as server,
        grpc.insecure_channel(f"127.0.0.1:{server.ready['grpc_port']}") as channel,
    ):
        assert infer(channel, 1, 2, 3) == [321]
        before = resident_bytes(server)
        for _ in range(8):
            with pytest.raises(grpc.RpcError) as error:
                channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")(data, timeout=SECONDS)
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert infer(channel, 1, 2, 3) == [321]
        assert resident_bytes(server) - before < 20 * MAX_BODY_BYTES  # uncounted, it is over a hundred


def sized(number: int, data: bytes) -> bytes:
    """A field of a message."""
    length: bytes = encoder._VarintBytes(len(data))
    return bytes([number << 3 | 2]) + length + data


def pour(client: socket.socket, call: str, data: bytes) -> int:
    """As much of an unfinished message as the server's windows allow, by HTTP/2's frames; how much is left of it."""
    fields = {
        ":method": "POST", ":scheme": "http", ":path": f"/inference.GRPCInferenceService/{call}", ":authority": "x",
        "te": "trailers", "content-type": "application/grpc",
    }  # fmt: skip
    block = b"".join(b"\0%c%s%c%s" % (len(k), k.encode(), len(v), v.encode()) for k, v in fields.items())
    client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
    client.sendall(frame(1, 4, 1, block))
    windows = {0: 65535, 1: 65535}
    came = b""
    with contextlib.suppress(OSError):  # of which the end of its patience is one
        while data:
            size = min(len(data), 16384, *windows.values())
            if size > 0:
                client.sendall(frame(0, 0, 1, data[:size]))
                data = data[size:]
                windows = {stream: window - size for stream, window in windows.items()}
                continue
            came += client.recv(1 << 16)
            while len(came) >= 9 and len(came) >= 9 + (size := int.from_bytes(came[:3])):
                kind, _, stream = struct.unpack(">BBI", came[3:9])
                if kind == 8 and stream in windows:
                    windows[stream] += int.from_bytes(came[9:13])
                elif kind == 4:  # the first window of each stream, from the settings
                    pairs = [came[9 + at : 15 + at] for at in range(0, size, 6)]
                    windows[1] += sum(int.from_bytes(one[2:]) - 65535 for one in pairs if one[:2] == b"\0\4")
                came = came[9 + size :]
    return len(data)


def frame(kind: int, flags: int, stream: int, data: bytes) -> bytes:
    return struct.pack(">I", len(data))[1:] + struct.pack(">BBI", kind, flags, stream) + data
