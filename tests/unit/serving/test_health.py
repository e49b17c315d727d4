"""What a Docker engine asks: whether the server in the same container is ready."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sealift.serving import health, image_layout


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(4096).startswith(b"GET /v2/health/ready HTTP/1.0\r\n")
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", 0), (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 1), (b"", 1), (b"200\r\n", 1)],
)
def test_only_200_is_ready(
    answer: bytes, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(answer) as port:
        monkeypatch.setattr(image_layout, "PORT", port)
        assert health.main([]) == code
    assert (b"503" in answer) == ("503" in capsys.readouterr().err)


def test_nobody_there_is_not_ready(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setattr(image_layout, "PORT", port)

    assert health.main([]) == 1
    assert "no answer" in capsys.readouterr().err
