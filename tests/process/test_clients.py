"""Clients that others wrote, against `python -m serving` with a key: Triton's in all four forms, and schemathesis.

Their packages come from the package index once, and stay in `.tools`; where it cannot be reached, these are skipped.
"""

import fcntl
import subprocess
from pathlib import Path

import pytest

from tests.conformance.clients import CLIENTS, ROOT, Client, installed
from tests.conformance.run import run

FOLDER = ROOT / ".tools" / "conformance"


@pytest.fixture(scope="session")
def folder() -> Path:
    FOLDER.parent.mkdir(exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:  # the tests of several processes share it
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return installed(FOLDER)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"the clients cannot be installed here: {error}")


@pytest.mark.parametrize("client", CLIENTS, ids=[client.title for client in CLIENTS])
def test_each_check_of_a_client_passes(folder: Path, client: Client) -> None:
    [(_, counts)] = run(folder, [client])

    print(counts["passed"], "passed", counts["skipped"])
    assert counts["failed"] == {}
    assert counts["passed"] >= 15
