"""Rate limits."""

import pytest

from sealift.serving.access.rate_limit import RateLimit


def test_a_burst_at_once_then_so_many_a_second() -> None:
    limit = RateLimit(per_second=10, burst=3)

    at_once = [limit.take(1000.0) for _ in range(4)]
    later = [limit.take(1000.0 + step / 10) for step in (1, 2, 3)]

    assert at_once == [0, 0, 0, 1]
    assert later == [0, 0, 0]
    assert limit.take(1000.3) == 1


@pytest.mark.parametrize("per_second", [0.5, 3, 7, 100])
def test_over_a_long_time_it_lets_through_what_it_says(per_second: float) -> None:
    limit = RateLimit(per_second, burst=5)
    taken = sum(limit.take(1000 + step / 1000) == 0 for step in range(100_000))

    assert abs(taken - (5 + 100 * per_second)) <= 1


def test_who_was_refused_may_ask_again_when_it_was_told() -> None:
    limit = RateLimit(per_second=0.1, burst=1)

    assert limit.take(0.0) == 0
    assert limit.take(0.5) == 10
    assert limit.take(9.9) == 1
    assert limit.take(10.0) == 0


def test_a_refusal_costs_nothing() -> None:
    limit = RateLimit(per_second=1, burst=1)
    limit.take(0.0)
    for _ in range(100):
        limit.take(0.5)

    assert limit.take(1.0) == 0


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    limit = RateLimit(per_second=1, burst=2)
    limit.take(1_000_000.0)

    assert limit.take(1000.0) == 1
    assert limit.take(1001.0) == 0
