"""The command line of a run: settings by path, each as its kind wants it, and all that is wrong at once."""

from pathlib import Path
from typing import Any

import pytest

from training.command_line import read_command_line
from training.job import Job
from training.options import EarlyStopping, Range


def job(*arguments: str, folder: Path = Path()) -> Job:
    found, problems = read_command_line(arguments, folder)
    assert found is not None, problems
    return found.job


def said(*arguments: str, folder: Path = Path()) -> str:
    found, problems = read_command_line(arguments, folder)
    assert found is None
    return "\n".join(map(str, problems))


def test_without_arguments_it_is_the_job_of_all_defaults() -> None:
    found, problems = read_command_line([], Path())

    assert problems == []
    assert found is not None
    assert (found.job, found.onnx, found.report) == (Job(), None, None)


def test_common_settings_are_plain_options(tmp_path: Path) -> None:
    (tmp_path / "churn.csv").write_text("a,churned\n1,0\n")
    options = ["--dataset", "churn.csv", "--target", "churned", "--model", "mlp", "--epochs", "20"]

    found = job(*options, "--learning-rate", "1e-3", "--batch-size", "64", "--seed", "7", folder=tmp_path)

    assert (found.dataset, found.data.target, found.model, found.epochs) == ("churn.csv", "churned", "mlp", 20)
    assert (found.learning_rate, found.batch_size, found.seed) == (0.001, 64, 7)


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("momentum=0.9", "momentum", 0.9),
        ("training.momentum=0.9", "momentum", 0.9),
        ("earlyStopping.patience=5", "early_stopping", EarlyStopping(patience=5)),
        ("deterministic=false", "deterministic", False),
        ("freeze=layers.0,layers.1", "freeze", ("layers.0", "layers.1")),
        ('freeze=["layers.0"]', "freeze", ("layers.0",)),
        ("freeze[0]=layers.0", "freeze", ("layers.0",)),
        ("modelArguments.width=128", "model_arguments", {"width": 128}),
        ("modelArguments.kind=relu", "model_arguments", {"kind": "relu"}),
        ('modelArguments={"width": 4}', "model_arguments", {"width": 4}),
        ("compute.processes=1", "processes", 1),
    ],
)
def test_any_setting_is_set_by_its_path(setting: str, name: str, value: Any) -> None:
    assert getattr(job("--set", setting), name) == value


def test_what_is_text_stays_text_though_it_looks_like_a_number_or_a_boolean() -> None:
    assert job("--set", "data.text=2020", "--set", "modelCard.licence=true").data.text == "2020"


def test_lists_and_names_with_dots_have_their_own_steps() -> None:
    found = job(
        "--set", "quality.ranges.age[0]=18", "--set", "quality.ranges.age[1]=99",
        "--set", 'search.parameters["modelArguments.width"].choices=[4,8]',
    )  # fmt: skip

    assert found.quality.ranges == {"age": (18.0, 99.0)}
    assert found.search is not None
    assert found.search.parameters == {"modelArguments.width": Range(choices=(4, 8))}


def test_weights_may_come_from_a_file_though_there_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"")

    found = job("--set", "initFrom.path=w.safetensors", folder=tmp_path)

    assert found.init_from is not None
    assert found.init_from.path == "w.safetensors"


def test_a_set_setting_goes_before_a_plain_option() -> None:
    assert job("--set", "epochs=3", "--epochs", "5").epochs == 3


def test_all_problems_are_told_at_once_by_their_paths(tmp_path: Path) -> None:
    told = said(
        "--epochs", "many", "--dataset", "none.csv", "--target", "a", "--set", "momentum=2", "--set", "foo=1",
        "--set", "nothing", "--onnx", str(tmp_path / "no" / "m.onnx"), folder=tmp_path,
    )  # fmt: skip

    for words in (
        "epochs is 'many'; allowed: a whole number", f"the file {tmp_path}/none.csv does not exist", "momentum is 2;",
        "foo is not a setting", "--set is 'nothing'; allowed: SETTING=VALUE", "does not exist",
    ):  # fmt: skip
        assert words in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["--set", "freeze[1]=a"], "[1] comes after [0], which is missing"),
        (["--set", "momentum=0.1", "--set", "momentum.x=1"], "no such parts"),
        (["--set", "deterministic=maybe"], "deterministic is 'maybe'; allowed: true, false"),
        (["--set", "compute.processes=2"], "compute.processes is 2; outside a stack"),
        (["--set", "compute.kind=job", "--set", "compute.image=a"], "compute.kind is 'job'; outside a stack"),
        (
            ["--set", f"initFrom.artifactId={'a' * 32}", "--set", f"initFrom.payloadDigest={'b' * 64}"],
            "initFrom names an artifact",
        ),
        (["--set", "a[b=1"], "SETTING=VALUE"),
        (["--report", "/"], "--report is '/'; it cannot be written"),
    ],
)
def test_what_cannot_be_says_what_can(arguments: list[str], words: str) -> None:
    assert words in said(*arguments)


def test_help_reads_without_marks_and_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        read_command_line(["--help"], Path())

    told = capsys.readouterr().out
    assert left.value.code == 0
    for option in ("--dataset", "--target", "--model", "--epochs", "--learning-rate", "--seed", "--set", "--onnx"):
        assert option in told
    assert "(default: diabetes)" in told
