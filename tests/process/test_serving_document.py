"""The commands and programs of docs/reference/protocol.md, typed against a server with a key, and what they answer."""

import json
import os
import struct
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.documented import PROJECT_ROOT, Block, block, blocks
from tests.process.serving_process import Server, arguments
from tests.unit.serving.access.files import KEY, api_key, written
from tests.unit.serving.tiny import Files

PAGE: Final = "docs/reference/protocol.md"
ANSWER: Final = 321.0
"""Of the row 1, 2, 3, as ones, tens and hundreds."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    access = written(folder, {"keys": [api_key(scopes=["predict", "metadata"])]})
    made = Server([*arguments(Files.write(folder), access=str(access)), "--explain"])
    yield made
    made.process.kill()
    made.process.communicate()


def environment(server: Server) -> dict[str, str]:
    """What the page says that its reader has."""
    return os.environ | {"URL": f"http://127.0.0.1:{server.ready['port']}", "KEY": KEY.decode()}


def typed(server: Server, line: str, folder: Path) -> str:
    ran = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment(server), capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_every_command_of_the_page_is_one_of_these() -> None:
    found = [one.section for one in blocks(PROJECT_ROOT / PAGE) if one.is_typed for _ in one.commands()]

    assert found == ["curl", "curl", "Explanations"]


def command(section: str, begins: str) -> str:
    [line] = [
        line
        for one in blocks(PROJECT_ROOT / PAGE) if one.is_typed and one.section == section
        for line in one.commands() if line.startswith(begins)
    ]  # fmt: skip
    return line


def test_curl_with_json(server: Server, tmp_path: Path) -> None:
    answer = json.loads(typed(server, command("curl", "curl"), tmp_path))

    assert answer["outputs"][0]["data"] == [ANSWER]


def test_curl_with_the_bytes_of_a_row(server: Server, tmp_path: Path) -> None:
    typed(server, command("curl", "python3"), tmp_path)

    answer = (tmp_path / "answer").read_bytes()
    assert json.loads(answer[: answer.rindex(b"}") + 1])["outputs"][0]["shape"] == [1, 1]
    assert struct.unpack("<f", answer[-4:]) == (ANSWER,)


def test_an_explanation_is_as_the_page_shows_it(server: Server, tmp_path: Path) -> None:
    answer: dict[str, Any] = json.loads(typed(server, command("Explanations", "curl"), tmp_path))

    shown: Block = block(PAGE, '{"model_name": "tiny"')
    assert answer == json.loads("\n".join(shown.lines))


def test_triton_s_client(server: Server, clients: Path, tmp_path: Path) -> None:
    program = "\n".join(block(PAGE, "import os").lines)
    assert "localhost:8080" in program
    (tmp_path / "program.py").write_text(
        textwrap.dedent(program).replace("localhost:8080", f"127.0.0.1:{server.ready['port']}")
    )

    ran = subprocess.run(
        [clients / "bin" / "python", "program.py"],
        cwd=tmp_path,
        env=environment(server),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == f"[[{ANSWER:.0f}.]]"
