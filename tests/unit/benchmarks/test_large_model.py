"""What the benchmark of models above 2 GB does, with a small one; never how much memory it takes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_it_seals_serves_and_compares_and_leaves_no_file(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.large_model", "--gigabytes", "0.005"],
        cwd=ROOT, env={"TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert (ran.returncode, ran.stderr.count("Traceback")) == (0, 0), ran.stderr
    assert "12 layers of 323 x 323 FP32" in ran.stdout
    assert "times the model" in ran.stdout
    assert list(tmp_path.iterdir()) == []
