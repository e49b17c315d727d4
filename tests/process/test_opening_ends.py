"""An opening that is ended at any moment leaves no plaintext, no half file and no process."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from sealift.sealing import seal
from tests.keys import key_pair
from tests.process.serving_process import PROJECT_ROOT, arguments
from tests.unit.command.typed import SEALIFT, environment, hear_interrupts
from tests.unit.serving.sockets import SECONDS
from tests.unit.serving.tiny import Files

SEGMENT: Final = 1 << 20
PLAIN: Final = b"a plain model" * SEGMENT


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["SIGTERM", "SIGINT", "SIGKILL"],
)
def test_an_opening_that_is_ended_halfway_makes_no_file(tmp_path: Path, number: signal.Signals, code: int) -> None:
    artifact = seal(PLAIN, {}, [key_pair(0).recipient])
    payload, out = tmp_path / "payload", tmp_path / "out"
    os.mkfifo(payload)
    out.mkdir()
    (tmp_path / "manifest").write_bytes(artifact.manifest)
    (tmp_path / "key").write_text(key_pair(0).pem)
    words = [
        "open",
        "--payload",
        payload,
        "--manifest",
        tmp_path / "manifest",
        "-i",
        tmp_path / "key",
        "-o",
        out / "model",
    ]
    with (
        subprocess.Popen(
            [*SEALIFT, *map(str, words)], env=environment(), stderr=subprocess.PIPE, preexec_fn=hear_interrupts
        ) as opening,
        payload.open("wb", buffering=0) as pipe,
    ):
        sent = 0
        while sent < len(artifact.payload) // 2:  # it has read all of this but for what fits into the pipe
            sent += pipe.write(artifact.payload[sent : sent + SEGMENT])
        opening.send_signal(number)
        said = opening.communicate(timeout=SECONDS)[1]

    assert opening.returncode == code, said
    assert b"Traceback" not in said
    assert list(out.iterdir()) == []


def living(group: int) -> list[str]:
    """Processes of a group that have not ended. Nobody may wait for a process whose parent is gone."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, of_group = place.read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state != "Z":
                found.append(place.parent.name)
    return found


def test_a_server_that_is_ended_at_random_moments_of_its_start_leaves_no_process(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    files = Files.write(tmp_path)
    chance = random.Random(27)
    before = sorted(path.name for path in files.payload.parent.iterdir())
    for _ in range(request.config.getoption("moments")):
        server = subprocess.Popen(
            [sys.executable, "-m", "sealift.serving", *arguments(files)],
            cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        time.sleep(chance.random())
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=SECONDS)

        assert server.returncode in (0, -signal.SIGTERM), said
        assert b"Traceback" not in said[1]
        until = time.monotonic() + SECONDS
        while living(server.pid):
            assert time.monotonic() < until, "the process that opens the artifact goes on"
            time.sleep(0.01)
    assert sorted(path.name for path in files.payload.parent.iterdir()) == before
