"""Shapley values against their definition, and the axioms that they alone have."""

import math
from collections.abc import Iterable
from itertools import permutations

import numpy as np
import pytest

from sealift.serving.explain.shapley import EVALUATIONS, MOST_EXACT, Game, exact, sample_shapley, shapley
from sealift.serving.tensor import Array


def game(players: int, outputs: int = 2, seed: int = 0) -> Game:
    """A polynomial of third degree over who joins."""
    numbers = np.random.default_rng(seed)
    one, two, three = (numbers.standard_normal((players, 4)) for _ in range(3))
    weights = numbers.standard_normal((3, 4, outputs))

    def worth(coalitions: Array) -> Array:
        a, b, c = coalitions @ one, coalitions @ two, coalitions @ three
        found: Array = 3 + a @ weights[0] + (a * b) @ weights[1] + (a * b * c) @ weights[2]
        return found

    return worth


def by_definition(played: Game, players: int) -> Array:
    """The mean of what each adds, over all orders, one coalition at a time."""
    worth = {
        members: played(np.array([[player in members for player in range(players)]]))[0]
        for members in map(frozenset, _subsets(range(players)))
    }
    values = np.zeros((players, len(worth[frozenset()])))
    for order in permutations(range(players)):
        for place, player in enumerate(order):
            values[player] += worth[frozenset(order[: place + 1])] - worth[frozenset(order[:place])]
    return values / math.factorial(players)


def _subsets(members: Iterable[int]) -> list[list[int]]:
    found: list[list[int]] = [[]]
    for member in members:
        found += [[*one, member] for one in found]
    return found


def ends(played: Game, players: int) -> tuple[Array, Array]:
    """What nobody and what everybody is worth."""
    nobody, everybody = played(np.repeat([[False], [True]], players, axis=1))
    return nobody, everybody


@pytest.mark.parametrize("players", [1, 2, 3, 5, 6])
def test_exact_values_are_the_mean_over_all_orders(players: int) -> None:
    played = game(players)

    np.testing.assert_allclose(exact(played, players).values, by_definition(played, players), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("players", [0, 1, 2, MOST_EXACT, MOST_EXACT + 1, 40])
def test_they_share_out_exactly_what_everybody_adds(players: int) -> None:
    nobody, everybody = ends(game(players), players)

    found = shapley(game(players), players)

    np.testing.assert_allclose(found.values.sum(axis=0), everybody - nobody, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(found.base, nobody)
    assert found.exact == (players <= MOST_EXACT)


@pytest.mark.parametrize("players", [4, MOST_EXACT + 2])
def test_alike_players_have_alike_values_and_who_adds_nothing_has_none(players: int) -> None:
    """Players 0 and 1 count by their sum, and player 2 not at all."""

    def worth(coalitions: Array) -> Array:
        c = coalitions.astype(np.float64)
        alike = c[:, 0] + c[:, 1]
        found: Array = (np.sin(alike) * (1 + c[:, 3]) + c[:, 3:].sum(axis=1))[:, None]
        return found

    found = shapley(worth, players)

    assert abs(found.values[0] - found.values[1]).item() <= 4 * found.standard_errors[:2].max() + 1e-12
    assert found.values[2] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("players", [3, MOST_EXACT + 2, 200])
def test_values_of_a_sum_are_the_sum_s_parts_and_have_no_error(players: int) -> None:
    parts = np.random.default_rng(1).standard_normal((players, 1))

    found = shapley(lambda coalitions: coalitions @ parts, players)

    np.testing.assert_allclose(found.values, parts, rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.standard_errors, 0, atol=1e-11)


def test_pairs_of_players_that_act_together_are_exact_after_one_antithetic_pair() -> None:
    """Of second degree: what two add jointly is in one order one's, and in its reverse the other's."""
    weights = np.random.default_rng(2).standard_normal((30, 30))

    found = sample_shapley(lambda c: np.einsum("ci,cj,ij->c", c * 1.0, c * 1.0, weights)[:, None], 30)

    expected = (weights + weights.T).sum(axis=1, keepdims=True) / 2
    np.testing.assert_allclose(found.values, expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.standard_errors, 0, atol=1e-11)


def test_sampled_values_are_near_exact_ones_by_as_much_as_they_say() -> None:
    played, players = game(12, outputs=20, seed=3), 12
    true = exact(played, players)

    found = sample_shapley(played, players)

    away = (found.values - true.values) / found.standard_errors
    assert (found.exact, true.exact, true.evaluations) == (False, True, 2**players)
    assert found.evaluations <= EVALUATIONS
    assert np.abs(away).max() < 5 and 0.7 < np.sqrt((away**2).mean()) < 1.4, "240 values, in standard errors"


@pytest.mark.parametrize("players", [MOST_EXACT + 1, 12, 100, 1024])
def test_so_many_coalitions_are_played_at_most_as_are_said(players: int) -> None:
    played = 0

    def worth(coalitions: Array) -> Array:
        nonlocal played
        played += len(coalitions)
        return coalitions[:, :1].astype(np.float64)

    found = shapley(worth, players)

    assert played == found.evaluations <= EVALUATIONS


@pytest.mark.parametrize("players", [5, 40])
def test_the_same_game_has_the_same_bits(players: int) -> None:
    once, again = (shapley(game(players), players) for _ in range(2))

    assert once.values.tobytes() == again.values.tobytes()
    assert once.standard_errors.tobytes() == again.standard_errors.tobytes()
