"""The inline program of docs/how-to/automation-api.md, run by the Automation API on the engine, and its other way."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.stack import PASSPHRASE, PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "how-to" / "automation-api.md"
MAKES_THE_FILE = '(folder / "Pulumi.yaml").write_text'
OPTIONS = "LocalWorkspaceOptions("
IN_PATH = """env_vars={"PATH": f"{SEALIFT}/components/plugin:{os.environ['PATH']}"}"""


def shown_program(folder: Path) -> str:
    """The page's program, with a store of this test."""
    blocks = PAGE.read_text().split("\n\n")
    lines = [block for block in blocks if block.startswith("    ")]
    shown = textwrap.dedent("\n\n".join(lines))
    assert "file:///srv/sealift" in shown and MAKES_THE_FILE in shown
    return shown.replace("file:///srv/sealift", f"file://{folder / 'store'}")


def run(folder: Path, program: str) -> "subprocess.CompletedProcess[str]":
    (folder / "sealift").symlink_to(PROJECT_ROOT)
    (folder / "state").mkdir()
    (folder / "program.py").write_text(program)
    inherited = {name: value for name, value in os.environ.items() if name != "PULUMI_CONFIG_PASSPHRASE_FILE"}
    own = {"PULUMI_BACKEND_URL": f"file://{folder / 'state'}", "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder, env=inherited | own, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def test_the_page_s_program_trains_and_seals(engine: str, tmp_path: Path) -> None:
    ran = run(tmp_path, shown_program(tmp_path))

    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "store" / "payloads" / ran.stdout.strip()).is_file()


def without_the_file(program: str) -> str:
    return "\n".join(line for line in program.splitlines() if not line.startswith(MAKES_THE_FILE))


def test_the_plugin_in_path_does_too(engine: str, tmp_path: Path) -> None:
    assert f"`{IN_PATH}`" in PAGE.read_text()
    program = without_the_file(shown_program(tmp_path))

    ran = run(tmp_path, "import os\n" + program.replace(OPTIONS, f"{OPTIONS}{IN_PATH}, "))

    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "store" / "payloads" / ran.stdout.strip()).is_file()


def test_with_neither_the_engine_says_what_the_page_says(engine: str, tmp_path: Path) -> None:
    ran = run(tmp_path, without_the_file(shown_program(tmp_path)))

    assert ran.returncode != 0
    assert "could not find latest version for provider sealift" in ran.stderr
