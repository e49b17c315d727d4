"""What stands before the rows of a CSV file, and which characters: read as it is meant, or said what the line is."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from training.errors import DataError
from training.job import Job
from training.recipe.datasets import tables
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.datasets.load import load

ROWS = "".join(f"{at};{at % 7}.5;{at * 3 % 11}.25\n" for at in range(60))
PLAIN = "a;b;y\n" + ROWS


def loaded(folder: Path, content: str | bytes, target: str = "y", **data: Any) -> Dataset:
    (folder / "d.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    job, problems = Job.validate({"dataset": "d.csv", "data": {"target": target, **data}}, folder)
    assert job is not None, problems
    return load(job, folder, bytes(32))


def rows(dataset: Dataset) -> list[list[float]]:
    assert isinstance(dataset.rows, TensorRows)
    return [*dataset.rows.features.tolist(), *dataset.rows.target.tolist()]


@pytest.mark.parametrize(
    "before",
    ["sep=;\n", "SEP=;\r\n", '"sep=;"\n', "\ufeffsep=;\n", "# exported by a tool\n", "# one\n# two, and more\n",
     "sep=;\n# exported by a tool\n"],
)  # fmt: skip
def test_lines_before_the_names_are_no_rows(tmp_path: Path, before: str) -> None:
    data = loaded(tmp_path, before + PLAIN)

    assert data.feature_names == ("a", "b")
    assert rows(data) == rows(loaded(tmp_path, PLAIN))


def test_the_separator_line_says_the_delimiter_whatever_the_names_hold(tmp_path: Path) -> None:
    data = loaded(tmp_path, "sep=;\nlength,x,y,z;b;y\n" + ROWS)

    assert data.feature_names == ("length,x,y,z", "b")


def test_names_may_begin_with_a_hash(tmp_path: Path) -> None:
    assert loaded(tmp_path, "#a;b;y\n" + ROWS).feature_names == ("#a", "b")


@pytest.mark.parametrize("before", ["", "sep=;\n", "# exported\n", "sep=;\n# exported\n"])
def test_a_bad_line_is_named_by_its_number_in_the_file(tmp_path: Path, before: str) -> None:
    line = 4 + before.count("\n")
    with pytest.raises(DataError, match=f"line {line} has 2 fields, the line of names has 3"):
        loaded(tmp_path, before + "a;b;y\n1;2;3\n4;5;6\n7;8\n" + ROWS)


@pytest.mark.parametrize("units", ["m;m;kg", "-;m;kg", ";m;kg", "Length;Width;Weight"])
def test_a_line_of_units_is_said(tmp_path: Path, units: str) -> None:
    with pytest.raises(DataError, match=r"line 2 of d.csv has texts where all other lines have numbers") as refused:
        loaded(tmp_path, "a;b;y\n" + units + "\n" + ROWS)

    assert "remove that line" in refused.value.hint


def test_one_text_among_numbers_is_no_line_of_units(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'a' mixes types"):
        loaded(tmp_path, "a;b;y\nx;1.5;2.5\n" + ROWS)


def test_numbers_instead_of_names_are_said_unless_one_is_the_target(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1 of d.csv holds numbers, not the names of the columns"):
        loaded(tmp_path, ROWS)
    with pytest.raises(DataError, match=r"line 2 of d.csv holds numbers"):
        loaded(tmp_path, "sep=;\n" + ROWS)

    assert loaded(tmp_path, "2019;2020;2021\n" + ROWS, target="2021").feature_names == ("2019", "2020")


def test_a_header_that_is_not_utf_8_is_said_with_the_setting(tmp_path: Path) -> None:
    content = PLAIN.replace("a;", "gr\u00f6\u00dfe;", 1)
    with pytest.raises(DataError, match=r"d\.csv is not UTF-8 in its first line") as refused:
        loaded(tmp_path, content.encode("iso-8859-1"))

    assert "data.encoding" in refused.value.hint
    for encoding in ("iso-8859-1", "windows-1252", "utf-16", "utf-32", "utf-8"):
        data = loaded(tmp_path, content.encode(encoding), encoding=encoding)
        assert data.feature_names == ("gr\u00f6\u00dfe", "b")


def test_values_of_another_encoding_are_read_where_it_is_said(tmp_path: Path) -> None:
    towns = ("K\u00f6ln", "M\u00fcnchen")
    content = "a;b;y\n" + "".join(f"{towns[at % 2]};{at};{at * 7 % 11}.5\n" for at in range(40))
    with pytest.raises(DataError, match="is not UTF-8 in") as refused:
        loaded(tmp_path, content.encode("windows-1252"))

    assert "data.encoding" in refused.value.hint
    data = loaded(tmp_path, content.encode("windows-1252"), encoding="windows-1252")
    assert data.feature_names[:2] == ("a=K\u00f6ln", "a=M\u00fcnchen")


def test_a_file_that_is_not_in_the_encoding_that_is_said_is_refused_by_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.encoding is 'shift_jis', but line 3 of d\.csv "):
        loaded(tmp_path, b"a;b;y\n1;2;3\n\x81\x20;2;3\n", encoding="shift_jis")

    _, problems = Job.validate({"dataset": "d.csv", "data": {"target": "y", "encoding": "rot13"}}, tmp_path)
    assert "data.encoding" in str(problems[0])


def test_na_and_none_are_values_where_data_missing_leaves_them_out(tmp_path: Path) -> None:
    lines = "".join(f"{['NA', 'None', 'DE'][at % 3]};{at};{at * 7 % 11}.5\n" for at in range(42))
    content = "country;b;y\n" + lines
    with pytest.raises(DataError, match=r"missingValues: 'country' has no value .*data\.missing"):
        loaded(tmp_path, content)

    data = loaded(tmp_path, content, missing=["?"])
    assert data.feature_names[:3] == ("country=DE", "country=NA", "country=None")
    assert loaded(tmp_path, content.replace("country;b;y", "y;b;NA"), target="y", missing=[]).classes == (
        "DE",
        "NA",
        "None",
    )


def test_names_of_columns_are_checked_in_one_pass() -> None:
    class Counted(str):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    names = [Counted(f"g{at}") for at in range(2000)]
    tables._check_names("w.csv", names)
    assert Counted.compared < 10 * len(names)

    with pytest.raises(DataError, match="two columns named 'g7'"):
        tables._check_names("w.csv", [*names, "g7"])


def test_a_slashed_date_is_a_date_in_every_place(tmp_path: Path) -> None:
    lines = "".join(
        f"{datetime.date(2012, 1, 1) + datetime.timedelta(at):%Y/%m/%d};{at * 7 % 11}.5;{at * 3 % 17}\n"
        for at in range(60)
    )
    data = loaded(tmp_path, "day;b;y\n" + lines, target="b")

    assert rows(data)[0][0] == 15340
