"""Modules of the user's own: which names they may have."""

import subprocess
import sys
from pathlib import Path

import pytest

from sealift import rooms
from training import user_code
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


@pytest.mark.parametrize("name", rooms.PACKAGES)
def test_a_module_named_like_one_of_our_packages_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Also in our own checkout, where a module of that name is found, and is ours."""
    monkeypatch.setattr(user_code, "ROOT", tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / f"{name}.py").write_text("class Net: ...\n")

    _, problems = Job.validate({"model": f"{name}:Net"}, tmp_path)

    assert f"module {name} " in problems[0].message
    assert "a package of Sealift" in problems[0].message


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
