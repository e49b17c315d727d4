"""An artifact of 5 GB with `make faults`, and of 50 MB otherwise: whole, in ranges, damaged and cut."""

import os
import random
from pathlib import Path
from typing import Final

import pytest

from sealift.sealing import ArtifactCorrupt, FileSource, open_range, open_reader, seal_into, stream_digest
from tests.keys import key_pair
from tests.unit.sealing.stream_memory import PIECE, generated

SIZE: Final = 50_000_003
LARGE: Final = 5_000_000_003
MANY_MOMENTS: Final = 10
RANGES: Final = 20
RANGE_BYTES: Final = 3_000_000


def plain_range(start: int, size: int) -> bytes:
    """The same bytes that `generated` yields."""
    first = start // len(PIECE)
    pieces = PIECE * ((start % len(PIECE) + size) // len(PIECE) + 1)
    offset = start - first * len(PIECE)
    return pieces[offset : offset + size]


def test_a_large_artifact_opens_in_any_pieces_and_a_damaged_one_does_not(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    size = LARGE if request.config.getoption("moments") >= MANY_MOMENTS else SIZE
    path, key, chance = tmp_path / "payload", key_pair(0), random.Random(27)
    with path.open("wb") as file:
        sealed = seal_into(file.write, generated(size), {}, [key.recipient])
    stored = path.stat().st_size
    pins = {"artifact_id": sealed.artifact_id, "payload_digest": sealed.payload_digest}

    with path.open("r+b", buffering=0) as file:
        assert stream_digest(file) == sealed.payload_digest and stored == sealed.payload_size
        source = FileSource(file.fileno())
        for start in (0, size - RANGE_BYTES, *(chance.randrange(size) for _ in range(RANGES))):
            expected = plain_range(start, min(RANGE_BYTES, size - start))
            assert open_range(sealed.manifest, source, key, start, RANGE_BYTES, **pins) == expected
        with open_reader(sealed.manifest, source, key, **pins) as reader:
            place = chance.randrange(size - RANGE_BYTES)
            reader.seek(place)
            assert reader.read(RANGE_BYTES) == plain_range(place, RANGE_BYTES)

        at = chance.randrange(stored // 2, stored)
        [byte] = os.pread(file.fileno(), 1, at)
        os.pwrite(file.fileno(), bytes([byte ^ 1]), at)
        with pytest.raises(ArtifactCorrupt):
            open_range(sealed.manifest, source, key, max(0, at - (1 << 20)), 2 << 20, **pins)
        file.seek(0)
        assert stream_digest(file) != sealed.payload_digest
        os.pwrite(file.fileno(), bytes([byte]), at)
        file.seek(0)
        assert stream_digest(file) == sealed.payload_digest
        file.truncate(stored - 1)
        with pytest.raises(ArtifactCorrupt):
            open_range(sealed.manifest, FileSource(file.fileno()), key, 0, 1, **pins)
