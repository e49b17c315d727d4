"""What a preview is told of a data set: what a run would say of it, without torch and without a run."""

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from sealift.settings import Problem
from training import data_check
from training.errors import DataError
from training.job import Job
from training.process import COMMAND, environment
from training.recipe.datasets.masking import Masker
from training.recipe.datasets.prepared import prepare

ROWS = 40


def csv(rows: int = ROWS, separator: str = ",") -> str:
    lines = [separator.join((str(at % 17 + 20), "ab"[at % 2], str(at * 1.37 % 11))) for at in range(rows)]
    return "\n".join([separator.join(("age", "plan", "spent")), *lines]) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "churn.csv").write_text(csv())
    return tmp_path


@pytest.fixture(params=["as a run", "head alone"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the file counts as a small one."""
    if request.param == "head alone":
        monkeypatch.setattr(data_check, "WHOLE_BYTES", 0)
    return str(request.param)


def checked(folder: Path, dataset: str = "churn.csv", target: str = "spent", **settings: Any) -> data_check.DataAnswer:
    data = {"target": target, **settings.pop("data", {})}
    job, problems = Job.validate({"dataset": dataset, "data": data, **settings})
    assert job is not None, problems
    return data_check.check(job, folder)


def told(found: data_check.DataAnswer) -> dict[str, str]:
    return {problem.property: problem.message for problem in found.problems}


@pytest.mark.usefixtures("either")
def test_data_that_a_run_would_take_has_no_problem_and_its_rows_are_counted(folder: Path) -> None:
    assert checked(folder) == data_check.DataAnswer((), ROWS)


@pytest.mark.usefixtures("either")
def test_columns_that_are_not_there_are_told_by_the_settings_that_name_them(folder: Path) -> None:
    found = told(checked(folder, target="spend", data={"exclude": ["pla"]}))

    assert found["data.target"] == "names the column 'spend', which churn.csv does not contain; did you mean 'spent'?"
    assert found["data.exclude"].startswith(
        "names the column 'pla', which churn.csv does not contain; did you mean 'plan'? its columns: age, plan, spent"
    )


def test_bad_values_are_told_in_the_words_of_a_run(folder: Path) -> None:
    (folder / "churn.csv").write_text(csv() + "33,a,\n")
    job, _ = Job.validate({"dataset": "churn.csv", "data": {"target": "spent"}})
    assert job is not None
    with pytest.raises(DataError) as raised:
        prepare(job, folder, Masker(bytes(32)))

    (problem,) = checked(folder).problems

    assert problem == Problem("dataset", f"is 'churn.csv'; {raised.value.message}; {raised.value.hint}")
    assert "the target 'spent' is missing, NaN or infinite in 1 of 41 rows" in problem.message


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize(
    ("name", "content", "data"),
    [
        ("a.tsv", csv(separator="\t").encode(), {}),
        ("a.csv", csv(separator=";").encode(), {}),
        ("a.csv", csv(separator="~").encode(), {"delimiter": "~"}),
        ("a.csv", csv().encode("utf-16"), {"encoding": "utf-16"}),
        ("a.csv", b"# made by hand\n" + csv().encode(), {}),
        ("a.csv", b"sep=;\n" + csv(separator=";").encode(), {}),
        ("a.csv.gz", gzip.compress(csv().encode()), {}),
    ],
    ids=["tab", "semicolon", "delimiter", "encoding", "comment", "sep", "gzip"],
)
def test_names_are_read_in_every_form_that_a_run_reads(
    tmp_path: Path, name: str, content: bytes, data: dict[str, Any]
) -> None:
    (tmp_path / name).write_bytes(content)

    assert checked(tmp_path, name, data=data).problems == ()
    (problem,) = checked(tmp_path, name, data={**data, "exclude": ["plant"]}).problems
    assert "did you mean 'plan'?" in problem.message


@pytest.mark.usefixtures("either")
def test_a_parquet_file_tells_what_its_columns_hold(tmp_path: Path) -> None:
    table = pa.table({"age": list(range(ROWS)), "spent": [at * 1.37 % 11 for at in range(ROWS)]})
    pa.parquet.write_table(table, tmp_path / "a.parquet")

    assert checked(tmp_path, "a.parquet") == data_check.DataAnswer((), ROWS)
    (problem,) = checked(tmp_path, "a.parquet", quality={"schema": {"age": "text"}}).problems
    assert "'age' holds whole numbers, not texts" in problem.message


@pytest.mark.usefixtures("either")
def test_arrays_that_are_not_there_are_told(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.savez(stream, x=np.random.default_rng(0).normal(size=(ROWS, 3)), labels=np.arange(ROWS) % 2)
    (tmp_path / "a.npz").write_bytes(stream.getvalue())

    assert checked(tmp_path, "a.npz", "labels").problems == ()
    found = told(checked(tmp_path, "a.npz", "label"))
    assert found["data.target"].startswith(
        "names the array 'label', which a.npz does not contain; did you mean 'labels'?"
    )


def test_texts_are_not_redacted_in_a_preview(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.recipe.datasets.prepared.Masker.mask", None)

    assert checked(folder, masking={"plan": {"method": "redact"}}) == data_check.DataAnswer((), ROWS)


def test_a_name_that_goes_on_in_the_next_line_is_left_for_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_check, "WHOLE_BYTES", 0)
    (tmp_path / "a.csv").write_text(csv().replace("plan", '"the\nplan"'))

    assert checked(tmp_path, "a.csv") == data_check.DataAnswer()


def test_the_process_answers_on_its_standard_output_and_loads_no_torch(folder: Path, tmp_path: Path) -> None:
    asked = {"job": {"dataset": "churn.csv", "data": {"target": "spend"}}, "folder": str(folder)}
    blocked = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['', 'check']; from training.__main__ import main; main()"
    )

    for command in ([*COMMAND, "check"], [sys.executable, "-P", "-c", blocked]):
        ran = subprocess.run(
            command, input=json.dumps(asked), env=environment(os.environ), capture_output=True, text=True, check=True
        )
        (problem,) = json.loads(ran.stdout)["problems"]
        assert problem["property"] == "data.target"


@pytest.mark.usefixtures("either")
def test_another_encoding_than_was_said_is_told(folder: Path) -> None:
    (folder / "churn.csv").write_bytes(csv().encode("utf-16") + b"\x00\xdc\x00\xdc")

    (problem,) = checked(folder, data={"encoding": "utf-16"}).problems

    assert "data.encoding is 'utf-16', but line" in problem.message


@pytest.mark.usefixtures("either")
def test_a_broken_line_is_told_of_a_larger_file_too(folder: Path) -> None:
    (folder / "churn.csv").write_text(csv() + "1,2\n")

    (problem,) = checked(folder).problems

    assert "line 42 has 2 fields, the line of names has 3" in problem.message


def test_a_metric_that_does_not_fit_what_the_data_are_is_refused_by_its_setting(tmp_path: Path) -> None:
    rows = "".join(f"{row},{'yes' if row % 2 else 'no'}\n" for row in range(40))
    (tmp_path / "churn.csv").write_text(f"age,churned\n{rows}")
    job, problems = Job.validate(
        {"dataset": "churn.csv", "data": {"target": "churned"}, "gates": {"metrics": {"r2": {"minimum": 0.5}}}},
        tmp_path,
    )
    assert job is not None, problems

    answer = data_check.check(job, tmp_path)

    assert [one.property for one in answer.problems] == ["gates.metrics"]
    assert "has 'r2', but churn.csv is a classification" in answer.problems[0].message
    assert answer.rows == 40


def test_private_training_wants_public_ranges_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "churn.csv").write_text("age,plan\n" + "".join(f"{at},{'ab'[at % 2]}\n" for at in range(40)))
    given = {"dataset": "churn.csv", "data": {"target": "plan"}, "privacy": {"noiseMultiplier": 1}}
    job, problems = Job.validate(given, tmp_path)
    assert job is not None, problems

    (problem,) = data_check.check(job, tmp_path).problems

    assert "quality.ranges does not name 'age'; with privacy" in problem.message


@pytest.mark.parametrize("first", ["age,plan\r20,a\r21,b\r", "x" * 200_000 + ",plan\n1,2\n"])
def test_a_first_line_that_names_no_columns_is_refused_with_the_way_out(tmp_path: Path, first: str) -> None:
    (tmp_path / "churn.csv").write_bytes(first.encode())
    job, problems = Job.validate({"dataset": "churn.csv", "data": {"target": "plan"}}, tmp_path)
    assert job is not None, problems

    (problem,) = data_check.check(job, tmp_path).problems

    assert problem.property == "dataset" and "does not name columns" in problem.message
