"""The classification extension: the largest numbers of an output, as texts "number:index" or "number:index:label".

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
"""

from collections.abc import Sequence

import numpy as np

from sealift.serving.tensor import ANY, Array, Tensor


def largest(array: Array, tensor: Tensor, count: int, labels: Sequence[str]) -> Array:
    """The `count` largest numbers of each row, or of the whole array if the model has no dimension for rows. Equal
    numbers keep their order. `labels` are used if there is one for each number."""
    batched = tensor.shape[:1] == (ANY,)
    rows = array.reshape(array.shape[0] if batched else 1, -1)
    width = rows.shape[1]
    # A stable sort of the reversed row, then reversed: equal numbers stay in the order of their index.
    order = width - 1 - np.argsort(rows[:, ::-1], axis=1, kind="stable")[:, ::-1][:, :count]
    names = [f":{label}" for label in labels] if len(labels) == width else [""] * width
    texts = [f"{rows[row, index]!s}:{index}{names[index]}" for row in range(len(rows)) for index in order[row].tolist()]
    answer = np.array(texts, np.object_)
    return answer.reshape(len(rows), -1) if batched else answer
