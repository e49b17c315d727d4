"""`recommender`: a user's rating of an item, by matrix factorisation with biases (Koren, Bell, Volinsky 2009)."""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from typing import Final

import torch
from torch import nn

from sealift.names import counted
from training.errors import ModelError
from training.recipe.models.checks import check_ids, check_whole

SPREAD: Final = 0.1
"""Standard deviation of the initial factors, so that their products begin near 0."""


class Recommender(nn.Module):
    """int64 ids (B, 2), of a user and an item → (B, 1): user's bias + item's bias + their factors' product.

    The mean rating is not a parameter: standardisation removes it, and the deployed model adds it. Raises ModelError
    for ids that are not from 0 to users - 1 and items - 1.
    """

    def __init__(
        self, features: int, outputs: int, users: int | None = None, items: int | None = None, factors: int = 16
    ) -> None:
        """`users` and `items` are the largest possible numbers, including those without a training row. Raises
        ModelError.
        """
        super().__init__()
        if (features, outputs) != (2, 1):
            what = f"{counted(features, 'feature')} per row" if features != 2 else f"{outputs} classes"
            way_out = (
                "use rows of user id and item id and a number as target, with data.task 'regression' and loss 'mse'"
            )
            raise ModelError(f"recommender takes two ids and predicts one rating; this data set has {what}", way_out)
        largest = "set it to the largest possible id plus 1; a data set does not say how many ids exist"
        self.users, self.items = check_whole("users", users, largest), check_whole("items", items, largest)
        width = check_whole("factors", factors, "such as 16")
        self.user_factors, self.item_factors = nn.Embedding(self.users, width), nn.Embedding(self.items, width)
        self.user_bias, self.item_bias = nn.Embedding(self.users, 1), nn.Embedding(self.items, 1)
        for factor in (self.user_factors, self.item_factors):
            nn.init.normal_(factor.weight, std=SPREAD)
        for bias in (self.user_bias, self.item_bias):
            nn.init.zeros_(bias.weight)

    def forward(self, ids_B2: torch.Tensor) -> torch.Tensor:
        user_B = check_ids(ids_B2[:, 0], self.users, "user", "raise modelArguments.users, or number users from 0")
        item_B = check_ids(ids_B2[:, 1], self.items, "item", "raise modelArguments.items, or number items from 0")
        product_B1 = (self.user_factors(user_B) * self.item_factors(item_B)).sum(dim=1, keepdim=True)
        rating_B1: torch.Tensor = self.user_bias(user_B) + self.item_bias(item_B) + product_B1
        return rating_B1
