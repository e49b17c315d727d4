"""Process tests: training, the server, stores and image contexts in processes of their own, which are killed, stopped,
watched and started again; no engine.

Libraries report nothing, as in the training process itself.
"""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance.clients import ROOT, installed

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

FOLDER = ROOT / ".tools" / "conformance"


@pytest.fixture(scope="session")
def clients() -> Path:
    """Where clients that others wrote are: installed once from the package index. Tests are skipped where it fails."""
    FOLDER.parent.mkdir(exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:  # the tests of several processes share it
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return installed(FOLDER)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"the clients cannot be installed here: {error}")
