"""How the tests spread over processes (pytest-xdist), unless `-n` says otherwise.

Some tests wait: for programs, for kills, for ends of time; so there is one worker more than processors. Not more of
them: each spends ten seconds of a processor on the imports of all tests.
"""

import os
import zlib
from collections.abc import Iterator

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.azurite import azurite
from tests.every_store import store_url
from tests.object_store import object_store
from tests.openbao import OpenBao, running

__all__ = ["azurite", "object_store", "store_url"]

MOST_WORKERS = 8
ENGINE_LINES = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--moments", type=int, default=5, metavar="N", help="at how many random moments each process is killed"
    )
    parser.addoption("--examples", type=int, default=300, metavar="N", help="how many requests a fuzzer makes")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """None for chosen files or tests: starting workers takes longer than most of them run."""
    if all("::" in chosen or chosen.endswith(".py") for chosen in config.args):
        return 0
    return min((os.cpu_count() or 1) + 1, MOST_WORKERS)


class Lines(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Tests of one line run in one worker, one after the other; a free worker takes the next line.

    A file of unit tests is a line, so that its fixtures are made once. Engine tests share nothing but the processors:
    few lines. Cluster tests share Docker, registry and cluster: one. Any other test is a line of its own.

    pytest-xdist's own groups are lost with pytest 9.2, whose tests keep the names that they were collected with.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        if file.startswith("tests/unit/"):
            return file
        if file.startswith("tests/engine/"):
            return f"engine {zlib.crc32(nodeid.encode()) % ENGINE_LINES}"
        return "cluster" if file.startswith("tests/cluster/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lines:
    return Lines(config, log)


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A real OpenBao, one for each process of tests that asks for it."""
    with running(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture
def bao(openbao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> OpenBao:
    """The server, in this process's environment too, without anything of the user's own Vault."""
    for name in ("VAULT_NAMESPACE", "VAULT_SERVER_URL", "VAULT_SERVER_TOKEN", "VAULT_KUBERNETES_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in openbao.environment.items():
        monkeypatch.setenv(name, value)
    return openbao
