"""The number of rows that may run together without any row's answer depending on the others. It is measured.

A matrix kernel may add in another order than a kernel for a single row, and an operator may look across rows. So before
the first request, random rows are run alone and in batches of every size up to a largest. From then on, batches have at
most the size at which every answer was still bit-identical to that of the row alone. If only a row alone differs, a row
never runs without a second one.

The result: the bits of a row's answer do not depend on other clients, nor, up to `most` rows, on the number of rows in
its request. This is measured with this model on this processor, not derived. Models that take ids, texts or variable
shapes are not tried, and their requests run one by one.
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
"""Time limit of the trial, so that clients do not wait. A slower model is tried with fewer rows."""


@dataclass(frozen=True)
class BatchLimits:
    """`least`: minimum rows of a run, which is padded to it. `most`: maximum rows of several requests in one run, or
    1."""

    least: int
    most: int
    run_seconds: float
    """Duration of a run of `least` rows."""
    row_seconds: float
    """Additional duration of each further row."""


def find_batch_limits(model: Model) -> BatchLimits:
    """Measures the limits for this model on this processor."""
    alone = BatchLimits(1, 1, model.run_seconds, model.run_seconds)
    # Every number of rows up to the largest is tried twice, so the time grows with its square.
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
    """Pads the inputs to `rows` rows by repeating the last row."""
    return {name: np.concatenate([array, *[array[-1:]] * (rows - len(array))]) for name, array in inputs.items()}


def _make_rows(model: Model, count: int) -> dict[str, Array] | None:
    """Makes random rows. Returns None if rows cannot be made up, or the model has no dimension for rows."""
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
    """The largest number of rows that together give the same answers as `least` rows."""
    outputs = list(model.outputs)

    def run(first: int, last: int) -> list[Array]:
        some = _slice(rows, first, last)
        if last - first < least:
            some = fill(some, least)
        answers = model.run(some, outputs)
        if any(len(answer) != max(last - first, least) for answer in answers.values()):
            raise ValueError("the model does not answer each row")
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
    """The shortest of several runs, which other work on the processor disturbed least."""
    outputs = list(model.outputs)
    took = []
    for _ in range(TIMED_RUNS):
        begun = time.perf_counter()
        model.run(rows, outputs)
        took.append(time.perf_counter() - begun)
    return min(took)
