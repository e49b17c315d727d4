"""Explanations of a model's predictions: Shapley values of its outputs, relative to the usual row of its training.

The values use a single reference (baseline Shapley values: Sundararajan and Najmi 2020, arXiv:1908.08474; Lundberg and
Lee 2017, arXiv:1705.07874). Features are assumed to be independent, so the model also runs on combinations that no row
may ever have had.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np

from sealift.names import counted
from sealift.serving.errors import InvalidInput, StartError
from sealift.serving.explain.reference import names, reference
from sealift.serving.explain.row_game import RUN_ROWS, RowGame
from sealift.serving.explain.shapley import Shapley, shapley
from sealift.serving.model import Model
from sealift.serving.tensor import ANY, Array

MOST_ROWS: Final = 8
MOST_FEATURES: Final = 1024
MOST_NUMBERS: Final = 1 << 16
"""Contributions in an answer: rows × features × numbers of the outputs."""


@dataclass(frozen=True)
class Explanation:
    """Explanation of the rows of one request. An output's numbers for a row are flat."""

    features: Sequence[str]
    """Names of the features over all inputs, in the model's order."""
    reference: Mapping[str, Array]
    """The reference row, by input."""
    shap_values: Mapping[str, Array]
    """Shapley values by output: FP64 [rows, features, numbers]. Over the features, they sum to the row's output minus
    the base value."""
    base_values: Mapping[str, Array]
    """Values for the reference row by output: FP64 [rows, numbers]."""
    standard_errors: Mapping[str, Array]
    """Like `shap_values`. Zeros for exact rows."""
    evaluations: int
    """Number of coalitions that the model was run for."""
    exact: bool
    """Whether all rows are exact."""


class Explainer:
    """Explains one model. Raises StartError if the model cannot be explained. Any thread may call it."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._inputs = model.rows
        self.outputs = {name: tensor for name, tensor in model.outputs.items() if tensor.datatype.startswith("FP")}
        if not self.outputs:
            raise StartError("the model has no output of FP16, FP32 or FP64 to explain", "omit --explain")
        batched = {tensor.shape[:1] == (ANY,) for tensor in model.inputs.values()}
        if len(batched) > 1:
            raise StartError(
                "some inputs of the model have no dimension for rows, so one row cannot be explained", "omit --explain"
            )
        (self._batched,) = batched
        batched |= {tensor.shape[:1] == (ANY,) for tensor in self.outputs.values()}
        self._run_rows = RUN_ROWS if batched == {True} else 1

    def explain(self, inputs: Mapping[str, Array], outputs: Sequence[str], until: float) -> Explanation:
        """Explains these outputs for inputs in the model's shapes, before the time `until` by time.monotonic. Raises
        InvalidInput, InvalidAnswer and Overloaded."""
        asked = self._rows(inputs)
        usual = {one.tensor.name: reference(one, asked[0][one.tensor.name].shape) for one in self._inputs}
        sizes = [array.size for array in self._model.run(usual, outputs).values()]
        self._check_numbers(len(asked), sum(array.size for array in usual.values()), sum(sizes))
        found = [
            _explain_game(RowGame(self._model, row, usual, outputs, self._run_rows, until), usual) for row in asked
        ]

        def by_output(arrays: Sequence[Array]) -> dict[str, Array]:
            """The last axis holds all outputs' numbers."""
            return dict(zip(outputs, np.split(np.stack(arrays), list(accumulate(sizes))[:-1], axis=-1), strict=True))

        return Explanation(
            features=[name for one in self._inputs for name in names(one, usual[one.tensor.name].shape)],
            reference=usual,
            shap_values=by_output([one.values for one in found]),
            base_values=by_output([one.base for one in found]),
            standard_errors=by_output([one.standard_errors for one in found]),
            evaluations=sum(one.evaluations for one in found),
            exact=all(one.exact for one in found),
        )

    def _rows(self, inputs: Mapping[str, Array]) -> list[dict[str, Array]]:
        """Splits the inputs into rows. Each row has all inputs of the model."""
        ordered = {one.tensor.name: inputs[one.tensor.name] for one in self._inputs}
        count = len(next(iter(ordered.values()))) if self._batched else 1
        if count > MOST_ROWS:
            raise InvalidInput(f"{count} rows to explain; expected at most {MOST_ROWS} in a request")
        features = sum(array.size for array in ordered.values()) // count
        if features > MOST_FEATURES:
            raise InvalidInput(f"{features:,} values in a row to explain; expected at most {MOST_FEATURES:,}")
        if not self._batched:
            return [ordered]
        return [{name: array[row : row + 1] for name, array in ordered.items()} for row in range(count)]

    @staticmethod
    def _check_numbers(count: int, features: int, numbers: int) -> None:
        if count * features * numbers > MOST_NUMBERS:
            raise InvalidInput(
                f"{counted(count, 'row')} of {counted(features, 'value')}, explained for "
                f"{counted(numbers, 'number')} of outputs, would have "
                f"{count * features * numbers:,} contributions; expected at most {MOST_NUMBERS:,}"
            )


def _explain_game(game: RowGame, usual: Mapping[str, Array]) -> Shapley:
    """Computes the values of all features. Features that do not play have zeros."""
    played = shapley(game.worth, len(game.players))
    zeros = np.zeros((sum(array.size for array in usual.values()), len(played.base)))
    values, errors = zeros, zeros.copy()
    values[game.players], errors[game.players] = played.values, played.standard_errors
    return Shapley(values, errors, played.base, played.evaluations, played.exact)
