"""How many rows may be run together so that none's answer depends on the others: found by trying.

A kernel for matrices may add in another order than one for a single row, and an operator may look across rows. So
before the first request, made-up rows are run alone and in every number up to a largest. As many are run together from
then on as have given, to the last bit, what each gave alone. Where a row alone differs, it is never run without a
second one.

What holds afterwards: the bits of a row's answer do not depend on who else asks at the time, nor, up to `most` rows, on
how many rows its request has. It is measured, with this model on this processor, and not derived. A model that takes
ids, texts or shapes of its requests' own is not tried, and its requests are run one by one.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sealift.serving.model import Model
from sealift.serving.tensor import ANY, Array

MOST_ROWS: Final = 64
TIMED_RUNS: Final = 5
TRYING_SECONDS: Final = 0.1
"""What there is for it: more would keep clients waiting. A slower model is tried with fewer rows."""


@dataclass(frozen=True)
class BatchLimits:
    """`least`: rows of any run, fewer are filled up. `most`: rows of several requests in one run; 1 for none."""

    least: int
    most: int
    run_seconds: float
    """What a run of `least` rows takes."""
    row_seconds: float
    """What each further row adds."""


def find_batch_limits(model: Model) -> BatchLimits:
    """For this model, on this processor."""
    alone = BatchLimits(1, 1, model.run_seconds, model.run_seconds)
    # Every number of rows up to a largest is tried, twice: its square is what takes the time.
    count = min(MOST_ROWS, int((TRYING_SECONDS / model.run_seconds) ** 0.5))
    rows = _make_rows(model, count)
    if rows is None or count < 2:
        return alone
    for least in (1, 2):
        most = _find_most(model, rows, count, least)
        if most > least:
            few, many = (_measure_seconds(model, _slice(rows, 0, count)) for count in (least, most))
            return BatchLimits(least, most, few, max(many - few, 0.0) / (most - least))
    return alone


def fill(inputs: Mapping[str, Array], rows: int) -> dict[str, Array]:
    """With the last row again and again, until there are so many."""
    return {name: np.concatenate([array, *[array[-1:]] * (rows - len(array))]) for name, array in inputs.items()}


def _make_rows(model: Model, count: int) -> dict[str, Array] | None:
    """Made-up ones. None: what a row is cannot be made up, or a run has no rows."""
    rows: dict[str, Array] = {}
    numbers = np.random.default_rng(0)
    for tensor in model.inputs.values():
        if tensor.datatype not in ("FP16", "FP32", "FP64") or tensor.shape[:1] != (ANY,) or ANY in tensor.shape[1:]:
            return None
        made = numbers.standard_normal((count, *tensor.shape[1:]))
        rows[tensor.name] = made.astype(tensor.datatype.replace("FP", "float"))
    if any(tensor.shape[:1] != (ANY,) or tensor.datatype == "BYTES" for tensor in model.outputs.values()):
        return None
    return rows


def _find_most(model: Model, rows: Mapping[str, Array], count: int, least: int) -> int:
    """How many rows together give what `least` of them gave."""
    outputs = list(model.outputs)

    def run(first: int, last: int) -> list[Array]:
        some = _slice(rows, first, last)
        if last - first < least:
            some = fill(some, least)
        answers = model.run(some, outputs)
        if any(len(answer) != max(last - first, least) for answer in answers.values()):
            raise ValueError("not an answer for each row")
        return [answer[: last - first] for answer in answers.values()]

    try:
        alone = [np.concatenate(parts) for parts in zip(*[run(row, row + 1) for row in range(count)], strict=True)]
        for size in range(2, count + 1):
            for first in (0, count - size):
                expected = [answer[first : first + size].tobytes() for answer in alone]
                if [answer.tobytes() for answer in run(first, first + size)] != expected:
                    return size - 1
    except Exception:  # noqa: BLE001 - ONNX Runtime's errors have no base class of their own
        return 1
    return count


def _slice(rows: Mapping[str, Array], first: int, last: int) -> dict[str, Array]:
    return {name: array[first:last] for name, array in rows.items()}


def _measure_seconds(model: Model, rows: Mapping[str, Array]) -> float:
    """The quickest of some runs: what else the processor did then is not the model's."""
    outputs = list(model.outputs)
    took = []
    for _ in range(TIMED_RUNS):
        begun = time.perf_counter()
        model.run(rows, outputs)
        took.append(time.perf_counter() - begun)
    return min(took)
