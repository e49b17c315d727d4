"""A real nginx before a real server, as ingress templates have it: one upstream connection that all clients share, and
offers to upgrade handed on. Whatever one client sends, another gets the answer to its own request and no other.
"""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from tests.process.serving_process import serving
from tests.unit.serving.http.test_framing import DOUBTS, OFFERS
from tests.unit.serving.http.test_requests import SMUGGLED
from tests.unit.serving.sockets import INFER, SECONDS
from tests.unit.serving.tiny import Files, request

NGINX: Final = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
pytestmark = pytest.mark.skipif(NGINX is None, reason="needs Debian's package nginx; `make test` installs it as root")
CONFIG: Final = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream model {{ server 127.0.0.1:{upstream}; keepalive 1; }}
  server {{
    listen 127.0.0.1:{port};
    location = /v2/models/tiny {{ deny all; }}
    location / {{
      proxy_pass http://model; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $http_host;
    }}
  }}
}}
"""
DENIED: Final = b"GET /v2/models/tiny HTTP/1.1\r\nHost: a\r\n\r\n"
FOREIGN: Final = json.dumps(request([[7, 7, 7]]) | {"id": "foreign"}).encode()
HIDDEN: Final = (
    DENIED,
    b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (INFER.encode(), len(FOREIGN)) + FOREIGN,
)
"""Requests that stand in the body of another; nginx itself never hands on the first."""
START: Final = b"POST %s HTTP/1.1\r\nHost: a\r\n" % INFER.encode()


def raw() -> list[bytes]:
    """All that the stranger sends."""
    offered = [
        b"%s %s HTTP/1.1\r\nHost: a\r\n" % (method, path) + offer + framed
        for offer, hidden, (method, path) in product(
            OFFERS.values(),
            HIDDEN,
            ((b"POST", INFER.encode()), (b"GET", b"/v2/health/live"), (b"PUT", b"/nowhere")),
        )
        for framed in (
            b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden,
            b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden),
        )
    ]
    return offered + [START + case for case in SMUGGLED.values()] + [data for _, _, data in DOUBTS.values()]


@contextlib.contextmanager
def proxy(folder: Path, upstream: int) -> Iterator[int]:
    """Its port."""
    assert NGINX is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, upstream=upstream, port=port))
    process = subprocess.Popen([NGINX, "-p", folder, "-c", config, "-e", folder / "error.log"])
    try:
        end = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            assert process.poll() is None and time.monotonic() < end, (folder / "error.log").read_text()
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS)


def attack(port: int, data: bytes) -> None:
    """Sends it, and waits a moment for an answer; what waits for more of it, nginx drops when we leave."""
    with socket.create_connection(("127.0.0.1", port), timeout=0.1) as stranger, contextlib.suppress(OSError):
        stranger.sendall(data)
        stranger.recv(1 << 16)


def test_nobody_gets_an_answer_that_is_not_theirs(tmp_path: Path) -> None:
    wrong: list[tuple[bytes, object]] = []
    attacks = raw()
    assert len(attacks) > 91
    files = Files.write(tmp_path)
    with serving(files, access_log="all") as server, proxy(tmp_path, server.ready["port"]) as port:
        for number, data in enumerate(attacks):
            attack(port, data)
            for turn in range(2):  # on the connection that the stranger's request was on, and on what is left of it
                own = f"own-{number}-{turn}"
                with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as client:
                    client.request("POST", INFER, json.dumps(request([[1, 2, 3]]) | {"id": own}))
                    response = client.getresponse()
                    answer = json.loads(response.read())
                if (response.status, answer.get("id")) != (200, own) or answer["outputs"][0]["data"] != [321]:
                    wrong.append((data, answer))
        server.terminate()
        code, log, complaints = server.end()

    assert wrong == []
    assert (code, complaints) == (0, "")
    routes = {line.get("route") for line in log}
    assert INFER in routes and "/v2/models/tiny" not in routes  # which nginx denies
