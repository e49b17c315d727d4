"""A store of each kind that a test can reach: a test that takes `store_url` runs once for each."""

import secrets
from pathlib import Path

import pytest

from tests.azurite import Azurite
from tests.object_store import ObjectStore


@pytest.fixture(params=["file", "s3", "az"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of a store with nothing in it. Programs that the test starts can reach it too."""
    if request.param == "file":
        return f"file://{tmp_path / 'store'}"
    if request.param == "az":
        blobs: Azurite = request.getfixturevalue("azurite")
        blobs.choose(monkeypatch)
        return f"{blobs.url}/{secrets.token_hex(8)}"
    server: ObjectStore = request.getfixturevalue("object_store")
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    return f"{server.url}/{secrets.token_hex(8)}"
