"""The helpers beside these tests, and their key pair."""

import pytest

from sealift.sealing import RsaIdentity
from tests.keys import key_pair


@pytest.fixture(scope="session")
def key() -> RsaIdentity:
    return key_pair()
