"""The addresses that a server listens on: both families where no host is named."""

import http.client
import socket
from pathlib import Path

import pytest

from tests.process.serving_process import serving
from tests.unit.serving.tiny import Files


def status(address: str, port: int) -> int:
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", "/v2/health/live")
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_pod_s_server_answers_over_ipv6_and_ipv4(tmp_path: Path) -> None:
    """Pods of a cluster of IPv6 alone never became ready."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with serving(Files.write(tmp_path), host="", metrics_port="0", grpc_port="0") as server:
        for address in ("127.0.0.1", "::1"):
            assert status(address, server.ready["port"]) == 200
            for name in ("metrics_port", "grpc_port"):
                with socket.create_connection((address, server.ready[name]), 10):
                    pass
