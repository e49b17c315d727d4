"""Payloads that Tink for Go seals and opens."""

import random
import subprocess

import pytest

from sealift.sealing import seal, unwrap
from sealift.sealing.segments import FIRST_PIECE_BYTES, PIECE_BYTES
from sealift.sealing.stream import open_stream
from tests.keys import key_pair
from tests.tink_go import tink_go

SIZES = [0, 1, FIRST_PIECE_BYTES, FIRST_PIECE_BYTES + 1, FIRST_PIECE_BYTES + PIECE_BYTES, 2 * PIECE_BYTES + 100]
KEY, CONTEXT = bytes(range(32)), b"sealift/v1\0" + bytes(16)


@pytest.mark.parametrize("size", SIZES)
def test_the_payload_of_an_artifact_opens_with_tink_for_go(size: int) -> None:
    plain = random.Random(size).randbytes(size)
    artifact = seal(plain, {}, [key_pair().recipient])
    context = b"sealift/v1\0" + bytes.fromhex(artifact.artifact_id)

    assert tink_go("open", unwrap(artifact.manifest, [key_pair()]), context, bytes(artifact.payload)) == plain


@pytest.mark.parametrize("size", SIZES)
def test_what_tink_for_go_seals_we_open(size: int) -> None:
    plain = random.Random(size).randbytes(size)

    assert open_stream(tink_go("seal", KEY, CONTEXT, plain), KEY, CONTEXT) == plain


def test_tink_for_go_refuses_what_we_refuse() -> None:
    sealed = bytearray(tink_go("seal", KEY, CONTEXT, b"model"))
    sealed[-1] ^= 1

    with pytest.raises(subprocess.CalledProcessError):
        tink_go("open", KEY, CONTEXT, bytes(sealed))
