"""Gates: conditions that a model must meet to be sealed. They limit its metrics, its size, and how much worse than the
deployed model it may be.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from training.errors import GateError
from training.options import METRICS, Gates

Bound = Literal["minimum", "maximum"]


@dataclass(frozen=True)
class GateResult:
    """One gate and the value it was checked with. A metric that is not available for these rows has no value, and
    fails.
    """

    name: str
    value: float | None
    threshold: float
    bound: Bound

    @property
    def passed(self) -> bool:
        """Whether the value meets the threshold."""
        if self.value is None:
            return False
        return self.value >= self.threshold if self.bound == "minimum" else self.value <= self.threshold


def check(
    gates: Gates, metrics: Mapping[str, float], model_bytes: int, deployed: Mapping[str, float] | None
) -> tuple[GateResult, ...]:
    """Checks all gates. `deployed` are the metrics of the model that the stack has now. None means that it has no
    model, so nothing is worse.
    """
    return tuple(_results(gates, metrics, model_bytes, deployed))


def have_passed(results: Sequence[GateResult]) -> bool:
    """Returns whether all gates passed."""
    return all(result.passed for result in results)


def enforce(
    results: Sequence[GateResult], metrics: Mapping[str, float], *, shown: bool, for_stack: bool = True
) -> None:
    """Raises GateError that names every failed gate and all metrics, with their values if `shown`. `for_stack`: the
    model would have replaced a stack's model.
    """
    if have_passed(results):
        return
    failed = "; ".join(_say(result, shown=shown) for result in results if not result.passed)
    measured = ", ".join(f"{name} {value:.6g}" for name, value in metrics.items())
    raise GateError(
        f"the gates refuse the model: {failed}"
        + (f"\n  all metrics of the held-out rows: {measured}" if shown else ""),
        f"{'the deployed model stays; ' if for_stack else ''}change the settings of the run or its gates",
    )


def _results(
    gates: Gates, metrics: Mapping[str, float], model_bytes: int, deployed: Mapping[str, float] | None
) -> Iterator[GateResult]:
    for name, gate in gates.metrics.items():
        if gate.minimum is not None:
            yield GateResult(name, metrics.get(name), gate.minimum, "minimum")
        if gate.maximum is not None:
            yield GateResult(name, metrics.get(name), gate.maximum, "maximum")
    name = gates.no_worse_than_deployed or ""
    if deployed and name in deployed:
        up = METRICS[name] == "up"
        threshold = deployed[name] - gates.tolerance if up else deployed[name] + gates.tolerance
        yield GateResult(
            f"{name}, no worse than deployed", metrics.get(name), threshold, "minimum" if up else "maximum"
        )
    if gates.maximum_bytes is not None:
        yield GateResult("bytes", model_bytes, gates.maximum_bytes, "maximum")


def _say(result: GateResult, *, shown: bool) -> str:
    if result.value is None:
        return f"{result.name} is not available for this task"
    if not shown:
        return f"{result.name} misses its {result.bound} (exposeMetrics shows the values)"
    return f"{result.name} is {result.value:.6g}, {result.bound} {result.threshold:.6g}"
