"""Shapley values of a cooperative game: the mean contribution of each player over all orders in which they may join.

For few players, all coalitions are played and the values are exact. For more, permutations are sampled, each also in
reverse order (antithetic), so that the errors of the two orders offset each other. In both cases, the values sum
exactly to the difference between no player and all (efficiency). The same game always has bit-identical values.

The module does not depend on a model. Sources: Shapley 1953; Castro, Gómez and Tejada 2009
(doi:10.1016/j.cor.2008.04.004); Mitchell, Cooper, Frank and Holmes 2022 (arXiv:2104.12199).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from sealift.serving.tensor import Array

MOST_EXACT: Final = 10
"""Largest number of players of which all coalitions are played: 1,024 of them."""
EVALUATIONS: Final = 4096
"""Largest number of coalitions that are played if they are sampled."""
LEAST_PAIRS: Final = 2
"""Minimum number of permutation pairs. One pair has no estimate of its error."""
SEED: Final = 0

Game = Callable[[Array], Array]
"""Function from coalitions, bool [coalitions, players], to the worth of each, FP64 [coalitions, outputs]."""


@dataclass(frozen=True)
class Shapley:
    """Values of one game."""

    values: Array
    """[players, outputs]."""
    standard_errors: Array
    """[players, outputs], estimated from the permutations. Zeros if the values are exact."""
    base: Array
    """Worth of the empty coalition: [outputs]."""
    evaluations: int
    """Number of coalitions that were played."""
    exact: bool


def shapley(game: Game, players: int) -> Shapley:
    """Computes the values, exactly or by sampling, depending on the number of players."""
    return exact(game, players) if players <= MOST_EXACT else sample_shapley(game, players)


def exact(game: Game, players: int) -> Shapley:
    """Computes the values over all 2^players coalitions. Coalition number c has player p if bit p of c is set."""
    numbers = np.arange(1 << players)
    coalitions = (numbers[:, None] >> np.arange(players) & 1).astype(bool)
    worth, sizes = game(coalitions), coalitions.sum(axis=1)
    # |S|! (n - |S| - 1)! / n!, by |S|
    weights = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
    values = np.zeros((players, worth.shape[1]))
    for player in range(players):
        without = numbers[~coalitions[:, player]]
        values[player] = weights[sizes[without]] @ (worth[without | 1 << player] - worth[without])
    return Shapley(values, np.zeros_like(values), worth[0], len(numbers), exact=True)


def sample_shapley(game: Game, players: int) -> Shapley:
    """Estimates the values over pairs of permutations, for at least two players."""
    base, whole = game(np.repeat([[False], [True]], players, axis=1))
    pairs = max(LEAST_PAIRS, (EVALUATIONS - 2) // (2 * (players - 1)))
    numbers = np.random.default_rng(SEED)
    mean = np.zeros((players, len(base)))
    squares = np.zeros_like(mean)
    for count in range(1, pairs + 1):  # Welford 1962: the sums of squares do not cancel
        shares = _pair(game, numbers.permutation(players), base, whole)
        away = shares - mean
        mean += away / count
        squares += away * (shares - mean)
    errors = np.sqrt(squares / (pairs * (pairs - 1)))
    return Shapley(mean, errors, base, 2 + 2 * pairs * (players - 1), exact=False)


def _pair(game: Game, order: Array, base: Array, whole: Array) -> Array:
    """Returns each player's contribution, as the mean of this order and its reverse."""
    players = len(order)
    joined = np.argsort(order) < np.arange(1, players)[:, None]  # the first 1, 2, … of the order
    worth = game(np.concatenate([joined, ~joined]))  # ~joined: the reverse order, from its end
    forward = np.diff(np.concatenate([[base], worth[: players - 1], [whole]]), axis=0)
    backward = -np.diff(np.concatenate([[whole], worth[players - 1 :], [base]]), axis=0)
    shares = np.empty_like(forward)
    shares[order] = (forward + backward) / 2
    return shares
