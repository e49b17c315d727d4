"""Losses by name, as in torch, and the slopes of the same functions written out for NumPy.

Sums and products are NumPy's, exponentials and logarithms torch's: NumPy rounds its own differently on processors with
newer instructions, and no variable of `processor` prevents that.

Shapes: B rows of a batch, K outputs and classes.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import torch
from torch.nn import functional

from training.recipe.step import Loss

Array = np.ndarray[Any, Any]
Slope = Callable[[Array], float]
"""Takes a batch's target, writes the slope of its mean loss to its place, and returns the loss."""
WrittenOut = Callable[[torch.Tensor, torch.Tensor], Slope]
"""Takes the places of answers (B, K) and of their slope, which stay the same for all batches of this size."""


def make_loss(name: str, weights_K: torch.Tensor | None = None) -> Loss:
    """Returns the mean loss over a batch of answers (B, K), weighted by class if weights are given. Cross-entropies
    take logits.
    """
    functions: Mapping[str, Callable[..., torch.Tensor]] = {
        "mse": functional.mse_loss,
        "mae": functional.l1_loss,
        "huber": functional.huber_loss,
        "crossEntropy": functional.cross_entropy,
        "bce": binary_cross_entropy,
    }
    return functions[name] if weights_K is None else partial(functions[name], weight=weights_K)


def binary_cross_entropy(
    y_B1: torch.Tensor, target_B: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """Cross-entropy of one logit for two classes. Divides by the sum of weights, as cross-entropy does; torch's divides
    by rows.
    """
    target_B1 = target_B.to(y_B1).unsqueeze(1)
    if weight is None:
        return functional.binary_cross_entropy_with_logits(y_B1, target_B1)
    weight_B1 = weight[target_B].unsqueeze(1)
    summed = functional.binary_cross_entropy_with_logits(y_B1, target_B1, weight_B1, reduction="sum")
    return summed / weight_B1.sum()


def write_out(loss: Loss) -> WrittenOut | None:
    """Returns the written-out slope of a loss of `make_loss`, or None for any other."""
    if isinstance(loss, partial) and loss.func in OF_CLASSES and loss.keywords.keys() == {"weight"} and not loss.args:
        return partial(OF_CLASSES[loss.func], weights_K=loss.keywords["weight"])
    return OF_NUMBERS.get(loss) or OF_CLASSES.get(loss)


def _squared_error(answer_BK: torch.Tensor, slope_BK: torch.Tensor) -> Slope:
    """d = answer - y: mean d², and 2 d / (B · K)."""
    a_BK, d_BK = answer_BK.numpy(), slope_BK.numpy()
    count, double = d_BK.size, np.array(2 / d_BK.size, np.float32)

    def slope(y_BK: Array) -> float:
        np.subtract(a_BK, y_BK, out=d_BK)
        mean = float(np.vdot(d_BK, d_BK)) / count
        np.multiply(d_BK, double, out=d_BK)
        return mean

    return slope


def _absolute_error(answer_BK: torch.Tensor, slope_BK: torch.Tensor) -> Slope:
    """Mean |d|, and the sign of d / (B · K)."""
    a_BK, d_BK = answer_BK.numpy(), slope_BK.numpy()
    share_BK = np.full(d_BK.shape, 1 / d_BK.size, np.float32)

    def slope(y_BK: Array) -> float:
        np.subtract(a_BK, y_BK, out=d_BK)
        mean = float(np.vdot(np.abs(d_BK), share_BK))
        np.sign(d_BK, out=d_BK)
        np.multiply(d_BK, share_BK, out=d_BK)
        return mean

    return slope


def _huber(answer_BK: torch.Tensor, slope_BK: torch.Tensor) -> Slope:
    """c = d cut to [-1, 1]: mean c · (d - c / 2), which is d² / 2 within and |d| - 1 / 2 outside, and c / (B · K)."""
    a_BK, c_BK = answer_BK.numpy(), slope_BK.numpy()
    share, half = (np.array(one, np.float32) for one in (1 / c_BK.size, 0.5))
    least, most = (np.array(one, np.float32) for one in (-1, 1))

    def slope(y_BK: Array) -> float:
        d_BK = a_BK - y_BK
        np.maximum(d_BK, least, out=c_BK)
        np.minimum(c_BK, most, out=c_BK)
        np.subtract(d_BK, c_BK * half, out=d_BK)
        mean = float(np.vdot(c_BK, d_BK)) * float(share)
        np.multiply(c_BK, share, out=c_BK)
        return mean

    return slope


def _cross_entropy(answer_BK: torch.Tensor, slope_BK: torch.Tensor, weights_K: torch.Tensor | None = None) -> Slope:
    """p = softmax of the answers: mean -log p of the rows' own classes, and p less 1 there, times the row's share."""
    rows, classes = answer_BK.shape
    log_p_BK, shares = torch.empty_like(answer_BK), _make_shares(rows, weights_K)
    log_p, slopes, p_BK = log_p_BK.numpy().reshape(-1), slope_BK.numpy().reshape(-1), slope_BK.numpy()
    first_B, own_B, own_log_p_B = np.arange(rows) * classes, np.empty(rows, np.int64), np.empty(rows, np.float32)

    def slope(y_B: Array) -> float:
        share_B = shares(y_B)
        np.add(first_B, y_B, out=own_B)
        torch.log_softmax(answer_BK, 1, out=log_p_BK)
        log_p.take(own_B, 0, own_log_p_B, "clip")
        torch.exp(log_p_BK, out=slope_BK)
        np.multiply(p_BK, share_B[:, None], out=p_BK)
        slopes[own_B] -= share_B
        return -float(np.dot(share_B, own_log_p_B))

    return slope


def _binary_cross_entropy(
    answer_B1: torch.Tensor, slope_B1: torch.Tensor, weights_K: torch.Tensor | None = None
) -> Slope:
    """m = how far the logit is on the wrong side: mean log(1 + exp m), and ± sigmoid m, times the row's share."""
    rows = len(answer_B1)
    m_B, shares, signs_2 = torch.empty(rows), _make_shares(rows, weights_K), np.array([1, -1], np.float32)
    a_B, wrong_B, sign_B = answer_B1.numpy().reshape(-1), m_B.numpy(), np.empty(rows, np.float32)
    p_B, slopes = slope_B1.view(-1), slope_B1.numpy().reshape(-1)

    def slope(y_B: Array) -> float:
        share_B = shares(y_B)
        signs_2.take(y_B, 0, sign_B, "clip")
        np.multiply(a_B, sign_B, out=wrong_B)
        mean = float(np.dot(share_B, functional.softplus(m_B).numpy()))
        torch.sigmoid(m_B, out=p_B)
        np.multiply(slopes, sign_B, out=slopes)
        np.multiply(slopes, share_B, out=slopes)
        return mean

    return slope


def _make_shares(rows: int, weights_K: torch.Tensor | None) -> Callable[[Array], Array]:
    """Returns a function from a batch's target to the weight of each row in the mean."""
    if weights_K is None:
        even_B = np.full(rows, 1 / rows, np.float32)
        return lambda y_B: even_B
    of_class = weights_K.numpy()

    def by_class(y_B: Array) -> Array:
        weight_B = of_class[y_B]
        return np.asarray(weight_B / weight_B.sum())

    return by_class


OF_NUMBERS: Final[Mapping[Loss, WrittenOut]] = {
    functional.mse_loss: _squared_error,
    functional.l1_loss: _absolute_error,
    functional.huber_loss: _huber,
}
OF_CLASSES: Final[Mapping[Loss, Callable[..., Slope]]] = {
    functional.cross_entropy: _cross_entropy,
    binary_cross_entropy: _binary_cross_entropy,
}
"""Losses that also take class weights."""
