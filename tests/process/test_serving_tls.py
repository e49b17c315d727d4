"""`sealift.serving --tls`: HTTPS and gRPC over TLS with a mounted certificate, and another one without a restart."""

import contextlib
import http.client
import json
import socket
import ssl
import time
from pathlib import Path

import grpc
import pytest

from sealift.serving.grpc.messages import CLASSES
from sealift.serving.http.limits import MAX_HANDSHAKES
from sealift.serving.memory_budget import MAX_BODY_BYTES
from tests.certificates import Pem, self_signed
from tests.process.serving_process import Server, arguments, serving, start
from tests.unit.serving.access.files import mount_files
from tests.unit.serving.sockets import GET, INFER, SECONDS
from tests.unit.serving.tiny import Files, request

BODY = json.dumps(request([[1, 2, 3]])).encode()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.write(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tls"
    made.mkdir()
    return made


def mount(folder: Path, pem: Pem) -> Pem:
    mount_files(folder, {"tls.crt": pem.certificate, "tls.key": pem.key})
    return pem


def connect(server: Server, pem: Pem) -> "contextlib.closing[http.client.HTTPSConnection]":
    context = ssl.create_default_context(cadata=pem.certificate)
    return contextlib.closing(
        http.client.HTTPSConnection("127.0.0.1", server.ready["port"], timeout=SECONDS, context=context)
    )


def infer(connection: http.client.HTTPConnection, body: bytes = BODY) -> tuple[int, str | None]:
    connection.request("POST", INFER, body)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("connection")


def asked(server: Server, pem: Pem) -> tuple[int, str | None]:
    """Once, on a connection of its own."""
    with connect(server, pem) as client:
        return infer(client)


def test_who_trusts_the_certificate_is_answered_and_who_speaks_in_the_clear_is_not(files: Files, folder: Path) -> None:
    pem = mount(folder, self_signed())
    with serving(files, tls=str(folder)) as server, connect(server, pem) as client:
        assert [infer(client), infer(client)] == [(200, None)] * 2
        assert client.sock.version() in ("TLSv1.2", "TLSv1.3")
        with pytest.raises(ssl.SSLCertVerificationError):
            asked(server, self_signed())
        with socket.create_connection(("127.0.0.1", server.ready["port"]), timeout=SECONDS) as clear:
            clear.sendall(GET + b"\r\n")
            assert b"HTTP" not in clear.recv(1000)
        server.terminate()
        time.sleep(0.5)
        assert infer(client) == (200, "close")
        assert server.end()[0] == 0


def test_a_large_answer_and_a_body_that_is_too_large_go_over_tls_too(files: Files, folder: Path) -> None:
    pem = mount(folder, self_signed())
    with serving(files, tls=str(folder)) as server, connect(server, pem) as client:
        client.request("POST", INFER, json.dumps(request([[1, 2, 3]] * 50_000)).encode())
        assert json.loads(client.getresponse().read())["outputs"][0]["data"] == [321] * 50_000
        assert infer(client, b" " * (2 * MAX_BODY_BYTES)) == (413, "close")


def test_another_certificate_is_taken_over_and_a_broken_one_is_not(files: Files, folder: Path) -> None:
    first = mount(folder, self_signed())
    with serving(files, tls=str(folder), grpc_port="0") as server:
        with connect(server, first) as lasting:
            assert infer(lasting) == (200, None)
            second = mount(folder, self_signed(2))
            until_taken_over(server, second)
            assert infer(lasting) == (200, None)
        mount_files(folder, {"tls.crt": second.certificate, "tls.key": first.key})
        time.sleep(1)
        assert asked(server, second) == (200, None)
        live(server, second)
        mount_files(folder, {"tls.crt": self_signed(3).certificate, "tls.key": second.key})
        time.sleep(1)
        assert asked(server, second) == (200, None)
        live(server, second)
        fourth = mount(folder, self_signed(4))
        until_taken_over(server, fourth)
        live(server, fourth)
        server.terminate()
        events = [line["event"] for line in server.end()[1]]

    kept = "certificate not read, the previous one stays in use"
    assert events[:4] == ["certificate read", kept, kept, "certificate read"]


def until_taken_over(server: Server, pem: Pem) -> None:
    end = time.monotonic() + SECONDS
    status = None
    while status != (200, None):
        assert time.monotonic() < end
        with contextlib.suppress(ssl.SSLError):
            status = asked(server, pem)


def live(server: Server, pem: Pem) -> None:
    credentials = grpc.ssl_channel_credentials(pem.certificate.encode())
    with grpc.secure_channel(f"127.0.0.1:{server.ready['grpc_port']}", credentials) as channel:
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ServerLive",
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=CLASSES["ServerLiveResponse"].FromString,
        )
        assert call(CLASSES["ServerLiveRequest"](), timeout=SECONDS).live


def test_what_is_no_certificate_keeps_it_from_starting(files: Files, folder: Path) -> None:
    mount_files(folder, {"tls.crt": self_signed().certificate, "tls.key": "secret words"})
    process = start(arguments(files, tls=str(folder)))
    said, complaints = process.communicate(timeout=SECONDS)

    assert (process.returncode, said, complaints.count("\n")) == (1, "", 1)
    assert "are not a certificate and its private key; mount a chain" in complaints and "secret" not in complaints


def test_sockets_that_never_shake_hands_take_little_memory_and_keep_nobody_out(files: Files, folder: Path) -> None:
    """Before the handshake they were in no count: 6,000 of them took 404 MiB."""
    pem = mount(folder, self_signed())
    with serving(files, tls=str(folder)) as server, contextlib.ExitStack() as strangers:
        assert asked(server, pem) == (200, None)
        before = resident_bytes(server)
        silent = [
            strangers.enter_context(socket.create_connection(("127.0.0.1", server.ready["port"]), timeout=SECONDS))
            for _ in range(900)
        ]
        assert asked(server, pem) == (200, None)
        assert resident_bytes(server) - before < 32 << 20

        for one in silent:
            one.setblocking(False)
        gone = sum(has_ended(one) for one in silent)
        assert len(silent) - gone <= MAX_HANDSHAKES
        server.terminate()
        assert server.end()[0] == 0


def has_ended(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def resident_bytes(server: Server) -> int:
    line = next(
        line
        for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
        if line.startswith("VmRSS:")
    )
    return int(line.split()[1]) * 1024
