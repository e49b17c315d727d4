"""What the checks find, each with a set that has it and one that has not, and that they never quote a value."""

import datetime
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest
import torch

from training.errors import DataError
from training.findings import Finding, beyond_limits, enforce, warnings
from training.options import Quality, Task
from training.recipe.datasets.dataset import TensorRows
from training.recipe.datasets.quality import examine, examine_split

OWN = np.random.default_rng(0)
X, Z = OWN.normal(size=100), OWN.normal(size=100)
PLAIN = Quality()
CLASSES = ["red" if at % 4 else "green" for at in range(100)]


def found(
    columns: Mapping[str, Sequence[object]],
    quality: Quality = PLAIN,
    task: Task = "regression",
) -> list[tuple[str, tuple[str, ...]]]:
    findings = examine(pa.table(dict(columns)), "y", task, quality)
    return [(one.kind, one.columns) for one in beyond_limits(findings, quality)]


def fine(**more: Sequence[object]) -> dict[str, Sequence[object]]:
    return {"x": list(X), "y": list(Z), **more}


def test_a_sound_table_has_no_findings() -> None:
    assert found(fine(c=CLASSES, n=list(range(100)))) == []
    assert found({"x": list(X), "y": CLASSES}, task="classification") == []


def with_gaps(values: Sequence[object], gap: object, every: int = 10) -> list[object]:
    return [gap if at % every == 0 else value for at, value in enumerate(values)]


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_missing_values_beyond_the_share_that_is_allowed(gap: object) -> None:
    columns = fine(g=with_gaps(list(X * 2 + Z), gap))

    assert found(columns) == [("missingValues", ("g",))]
    assert found(columns, Quality(maximum_missing=0.1)) == []


@pytest.mark.parametrize("gap", [None, "", "  "])
def test_a_text_without_a_letter_is_missing(gap: object) -> None:
    assert found(fine(c=with_gaps(CLASSES, gap))) == [("missingValues", ("c",))]


def test_columns_that_never_vary_and_columns_that_are_the_same() -> None:
    assert found(fine(one=[7] * 100, two=["a"] * 100)) == [("constantColumns", ("one", "two"))]
    assert found(fine(again=list(X))) == [("duplicateColumns", ("x", "again"))]
    assert found(fine(c=CLASSES, d=[name.upper() for name in CLASSES])) == [("duplicateColumns", ("c", "d"))]


@pytest.mark.parametrize(
    "values",
    [1e9 + X, list(range(2**53, 2**53 + 100)), [datetime.datetime(2026, 1, 1, 0, 0, 0, at) for at in range(100)]],
    ids=["a large mean", "ids", "times within a minute"],
)  # fmt: skip
def test_values_that_fp32_rounds_to_one_another(values: Sequence[object]) -> None:
    assert ("precision", ("k",)) in found(fine(k=list(values)))
    with pytest.raises(DataError, match="the target 'y' has more digits than FP32"):
        found({"x": list(X), "y": list(values)})


def test_numbers_that_are_names_may_have_any_digits() -> None:
    table = pa.table({"k": range(2**53, 2**53 + 100), "x": X, "y": [2**53 + at % 5 for at in range(100)]})

    assert beyond_limits(examine(table, "y", "classification", PLAIN, ("k",)), PLAIN) == ()


def test_numbers_of_seven_digits_and_many_equal_ones_are_fine() -> None:
    assert found(fine(k=[1e9 + 1000 * at * at for at in range(100)], n=[at % 7 for at in range(100)])) == []
    seconds = [datetime.datetime(2026, 1, 1 + at % 28, at % 24, at % 60, at % 59) for at in range(100)]
    assert found(fine(t=seconds)) == []


@pytest.mark.parametrize("huge", [1e300, -1e39, float("inf")])
def test_a_number_beyond_fp32_is_as_infinite(huge: float) -> None:
    assert found(fine(k=[huge, *X[1:] * Z[1:]])) == [("outOfRange", ("k",))]
    with pytest.raises(DataError, match="NaN or infinite in 1 of 100 rows"):
        found({"x": list(X), "y": [huge, *Z[1:]]})


def test_rows_that_are_copies() -> None:
    rows = {"x": [*X, X[0], X[1]], "y": [*Z, Z[0], Z[1]]}

    (one,) = examine(pa.table(rows), "y", "regression", Quality())

    assert one.kind == "duplicateRows"
    assert "2 of 102 rows" in one.message


def test_a_rare_class() -> None:
    columns = {"x": list(X), "y": ["rare", *["usual"] * 99]}

    assert found(columns, task="classification") == []
    assert found(columns, Quality(minimum_class_share=0.05), "classification") == [("imbalance", ("y",))]


def test_a_feature_that_is_the_target_in_other_words() -> None:
    assert found(fine(k=list(Z * 1.8 + 32))) == [("leakage", ("k", "y"))]
    assert found(fine(k=list(Z + X * 0.1))) == []
    coded = [1.5 if name == "red" else -2.0 for name in CLASSES]
    assert found({"x": list(X), "k": coded, "y": CLASSES}, task="classification") == [("leakage", ("k", "y"))]
    nearly = [-coded[0], *coded[1:]]
    assert found({"x": list(X), "k": nearly, "y": CLASSES}, task="classification") == []


def test_values_outside_their_range_or_infinite() -> None:
    ranges = Quality(ranges={"n": (0, 98)})

    assert found(fine(n=list(range(100))), ranges) == [("outOfRange", ("n",))]
    assert found(fine(n=list(range(-1, 99))), Quality(ranges={"n": (-1, 98)})) == []
    assert found(fine(g=with_gaps(list(X * 3), float("inf")))) == [("outOfRange", ("g",))]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (with_gaps(list(Z), None), "10 of 100"),
        (with_gaps(list(Z), float("-inf")), "10 of 100"),
        ([3.0] * 100, "one value"),
    ],
    ids=["missing", "infinite", "constant"],
)
def test_a_target_that_nothing_can_be_learnt_from_is_refused_whatever_is_allowed(
    target: list[float], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        examine(pa.table({"x": X, "y": target}), "y", "regression", Quality(allow=("missingValues", "outOfRange")))


def test_a_range_of_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match=r"quality\.ranges names the column 'agee'"):
        found(fine(), Quality(ranges={"agee": (0, 1)}))


def test_held_out_rows_that_training_sees_too_are_leakage() -> None:
    rows = TensorRows(torch.randn(50, 3), torch.randn(50, 1))
    copied = TensorRows(
        torch.cat([rows.features[:1], torch.randn(9, 3)]), torch.cat([rows.target[:1], torch.randn(9, 1)])
    )

    (one,) = examine_split(rows, copied)

    assert one.kind == "leakage"
    assert "1 of 10 held-out rows" in one.message
    assert examine_split(rows, TensorRows(torch.randn(10, 3), torch.randn(10, 1))) == ()


def test_a_report_lists_all_that_is_not_allowed_with_ways_out_and_no_value_of_the_data() -> None:
    columns = {"x": list(X), "again": list(X), "secret": ["Ada Lovelace"] * 100, "k": list(Z), "y": list(Z)}
    findings = examine(pa.table(columns), "y", "regression", Quality())

    with pytest.raises(DataError) as refused:
        enforce(findings, Quality(), "people.csv")

    said = str(refused.value)
    assert said.splitlines()[0] == "people.csv fails the quality checks:"
    assert [line.split(":")[0].strip() for line in said.splitlines()[1:3]] == ["duplicateColumns", "leakage"]
    assert "data.exclude" in said
    allow = '["constantColumns", "duplicateColumns", "duplicateRows", "leakage"]'
    assert f"to train anyway, set quality.allow to {allow}" in said
    assert "Ada" not in said + str(findings)


def test_what_is_allowed_goes_on_into_the_report() -> None:
    finding = Finding("constantColumns", ("a",), "'a' never varies")

    enforce((finding,), Quality(), "set")

    assert warnings((finding,), Quality()) == (
        {"finding": "constantColumns", "columns": ["a"], "what": "'a' never varies"},
    )


@pytest.mark.parametrize(
    ("strict", "words"),
    [
        (Quality(maximum_missing=0.05), "missingValues: 'g' has no value in 10 rows (10.0%); fill them in"),
        (
            Quality(maximum_missing=0.5, minimum_class_share=0.3),
            "imbalance: the rarest of 2 classes has 25 of 100 rows (25.00%; quality.minimumClassShare is 30.00%)",
        ),
        (Quality(maximum_missing=0.5, allow=()), "constantColumns: 'c' has the same value in all rows"),
    ],
    ids=["missing", "imbalance", "allowed"],
)
def test_what_was_found_once_is_judged_by_other_limits_without_the_data(strict: Quality, words: str) -> None:
    table = pa.table({"g": with_gaps(list(X), None), "c": [1] * 100, "y": CLASSES})
    findings = examine(table, "y", "classification", Quality(maximum_missing=0.5))
    enforce(findings, Quality(maximum_missing=0.5), "set")

    with pytest.raises(DataError) as refused:
        enforce(findings, strict, "set")

    assert words in refused.value.message


def test_a_column_that_varies_late_does_vary() -> None:
    late = pa.table(
        {"x": [0.0] * 5000 + [1.0], "gap": [0.0] * 5000 + [None], "y": [float(at % 7) for at in range(5001)]}
    )

    assert [one.columns for one in examine(late, "y", "regression", PLAIN) if one.kind == "constantColumns"] == []
