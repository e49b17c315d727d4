"""One key pair for all: generating RSA-4096 takes a second."""

import pytest

from sealing import RsaIdentity


@pytest.fixture(scope="session")
def key() -> RsaIdentity:
    return RsaIdentity.generate()


@pytest.fixture(scope="session")
def other_key() -> RsaIdentity:
    return RsaIdentity.generate()
