"""Set-up puts the command `sealift` on the PATH of .tools/activate."""

import subprocess
import sys
from pathlib import Path

from bootstrap.layout import Layout
from bootstrap.steps import python_environment
from sealift.serving.version import VERSION
from tests.stack import PROJECT_ROOT


def test_the_command_of_a_checkout_runs_in_any_folder(tmp_path: Path) -> None:
    """Also below a path with a space, and beside a module of the command's name."""
    root = tmp_path / "a checkout"
    (root / ".tools" / "venv").parent.mkdir(parents=True)
    (root / ".tools" / "venv").symlink_to(sys.prefix)
    (root / "sealift").symlink_to(PROJECT_ROOT / "sealift")
    (tmp_path / "sealift.py").write_text("raise SystemExit('a module of the folder')")

    python_environment.write_command(Layout(root))
    ran = subprocess.run(
        [root / ".tools/bin/sealift", "--version"], cwd=tmp_path, capture_output=True, text=True, env={}, check=False
    )

    assert (ran.returncode, ran.stdout.strip()) == (0, VERSION), ran.stderr
