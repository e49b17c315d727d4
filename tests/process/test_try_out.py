"""`python -m training` without a stack: the numbers of a sealed run, and nothing else left behind."""

import hashlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process.test_training import INHERITED
from tests.process.training_process import Training, request
from training.report import units

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CSV = "age,plan,churned\n" + "".join(f"{20 + n % 40},{'ab'[n % 2]},{'yes' if n % 3 else 'no'}\n" for n in range(90))


def start(folder: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "training", *arguments], cwd=folder, text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT_ROOT)} | environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def tried(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    process = start(folder, *arguments, **environment)
    out, told = process.communicate(timeout=120)
    return process.returncode, out, told


def test_the_numbers_and_the_bytes_are_those_of_a_sealed_run_whatever_the_environment_says(tmp_path: Path) -> None:
    (tmp_path / "churn.csv").write_text(CSV)
    job = {"dataset": "churn.csv", "data": {"target": "churned"}, "epochs": 20, "momentum": 0.9,
           "quality": {"allow": ["duplicateRows", "leakage"]}}  # fmt: skip
    sealed = Training(request(tmp_path / "store", job=job, code_folder=str(tmp_path)), tmp_path / "out").result()
    arguments = ["--dataset", "churn.csv", "--target", "churned", "--epochs", "20", "--set", "momentum=0.9"]

    exit_code, out, told = tried(
        tmp_path, *arguments, "--set", "quality.allow=duplicateRows,leakage", "--onnx", "model.onnx",
        **INHERITED, PYTHONHASHSEED="7", GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX2",
    )  # fmt: skip

    assert exit_code == 0, told
    assert hashlib.sha256((tmp_path / "model.onnx").read_bytes()).hexdigest() == sealed["content_digest"]
    assert f"content digest: {sealed['content_digest']}" in out
    metrics = {line.split()[0]: line.split()[1] for line in out.splitlines() if line.startswith("  ")}
    assert metrics == {name: units.number(value) for name, value in sealed["metrics"].items()}
    assert "epoch 20/20" in told


def test_no_file_is_written_unasked(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("here", "home")}
    for folder in folders.values():
        folder.mkdir()
    environment = {name: str(folders["home"]) for name in ("HOME", "TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME")}

    exit_code, _, told = tried(folders["here"], "--dataset", "iris", "--epochs", "2", **environment)

    assert exit_code == 0, told
    assert [list(folder.iterdir()) for folder in folders.values()] == [[], []]


def test_files_that_are_asked_for_are_their_owner_s_alone(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("older")
    (tmp_path / "report.html").chmod(0o644)

    exit_code, _, told = tried(
        tmp_path, "--dataset", "iris", "--epochs", "2", "--onnx", "m.onnx", "--report", "report.html"
    )

    assert exit_code == 0, told
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert {path.name for path in tmp_path.iterdir()} == {"m.onnx", "report.html"}


def test_of_a_model_that_its_gates_refuse_the_report_is_written_and_all_metrics_are_shown(tmp_path: Path) -> None:
    exit_code, out, told = tried(
        tmp_path, "--dataset", "iris", "--epochs", "2", "--onnx", "m.onnx", "--report", "report.html",
        "--set", "gates.metrics.accuracy.minimum=1.1",
    )  # fmt: skip

    assert exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert "balancedAccuracy" in out
    assert "error: the gates refuse the model: accuracy is" in told


EXITS_WHEN_MOVED = """
import sys
from torch import nn

class Net(nn.Linear):
    def __init__(self, features, outputs):
        super().__init__(features, outputs)
    def _apply(self, function):
        sys.exit(3)
"""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "class Net:\n    def __init__(self):\n        raise ValueError('no: 4711')\n",
            ["no: 4711\n", "error: ", "hint: "],
        ),
        ("import sys\nsys.exit(0)\nclass Net: ...\n", ["error: ", "sys.exit(0) (mynet.py:2)", "hint: "]),
        (EXITS_WHEN_MOVED, ["error: ", "code of mynet:Net called sys.exit(3) (mynet.py:9)", "hint: "]),
        ("class Other: ...\n", ["error: ", "mynet", "Net", "hint: "]),
    ],
)
def test_what_is_wrong_with_own_code_is_an_error_with_a_way_out_and_no_trace(
    tmp_path: Path, code: str, words: list[str]
) -> None:
    (tmp_path / "mynet.py").write_text(code)

    exit_code, out, told = tried(tmp_path, "--dataset", "iris", "--model", "mynet:Net")

    assert (exit_code, out) == (1, "")
    assert "Traceback" not in told
    for word in words:
        assert word in told


def test_the_engine_s_secrets_are_hidden_from_own_code(tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text("import os\nraise ValueError(str('hush' in str(os.environ)))\nNet = 1\n")

    _, _, told = tried(tmp_path, "--dataset", "iris", "--model", "mynet:Net", PULUMI_CONFIG_PASSPHRASE="hush")

    assert "\nFalse\nerror: the module mynet cannot be imported: it raised ValueError" in told


@pytest.mark.parametrize("words", ["loading torch", "epoch "], ids=["while torch loads", "while it trains"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_with_one_line(tmp_path: Path, words: str, number: signal.Signals) -> None:
    process = start(tmp_path, "--dataset", "iris", "--epochs", "1000000")
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            break

    process.send_signal(number)
    out, told = process.communicate(timeout=120)

    assert process.returncode == 130
    assert out == ""
    assert told.splitlines()[-1] == "cancelled; nothing is kept"
    assert "Traceback" not in told
