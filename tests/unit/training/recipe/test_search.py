"""The search: what it finds, that it is the same every time, and that an interrupted one goes on undisturbed."""

from collections.abc import Mapping
from typing import Any

import pytest

from training.errors import ModelError, NonFiniteLossError
from training.options import Range, Search
from training.recipe import search

SEARCH = Search(
    trials=25,
    metric="loss",
    parameters={"learningRate": Range(1e-4, 1.0, log=True), "batchSize": Range(choices=(8, 16, 32))},
)


class Stopped(Exception):
    """What a test raises in the middle."""


def valley(settings: Mapping[str, Any], report: search.MetricReport) -> float:
    """Lowest at a learning rate of 0.1 and a batch of 16."""
    distance = abs(settings["learningRate"] - 0.1) + (settings["batchSize"] != 16)
    for epoch in (1, 2, 3):
        report(epoch, distance + 1 / epoch)
    return float(distance)


def nothing(state: str) -> None:
    pass


def test_it_finds_the_valley_and_is_the_same_every_time() -> None:
    first = search.search(SEARCH, 7, valley, None, nothing)
    again = search.search(SEARCH, 7, valley, None, nothing)

    assert first == again
    assert first.best["batchSize"] == 16
    assert abs(first.best["learningRate"] - 0.1) < 0.1
    assert first != search.search(SEARCH, 8, valley, None, nothing)


@pytest.mark.parametrize("made", [1, 5, 12, 24])
def test_an_interrupted_search_makes_the_trials_of_an_undisturbed_one(made: int) -> None:
    states: list[str] = []

    def stop(state: str) -> None:
        states.append(state)
        if len(states) == made:
            raise Stopped

    with pytest.raises(Stopped):
        search.search(SEARCH, 7, valley, None, stop)

    assert search.search(SEARCH, 7, valley, states[-1], nothing) == search.search(SEARCH, 7, valley, None, nothing)


def test_a_metric_that_should_be_high_is_sought_high() -> None:
    found = search.search(
        Search(15, "accuracy", SEARCH.parameters), 1, lambda settings, report: settings["learningRate"], None, nothing
    )

    assert found.best["learningRate"] == max(trial.parameters["learningRate"] for trial in found.trials)


def test_trials_behind_the_median_are_stopped_early() -> None:
    calls: list[int] = []

    def attempt(settings: Mapping[str, Any], report: search.MetricReport) -> float:
        value = settings["learningRate"]
        for epoch in range(1, 11):
            calls.append(epoch)
            report(epoch, value)
        return float(value)

    found = search.search(SEARCH, 3, attempt, None, nothing)

    stopped = [trial for trial in found.trials if trial.value is None]
    assert stopped
    assert len(calls) < 10 * len(found.trials)
    assert all(len(trial.steps) < 10 for trial in stopped)


def test_a_trial_that_diverges_is_one_without_a_value_and_all_of_them_are_an_error() -> None:
    def attempt(settings: Mapping[str, Any], report: search.MetricReport) -> float:
        if settings["learningRate"] > 0.01:
            raise NonFiniteLossError("NaN")
        return 1.0

    found = search.search(SEARCH, 3, attempt, None, nothing)
    assert {trial.value for trial in found.trials} == {None, 1.0}

    def diverge(settings: Mapping[str, Any], report: search.MetricReport) -> float:
        raise NonFiniteLossError("NaN")

    with pytest.raises(ModelError, match="25 trials diverged"):
        search.search(SEARCH, 3, diverge, None, nothing)


def test_intervals_of_whole_things_give_whole_numbers() -> None:
    wanted = Search(5, "loss", {"batchSize": Range(4.0, 64.0), "modelArguments.hidden": Range(2.0, 9.0)})

    found = search.search(wanted, 0, lambda settings, report: 0.0, None, nothing)

    for trial in found.trials:
        assert isinstance(trial.parameters["batchSize"], int)
        assert isinstance(trial.parameters["modelArguments.hidden"], int)
