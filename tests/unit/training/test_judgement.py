"""Evidence is judged by whatever is asked, without data, torch or the model."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.training.report import samples
from training.errors import CheckpointError, DataError
from training.findings import Finding
from training.job import Job
from training.judgement import Evidence, judge
from training.options import Gate, Gates, ModelCard, Quality
from training.report.content import Report

GAP = Finding("missingValues", ("age",), "'age' lacks a value in 3 rows (3.0%)", 3, 100)
MEASURED = Report(
    title="net on people.csv", model="net", dataset="people.csv", task="regression", metrics={"r2": 0.4},
    hyperparameters={"momentum": 0.9, "quality": {"schema": {"age": "number"}}},
)  # fmt: skip
EVIDENCE = Evidence(MEASURED, (GAP,), 2048)
LENIENT = Job(momentum=0.1, quality=Quality(maximum_missing=0.05))


@pytest.mark.parametrize("report", [MEASURED, samples.complete()], ids=["small", "complete"])
def test_evidence_comes_out_as_it_went_in(report: Report) -> None:
    evidence = Evidence(report, (GAP, Finding("duplicateRows", (), "2 rows")), 7)

    assert Evidence.decode(evidence.encode()) == evidence


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"report": {}, "findings": [], "modelBytes": 1}'])
def test_what_is_no_evidence_is_refused(content: bytes) -> None:
    with pytest.raises(CheckpointError, match="evidence"):
        Evidence.decode(content)


@pytest.mark.parametrize(
    ("gates", "passed"),
    [
        (Gates({"r2": Gate(minimum=0.4)}), True),
        (Gates({"r2": Gate(minimum=0.41)}), False),
        (Gates(maximum_bytes=2047), False),
        (Gates({"accuracy": Gate(minimum=0.0)}), False),
        (Gates(no_worse_than_deployed="r2"), False),
    ],
    ids=["met", "stricter", "too large", "a metric of another task", "worse than deployed"],
)
def test_gates_are_held_against_what_was_measured(gates: Gates, *, passed: bool) -> None:
    judgement = judge(replace(LENIENT, gates=gates), EVIDENCE, {"r2": 0.5})

    assert judgement.passed is passed
    assert [gate.passed for gate in judgement.report.gates or ()] == [passed]


def test_a_limit_that_the_data_exceeds_is_refused_in_the_words_of_a_run() -> None:
    judge(LENIENT, EVIDENCE, None)

    with pytest.raises(DataError, match="missingValues: 'age' lacks a value in 3 rows") as refused:
        judge(replace(LENIENT, quality=Quality(maximum_missing=0.02)), EVIDENCE, None)
    assert "fails the quality checks" in refused.value.message


def test_the_report_has_what_is_asked_now_beside_the_settings_that_the_model_was_made_with() -> None:
    """A search has chosen the momentum."""
    report = judge(replace(LENIENT, model_card=ModelCard(contact="ada")), EVIDENCE, None).report

    assert report.card is not None
    assert report.card.contact == "ada"
    assert report.hyperparameters == {
        "momentum": 0.9,
        "quality": {"schema": {"age": "number"}, "maximumMissing": 0.05},
        "modelCard": {"contact": "ada"},
    }


def test_equal_reports_of_one_run_have_the_same_key_and_others_do_not() -> None:
    one, again = judge(LENIENT, EVIDENCE, None), judge(LENIENT, EVIDENCE, None)
    other = judge(replace(LENIENT, model_card=ModelCard(contact="ada")), EVIDENCE, None)

    assert one.report_key(b"a" * 32) == again.report_key(b"a" * 32)
    assert len({one.report_key(b"a" * 32), one.report_key(b"b" * 32), other.report_key(b"a" * 32)}) == 3


def test_to_judge_loads_no_library() -> None:
    code = "import sys; sys.modules.update(dict.fromkeys(['torch', 'numpy', 'pyarrow', 'matplotlib'])); "
    subprocess.run([sys.executable, "-c", code + "import training.judgement"], check=True, cwd=Path.cwd())
