"""Our server, as a process that asks for a key, and each client against it."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sealift.sealing import SealedArtifact
from tests.conformance.clients import Client
from tests.conformance.models import NAME, kinds, simple
from tests.process.serving_process import Server, serving
from tests.unit.serving.access.files import KEY, api_key, written
from tests.unit.serving.tiny import Files


def run(folder: Path, clients: Sequence[Client]) -> Iterator[tuple[Client, dict[str, Any]]]:
    """What each counted. `folder` is where they are installed."""
    with ExitStack() as stack:
        servers = [stack.enter_context(_served(artifact, NAME)) for artifact in (simple(), kinds())]
        for client in clients:
            port = "grpc_port" if client.grpc else "port"
            where = " ".join(f"127.0.0.1:{server.ready[port]}" for server in servers)
            yield client, client.run(folder, where, KEY.decode())
            assert all(server.process.poll() is None for server in servers), "a server has ended"


@contextmanager
def _served(artifact: SealedArtifact, name: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        files = Files.write(Path(folder), artifact)
        access = written(Path(folder), {"keys": [api_key(scopes=["predict", "metadata"])]})
        changed = {
            "artifact_id": artifact.artifact_id, "payload_digest": artifact.payload_digest, "name": name,
            "access": str(access), "grpc_port": "0",
        }  # fmt: skip
        with serving(files, None, **changed) as server:
            yield server
