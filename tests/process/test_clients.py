"""Clients that others wrote, against `sealift.serving` with a key: Triton's in all four forms, and schemathesis."""

from pathlib import Path

import pytest

from tests.conformance.clients import CLIENTS, Client
from tests.conformance.run import run


@pytest.mark.parametrize("client", CLIENTS, ids=[client.title for client in CLIENTS])
def test_each_check_of_a_client_passes(clients: Path, client: Client) -> None:
    [(_, counts)] = run(clients, [client])

    print(counts["passed"], "passed", counts["skipped"])
    assert counts["failed"] == {}
    assert counts["passed"] >= 15
