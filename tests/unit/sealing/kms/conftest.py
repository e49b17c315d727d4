from collections.abc import Iterator

import pytest

from tests.openbao import OpenBao, running


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with running(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture
def bao(openbao: OpenBao, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> OpenBao:
    """The server, in this process's environment too, without a user's own token."""
    for name in ("VAULT_NAMESPACE", "VAULT_SERVER_URL", "VAULT_SERVER_TOKEN", "VAULT_KUBERNETES_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in openbao.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    return openbao
