"""Hyperparameter search with Optuna's tree-structured Parzen estimator (Bergstra et al. 2011), seeded and resumable.

Every trial has its own sampler, seeded by its number, which sees the trials before it: an interrupted search continues
with exactly the trials of an undisturbed one. Trials that fall behind the median of the others are stopped.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from sealift.names import counted
from training.errors import ModelError, NonFiniteLossError
from training.options import METRICS, Range, Search

WHOLE: Final = ("batchSize", "epochs")
"""Settings whose intervals hold only whole numbers."""


@dataclass(frozen=True)
class SearchTrial:
    """Settings that were tried, and their metric. None if the trial was stopped early or diverged."""

    parameters: Mapping[str, Any]
    value: float | None
    steps: Mapping[str, float] = field(default_factory=dict)
    """Metric after each epoch."""


@dataclass(frozen=True)
class SearchResult:
    """Settings of the best trial, and all trials in order."""

    best: Mapping[str, Any]
    trials: tuple[SearchTrial, ...]


class MetricReport(Protocol):
    """Receives the metric after each epoch of a trial. Raises to stop a trial that cannot become the best."""

    def __call__(self, epoch: int, value: float) -> None: ...


Attempt = Callable[[Mapping[str, Any], MetricReport], float]
"""Trains once with these settings and returns the metric."""


def search(search: Search, seed: int, attempt: Attempt, state: str | None, keep: Callable[[str], None]) -> SearchResult:
    """Runs the trials that `state` does not contain. `keep` gets the state after each. Raises ModelError if all
    diverge.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {name: _make_distribution(name, one) for name, one in search.parameters.items()}
    trials = [] if state is None else [SearchTrial(**trial) for trial in json.loads(state)]
    direction: Literal["minimize", "maximize"] = "minimize" if METRICS[search.metric] == "down" else "maximize"
    while len(trials) < search.trials:
        study = optuna.create_study(
            direction=direction,
            sampler=optuna.samplers.TPESampler(seed=seed + len(trials)),
            pruner=optuna.pruners.MedianPruner(),
        )
        study.add_trials([_freeze(trial, distributions) for trial in trials])
        trials.append(_run_attempt(study.ask(distributions), attempt))
        keep(json.dumps([vars(trial) for trial in trials]))
    done = [trial for trial in trials if trial.value is not None]
    if not done:
        raise ModelError(
            f"the search has no result: {counted(len(trials), 'trial')} diverged or stopped early",
            "search lower learning rates",
        )
    value: Callable[[SearchTrial], float] = lambda trial: trial.value or 0.0  # noqa: E731
    best = min(done, key=value) if direction == "minimize" else max(done, key=value)
    return SearchResult(best.parameters, tuple(trials))


def _run_attempt(trial: optuna.Trial, attempt: Attempt) -> SearchTrial:
    steps: dict[str, float] = {}

    def report(epoch: int, value: float) -> None:
        trial.report(value, epoch)
        steps[str(epoch)] = value
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        return SearchTrial(dict(trial.params), attempt(trial.params, report), steps)
    except (optuna.TrialPruned, NonFiniteLossError):
        return SearchTrial(dict(trial.params), None, steps)


def _freeze(trial: SearchTrial, distributions: Mapping[str, BaseDistribution]) -> FrozenTrial:
    last = list(trial.steps.values())[-1] if trial.steps else None
    unfinished = TrialState.FAIL if last is None else TrialState.PRUNED
    return optuna.trial.create_trial(
        state=unfinished if trial.value is None else TrialState.COMPLETE,
        value=trial.value,
        params=dict(trial.parameters),
        distributions=dict(distributions),
        intermediate_values={int(epoch): value for epoch, value in trial.steps.items()},
    )


def _make_distribution(name: str, wanted: Range) -> BaseDistribution:
    if wanted.choices:
        return CategoricalDistribution(wanted.choices)  # type: ignore[arg-type]  # JSON values, which it takes
    low, high = wanted.low or 0.0, wanted.high or 0.0
    if name in WHOLE or (name.startswith("modelArguments.") and low.is_integer() and high.is_integer()):
        return IntDistribution(int(low), int(high), log=wanted.log)
    return FloatDistribution(low, high, log=wanted.log)
