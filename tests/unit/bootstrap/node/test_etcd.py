"""etcd with our configuration: neither of its ports speaks to whom it does not know."""

import contextlib
import datetime
import http.client
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.node import certificates, configuration
from bootstrap.node.configuration import Node, Ports
from bootstrap.system import ports


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node of which etcd alone runs."""
    if shutil.which("etcd") is None:
        pytest.skip("etcd is not installed here")
    base = next(base for base in range(28440, 29440, 20) if all(map(ports.free, (base, base + 1))))
    one = Node(tmp_path / "state", tmp_path / "run", tmp_path / "kube", ports=Ports(base))
    certificates.ensure(one.pki, configuration.NODE, (), datetime.datetime.now(datetime.UTC))
    with subprocess.Popen(configuration.etcd(one), stderr=subprocess.PIPE, text=True) as etcd:
        deadline = time.monotonic() + 30
        while ports.free(one.ports.etcd):
            assert etcd.poll() is None, etcd.stderr and etcd.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield one
        etcd.terminate()


def status(port: int, trust: ssl.SSLContext | None) -> int:
    """Of a GET of /version, with TLS by `trust` or in plain text."""
    address = ports.LOOPBACK
    connection = (
        http.client.HTTPSConnection(address, port, timeout=10, context=trust)
        if trust
        else http.client.HTTPConnection(address, port, timeout=10)
    )
    with contextlib.closing(connection):
        connection.request("GET", "/version")
        return connection.getresponse().status


def trust(node: Node, name: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(node.pki / "ca.crt"))
    if name:
        context.load_cert_chain(node.pki / f"{name}.crt", node.pki / f"{name}.key")
    return context


def test_each_port_answers_its_own_clients_only(node: Node) -> None:
    """The peers' port too: whoever may write there may change the cluster's objects."""
    assert status(node.ports.etcd, trust(node, "etcd-client")) == 200
    assert status(node.ports.etcd_peer, trust(node, "etcd-peer")) == 200
    for port in (node.ports.etcd, node.ports.etcd_peer):
        with contextlib.suppress(OSError, http.client.HTTPException):
            assert status(port, None) == 400, "plain text"
        with pytest.raises(OSError):
            status(port, trust(node))
    with pytest.raises(OSError):
        status(node.ports.etcd_peer, trust(node, "etcd-client"))
