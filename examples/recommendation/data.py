"""Ratings of items by users, generated from tastes in a few dimensions, biases and noise.

Shapes: R ratings, U users, I items, T tastes.
"""

# ruff: noqa: N806 (names of arrays carry the letters of their shape)

from typing import Any, Final

import numpy as np

USERS: Final = 120
ITEMS: Final = 80
TASTES: Final = 2
MEAN, LOWEST, HIGHEST = 3.25, 0.5, 5.0
USER_SPREAD, ITEM_SPREAD, TASTE_SPREAD, NOISE = 0.3, 0.4, 0.4, 0.3


def load(rows: int = 4000, seed: int = 0) -> dict[str, Any]:
    """Returns features int64 (rows, 2), user and item, each pair once, and target FP32 (rows,), the stars: 0.5 to 5 in
    halves."""
    if not 100 <= rows <= USERS * ITEMS:
        raise ValueError(f"rows is {rows}; allowed: 100 to {USERS * ITEMS}, the number of pairs")
    random = np.random.default_rng(seed)
    pairs_R = random.permutation(USERS * ITEMS)[:rows]
    user_R, item_R = np.divmod(pairs_R, ITEMS)
    leaning_U, leaning_I = random.normal(0, USER_SPREAD, USERS), random.normal(0, ITEM_SPREAD, ITEMS)
    taste_UT, taste_IT = random.normal(size=(USERS, TASTES)), random.normal(size=(ITEMS, TASTES))
    liking_R = TASTE_SPREAD * (taste_UT[user_R] * taste_IT[item_R]).sum(axis=1)
    exact_R = MEAN + leaning_U[user_R] + leaning_I[item_R] + liking_R + random.normal(0, NOISE, rows)
    stars_R = np.clip(np.round(2 * exact_R) / 2, LOWEST, HIGHEST)
    return {
        "features": np.stack([user_R, item_R], axis=1).astype(np.int64),
        "target": stars_R.astype(np.float32),
        "task": "regression",
    }
