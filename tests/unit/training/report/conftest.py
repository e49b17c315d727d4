"""The helpers beside these tests, and one key pair for all: generating RSA-4096 takes a second."""

import pytest

from sealing import PrivateKey


@pytest.fixture(scope="session")
def key() -> PrivateKey:
    return PrivateKey.generate()
