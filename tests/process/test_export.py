"""The ONNX file, made by processes in several places."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from training.recipe import export
from training.recipe.models import build as models
from training.recipe.models.net import Net
from training.recipe.scaling import Scale, Scales
import torch
torch.manual_seed(0)
scales = Scales(Scale.of(torch.ones(4), torch.ones(4)), Scale.of(torch.ones(1), torch.ones(1)))
model = models.DeployedModel(Net(4, 1), scales, "regression", 1)
sys.stdout.buffer.write(export.to_onnx(model, torch.zeros(2, 4), "regression"))
"""


def test_two_checkouts_at_other_paths_export_the_same_bytes_and_name_neither(tmp_path: Path) -> None:
    contents = []
    for folder in (tmp_path / "one", tmp_path / "another" / "deeper"):
        for room in ("sealift", "training"):
            shutil.copytree(PROJECT_ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)},
            capture_output=True, check=True,
        )  # fmt: skip
        contents.append(ran.stdout)

    assert hashlib.sha256(contents[0]).hexdigest() == hashlib.sha256(contents[1]).hexdigest()
    for path in (str(tmp_path), str(PROJECT_ROOT), sys.prefix, "training", "site-packages", str(Path.home())):
        assert path.encode() not in contents[0]
