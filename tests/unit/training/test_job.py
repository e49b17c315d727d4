"""What can be a run, and what makes two runs the same: without torch."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import job as training_job
from training.errors import MissingLibraryError
from training.job import Job

PROJECT_ROOT = Path(__file__).resolve().parents[3]
NAN, INFINITY = float("nan"), float("inf")


def test_no_properties_are_the_defaults() -> None:
    job, problems = Job.validate({})

    assert problems == []
    assert job == Job("diabetes", "net", 0.01, 100, 32, 0, None, 1)


def test_numbers_arrive_as_doubles_and_become_whole_where_they_must() -> None:
    job, _ = Job.validate({"epochs": 5.0, "batchSize": 8.0, "seed": 7.0, "learningRate": 1, "stopLoss": None})

    assert job == Job(epochs=5, batch_size=8, seed=7, learning_rate=1.0)
    assert job is not None
    assert isinstance(job.epochs, int)
    assert isinstance(job.learning_rate, float)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("dataset", "mnist", ["'mnist'", "'diabetes'", "'digits'"]),
        ("dataset", 3, ["is 3", "'diabetes'"]),
        ("dataset", ["digits"], ["['digits']", "'diabetes'"]),
        ("model", "resnet", ["'resnet'", "'net'"]),
        ("learningRate", 0, ["is 0;", "above 0"]),
        ("learningRate", -0.1, ["is -0.1;", "above 0"]),
        ("learningRate", NAN, ["is NaN;", "above 0"]),
        ("learningRate", INFINITY, ["is inf;", "at most 1,000,000"]),
        ("learningRate", 1e7, ["is 10000000;", "at most 1,000,000"]),
        ("learningRate", "abc", ["is 'abc';", "number"]),
        ("learningRate", "0.01", ["is '0.01';", "number"]),
        ("learningRate", True, ["is true;", "number"]),
        ("epochs", 0, ["is 0;", "whole number from 1"]),
        ("epochs", -1, ["is -1;", "whole number from 1"]),
        ("epochs", 1.5, ["is 1.5;", "whole number from 1"]),
        ("epochs", NAN, ["is NaN;", "whole number from 1"]),
        ("epochs", INFINITY, ["is inf;", "whole number from 1"]),
        ("epochs", 10**400, ["whole number from 1"]),
        ("batchSize", 0, ["is 0;", "whole number from 1"]),
        ("batchSize", "many", ["is 'many';", "whole number from 1"]),
        ("seed", -1, ["is -1;", "whole number from 0"]),
        ("seed", 2**53, ["whole number from 0 to 9,007,199,254,740,991"]),
        ("stopLoss", 0, ["is 0;", "above 0", "without it"]),
        ("stopLoss", NAN, ["is NaN;", "above 0"]),
        ("threads", 65, ["is 65;", "from 1 to 64"]),
        ("momentum", 0.9, ["not a property", "learningRate"]),
    ],
)
def test_a_value_that_cannot_be_is_named_with_what_is_allowed(name: str, value: object, words: list[str]) -> None:
    job, problems = Job.validate({name: value})

    assert job is None
    assert [problem.property for problem in problems] == [name]
    assert problems[0].value is value
    for word in words:
        assert word in problems[0].message


def test_all_problems_are_told_at_once_in_the_order_of_the_properties() -> None:
    wrong: dict[str, object] = {"stopLoss": "x", "seed": -1, "batchSize": 0, "epochs": 0}
    wrong |= {"learningRate": 0, "model": "x", "dataset": "x"}

    _, problems = Job.validate(wrong)

    named = [problem.property for problem in problems]
    assert named == ["dataset", "model", "learningRate", "epochs", "batchSize", "seed", "stopLoss"]


def test_a_long_value_is_cut_in_the_message() -> None:
    _, problems = Job.validate({"dataset": "x" * 100_000})

    assert len(problems[0].message) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
properties = st.sampled_from([*Job().properties(), "stopLoss", "other"])


@given(st.dictionaries(properties, json_values))
def test_any_input_gives_a_job_or_problems_and_a_valid_job_reads_back(raw: dict[str, Any]) -> None:
    job, problems = Job.validate(raw)

    assert (job is None) == bool(problems)
    if job is not None:
        assert Job.validate(json.loads(json.dumps(job.properties(), allow_nan=False))) == (job, [])


def test_every_part_of_a_run_s_identity_changes_its_digest() -> None:
    job = Job()
    changed: list[dict[str, Any]] = [
        {"dataset": "digits"}, {"model": "other"}, {"learning_rate": 0.02}, {"epochs": 99}, {"batch_size": 31},
        {"seed": 1}, {"stop_loss": 0.5}, {"threads": 2},
    ]  # fmt: skip
    digests = [replace(job, **change).digest("data", "code", "torch 1") for change in changed]
    digests += [job.digest("other", "code", "torch 1"), job.digest("data", "other", "torch 1")]
    digests += [job.digest("data", "code", "torch 2"), job.digest("data", "code", "torch 1")]

    assert {name for change in changed for name in change} == set(vars(job))
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 64 for digest in digests)


def test_the_digest_of_a_run_is_what_it_was() -> None:
    """A new release must know the runs of the last one: change this only with the identity's definition."""
    assert Job().digest("d", "c", "l") == "069f200ce99a05fc955874bdda63920bdeb19d54e60abcaaccaf8bf0545c2d91"


def copy_of_the_package(folder: Path, umask: int) -> Path:
    previous = os.umask(umask)
    try:
        package = folder / "training"
        package.mkdir(parents=True)
        for module in sorted((PROJECT_ROOT / "training").glob("*.py"), reverse=True):
            shutil.copyfile(module, package / module.name)
    finally:
        os.umask(previous)
    return package


def code_digest_in(folder: Path) -> str:
    program = "from training.job import code_digest; print(code_digest())"
    environment = {"PYTHONPATH": str(folder)}
    ran = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, check=True)
    return ran.stdout.decode().strip()


def test_the_code_digest_is_the_same_from_another_path_and_umask_and_changes_with_a_byte(
    tmp_path: Path,
) -> None:
    package = copy_of_the_package(tmp_path / "elsewhere" / "deeper", umask=0o077)
    assert code_digest_in(package.parent) == training_job.code_digest()

    (package / "sgd.py").write_bytes((package / "sgd.py").read_bytes() + b"\n")
    assert code_digest_in(package.parent) != training_job.code_digest()


def test_data_digests_are_of_the_shipped_bytes() -> None:
    assert training_job.data_digest("diabetes") == "7900d4c647d8721958c87f9c488499aadc50e997be29c96fe289ffb06c4db85c"
    assert training_job.data_digest("digits") == "1789b74c32ceac5ad8026bc1f77224f870ca0e552c02e9e5145e5082dba2010f"


def test_a_data_set_without_its_file_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_job, "data_paths", lambda dataset: (tmp_path / "gone.csv.gz",))

    with pytest.raises(MissingLibraryError, match=r"(?s)'digits'.*gone\.csv\.gz.*hint: .*make setup"):
        training_job.data_digest("digits")


def test_libraries_are_named_with_versions_and_none_if_one_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    found = training_job.libraries()
    assert found is not None
    assert [part.split()[0] for part in found.split(", ")] == ["torch", "numpy", "scikit-learn", "onnx"]

    monkeypatch.setattr(training_job, "NEEDED_LIBRARIES", ("torch", "no-such-library"))
    assert training_job.libraries() is None


def test_what_the_plugin_imports_works_where_nothing_is_installed() -> None:
    """-S: only the standard library; and nothing of it loads the rest of the package."""
    program = """if True:
        import sys
        for name in ("torch", "numpy", "sklearn", "onnx", "safetensors", "cryptography"):
            sys.modules[name] = None
        from training import job
        loaded = sorted(name for name in sys.modules if name.startswith("training"))
        assert loaded == ["training", "training.errors", "training.job"], loaded
        assert job.Job.validate({"epochs": 0})[1][0].property == "epochs"
        assert job.libraries() is None
        print(job.code_digest())
    """
    ran = subprocess.run(
        [sys.executable, "-S", "-c", program], env={"PYTHONPATH": str(PROJECT_ROOT)}, capture_output=True, text=True
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == training_job.code_digest()
