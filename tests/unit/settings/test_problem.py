"""How several problems are told at once."""

import pytest

from sealift.settings.problem import Problem, report


def test_a_report_has_a_line_per_problem_and_each_hint_once_at_the_end() -> None:
    problems = [
        Problem("a", "is 1; allowed: 2", "way out"),
        Problem("b", "is 3; allowed: 4", "way out"),
        Problem("c", "is 5"),
    ]

    assert report("no", problems, "last").splitlines() == [
        "no:",
        "  a is 1; allowed: 2",
        "  b is 3; allowed: 4",
        "  c is 5",
        "hint: way out",
        "hint: last",
    ]


def test_a_report_of_nothing_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="internal error"):
        report("no", [])
