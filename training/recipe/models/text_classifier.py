"""`textClassifier`: the mean of the embeddings of a text's words → outputs (Joulin et al., 2016, without n-grams)."""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from typing import Final, cast

import torch
from torch import nn

from training.errors import ModelError
from training.recipe.models.checks import check_ids, check_whole

PADDING: Final = 0


class TextClassifier(nn.Module):
    """int64 ids (B, L) of `words` words → mean of their embeddings of `width` numbers, without padding → K.

    A text without words has the mean 0. Raises ModelError for ids that are not from 0 to words - 1.
    """

    def __init__(self, words: int, outputs: int, width: int = 64) -> None:
        """Raises ModelError for a data set without words, or a wrong width."""
        super().__init__()
        if words == 0:
            raise ModelError(
                "textClassifier takes word ids, but this data set has no words",
                "name its text column in data.text, or return `words` from the data set's function",
            )
        self.words = check_whole("words", words, "leave it out; the data set gives it")
        self.embedding = nn.Embedding(words, check_whole("width", width, "such as 64"))
        self.output = nn.Linear(width, outputs)

    def forward(self, ids_BL: torch.Tensor) -> torch.Tensor:
        ids_BL = check_ids(
            ids_BL, self.words, "word", "0 means padding, 1 means a word that is not in the data set's `words`"
        )
        known_BL1 = (ids_BL != PADDING).unsqueeze(2).to(self.embedding.weight.dtype)
        sum_BW = (self.embedding(ids_BL) * known_BL1).sum(dim=1)
        return cast(torch.Tensor, self.output(sum_BW / known_BL1.sum(dim=1).clamp(min=1)))
