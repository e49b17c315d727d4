"""The package's surface changes on purpose only."""

from training import report


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert sorted(report.__all__) == report.__all__
    assert [name for name in report.__all__ if not hasattr(report, name)] == []
