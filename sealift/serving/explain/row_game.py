"""A row as a game. Its features are the players. The worth of a coalition is the model's output for a row with the
coalition's features from the row and all others from the reference.

Features that equal the reference contribute nothing (the dummy axiom), and do not play.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from sealift.serving.errors import InvalidAnswer, Overloaded
from sealift.serving.model import Model
from sealift.serving.tensor import Array

RUN_ROWS: Final = 64
"""Coalitions in one run of the model: enough to be fast, few enough not to delay predictions."""


class RowGame:
    """The game of one row. `row` and `reference` have all inputs of the model, each for one row."""

    def __init__(
        self,
        model: Model,
        row: Mapping[str, Array],
        reference: Mapping[str, Array],
        outputs: Sequence[str],
        run_rows: int,
        until: float,
    ) -> None:
        self._model = model
        self._values = [(name, own, reference[name]) for name, own in row.items()]
        self._outputs = outputs
        self._run_rows = run_rows
        """Rows of one run: at most RUN_ROWS, or 1 for a model that takes one row at a time."""
        self._until = until
        """Time limit of the explanation, by time.monotonic."""
        self._features = sum(own.size for own in row.values())
        self.players = np.flatnonzero(np.concatenate([(own != other).ravel() for _, own, other in self._values]))
        """Features that play."""

    def worth(self, coalitions: Array) -> Array:
        """Returns the worth of coalitions, bool [coalitions, players]: FP64 [coalitions, numbers], over all outputs.

        Raises InvalidInput, InvalidAnswer, and Overloaded if the time limit is exceeded.
        """
        joined = np.zeros((len(coalitions), self._features), np.bool_)
        joined[:, self.players] = coalitions
        starts = range(0, len(joined), self._run_rows)
        return np.concatenate([self._run(joined[start : start + self._run_rows]) for start in starts])

    def _run(self, joined: Array) -> Array:
        if time.monotonic() > self._until:
            raise Overloaded("the explanation was not ready in time; try again with fewer rows")
        count, start = len(joined), 0
        inputs = {}
        for name, own, other in self._values:
            mixed = np.where(joined[:, start : start + own.size], own.ravel(), other.ravel())
            inputs[name] = mixed.reshape(own.shape if count == 1 else (count, *own.shape[1:]))
            start += own.size
        answers = self._model.run(inputs, self._outputs)
        worth = np.concatenate([answers[name].reshape(count, -1) for name in self._outputs], axis=1)
        if not np.isfinite(worth).all():
            raise InvalidAnswer("an output is not a finite number when usual values replace some of the row's")
        return worth.astype(np.float64)
