"""Checks of the networks here: arguments of a wrong type or value, shapes that do not fit, ids out of range.

All raise ModelError, which names the argument, its value and the way out. Nothing is corrected silently.
"""

import torch

from training.errors import ModelError


def check_whole(name: str, value: object, way_out: str) -> int:
    """Returns a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ModelError(f"modelArguments.{name} is {value!r}; allowed: a whole number from 1", way_out)
    return value


def check_widths(name: str, value: object, example: str) -> tuple[int, ...]:
    """Returns a list of whole numbers of at least 1, one for each layer. It may be empty."""
    if not isinstance(value, list | tuple):
        raise ModelError(f"modelArguments.{name} is {value!r}; allowed: a list with a width for each layer", example)
    return tuple(check_whole(f"{name}[{at}]", one, example) for at, one in enumerate(value))


def check_shape(network: str, shape: tuple[int, ...], sizes: str, way_out: str) -> tuple[int, ...]:
    """Returns a row's shape if it has as many sizes as `sizes` names ("channels, height, width"), each at least 1."""
    if len(shape) != sizes.count(",") + 1 or min(shape) < 1:
        raise ModelError(f"{network} takes rows of shape ({sizes}); rows of this data set have shape {shape}", way_out)
    return shape


def check_ids(ids: torch.Tensor, count: int, name: str, way_out: str) -> torch.Tensor:
    """Returns int64 ids from 0 to `count` - 1, of any shape. Raises ModelError for others, except during export.

    ONNX's Gather refuses ids that are too large, but counts those below 0 from the end, so these become too large.
    """
    if ids.is_floating_point():
        raise ModelError(f"features have the type {ids.dtype}; {name} ids must be whole numbers (int64)", way_out)
    if torch.onnx.is_in_onnx_export():
        return torch.where(ids < 0, count, ids)
    if ids.numel() and not 0 <= (lowest := int(ids.min())) <= (highest := int(ids.max())) < count:
        wrong = lowest if lowest < 0 else highest
        raise ModelError(f"features contain the {name} id {wrong}; allowed: 0 to {count - 1}", way_out)
    return ids
