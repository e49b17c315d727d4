"""What a training process loads, and what it leaves alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.process import environment

PROGRAM = """
import json, sys
from pathlib import Path
from training.job import Job
from training.process import keep_to_itself
from training.try_out import try_out
keep_to_itself()
tried = try_out(Job(epochs=1), Path(), with_report=True)
assert tried.report
from matplotlib import font_manager, get_data_path
fonts = [str(Path(one.fname).relative_to(get_data_path())) for one in font_manager.fontManager.ttflist]
print(json.dumps({"fonts": fonts, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """By a run of the default job with its report: the fonts that it knows, and the modules that it has."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM], env=environment(os.environ), cwd=Path(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "library",
    [
        "captum", "google.cloud", "matplotlib.pyplot", "onnxruntime.quantization", "opacus", "optuna", "pandas",
        "presidio_analyzer", "scipy", "sklearn", "sympy", "torch._dynamo", "torch._inductor",
        "torch.distributed.elastic", "torchvision",
    ],
)  # fmt: skip
def test_a_plain_run_loads_no_library_that_it_does_not_use(library: str, loaded: dict[str, list[str]]) -> None:
    assert [name for name in loaded["modules"] if f"{name}.".startswith(f"{library}.")] == []


def test_figures_are_measured_with_matplotlib_s_own_font_wherever_they_are_drawn(loaded: dict[str, list[str]]) -> None:
    """Nor is the machine searched for others, which takes longer than to draw."""
    assert loaded["fonts"] == ["fonts/ttf/DejaVuSans.ttf"]
