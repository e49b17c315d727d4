"""A preview reads the data before anything trains: names of columns, values, and how many rows there are."""

from collections.abc import Callable
from pathlib import Path

from tests.stack import Stack

MakeStack = Callable[..., Stack]


def write(tmp_path: Path, rows: int, last: str = "") -> None:
    """In the program's folder, where paths of a run are."""
    folder = tmp_path / "program"
    folder.mkdir(exist_ok=True)
    lines = [f"{at % 17 + 20},{'ab'[at % 2]},{at * 1.37 % 11:.2f}\n" for at in range(rows)]
    (folder / "churn.csv").write_text("".join(["age,plan,spent\n", *lines, last]))


def test_columns_that_are_not_there_and_bad_values_are_refused_before_anything_trains(
    training_stack: MakeStack, tmp_path: Path
) -> None:
    write(tmp_path, 60)
    stack = training_stack(
        dataset="churn.csv",
        epochs=2,
        data={"target": "spend", "exclude": ["pla"]},
        masking={"agee": {"method": "drop"}},
    )

    said = stack.preview().failed().text
    assert (
        "has a problem: data.target names the column 'spend', which churn.csv does not contain; did you mean 'spent'?"
        in said
    )
    assert "names the column 'pla', which churn.csv does not contain; did you mean 'plan'?" in said
    assert "names the column 'agee', which churn.csv does not contain; did you mean 'age'?" in said
    for named in ("data.target", "data.exclude", "masking"):
        assert named in said

    stack.set_run(dataset="churn.csv", epochs=2, data={"target": "spent"})
    write(tmp_path, 60, last="33,a,\n")
    for ran in (stack.preview(), stack.up()):
        assert "the target 'spent' is missing, NaN or infinite in 1 of 61 rows" in ran.failed().text
    assert not list((tmp_path / "store").rglob("*.*")), "nothing was trained"


def test_a_preview_says_how_many_rows_a_changed_file_had_and_has(training_stack: MakeStack, tmp_path: Path) -> None:
    write(tmp_path, 60)
    stack = training_stack(dataset="churn.csv", epochs=2, data={"target": "spent"})
    stack.up().ok()
    stack.preview("--expect-no-changes").ok()

    write(tmp_path, 61)

    assert "because churn.csv changed (60 → 61 rows)" in stack.preview().ok().text
