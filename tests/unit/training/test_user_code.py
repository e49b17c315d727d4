"""Modules of the user's own: which names they may have."""

import subprocess
import sys
from pathlib import Path

import pytest

from training.job import Job

PROJECT_ROOT = Path(__file__).resolve().parents[3]
NAMES = ("settings", "stores", "serving", "sealing", "contents", "durable", "provider")
"""Generic names, which rooms of `sealift` have too."""
LOAD = """if True:
    import sys
    from pathlib import Path
    import components, sealift.settings, sealift.stores, training.job
    from training import user_code
    print(user_code.load(sys.argv[1], [Path(sys.argv[2])])())
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_user_s_module_may_be_named_like_a_room_of_the_library(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("import mine\ndef Net(): return mine.WORD\n")
    (tmp_path / "mine.py").write_text(f"import {name}\nWORD = 'own'\n")

    job, problems = Job.validate({"model": f"{name}:Net"}, tmp_path)
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD, f"{name}:Net", str(tmp_path)],
        cwd=PROJECT_ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert problems == []
    assert job is not None and job.model == f"{name}:Net"
    assert loaded.stdout == "own\n"
