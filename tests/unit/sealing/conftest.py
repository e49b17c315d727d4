"""One key pair for all: generating RSA-4096 takes a second."""

import pytest

from sealift.sealing import RsaIdentity
from tests.keys import key_pair


@pytest.fixture(scope="session")
def key() -> RsaIdentity:
    return key_pair()


@pytest.fixture(scope="session")
def other_key() -> RsaIdentity:
    return key_pair(1)
