"""Metrics of a model on rows it never saw, in the target's own unit, defined as in scikit-learn.

Shapes: R rows, S the shape of one row's features, K outputs.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from typing import Final

import torch
from torch import nn
from torch.nn import functional

from training.options import Task
from training.recipe.datasets.dataset import Rows

ROWS_AT_ONCE: Final = 4096


def evaluate(model: nn.Module, rows: Rows) -> dict[str, float]:
    """Returns `measure` of the deployed model's answers for these raw rows."""
    model.eval()
    answered, targets = list[torch.Tensor](), list[torch.Tensor]()
    for features, target in rows.batches(ROWS_AT_ONCE, None):
        answered.append(compute_answers(model, features))
        targets.append(target)
    target = torch.cat(targets)
    return measure(torch.cat(answered), target, "regression" if target.is_floating_point() else "classification")


def compute_answers(model: nn.Module, features: torch.Tensor) -> torch.Tensor:
    """Returns the model's answers for these raw rows (R, *S), FP32 (R, K)."""
    model.eval()
    with torch.no_grad():
        pieces: list[torch.Tensor] = [model(piece) for piece in torch.split(features, ROWS_AT_ONCE)]
    return torch.cat(pieces)


def measure(answer_RK: torch.Tensor, target: torch.Tensor, task: Task) -> dict[str, float]:
    """Returns mse, mae, r2 and loss (mse) of a regression, or accuracy, loss (cross-entropy in nats), balancedAccuracy,
    f1 (macro) and auroc (one-versus-rest, macro) of classes. auroc is left out if a class has no row or all rows.
    """
    if task == "regression":
        return _measure_regression(answer_RK.double(), target.double())
    return _measure_classification(answer_RK, target)


def _measure_regression(answer_RK: torch.Tensor, target_RK: torch.Tensor) -> dict[str, float]:
    """The r2 of a constant target is 0."""
    error_RK = answer_RK - target_RK
    squares = error_RK.square().sum().item()
    spread = (target_RK - target_RK.mean()).square().sum().item()
    mse = squares / len(target_RK)
    return {"mse": mse, "mae": error_RK.abs().mean().item(), "r2": 1 - squares / spread if spread else 0.0, "loss": mse}


def _measure_classification(answer_RK: torch.Tensor, target_R: torch.Tensor) -> dict[str, float]:
    smallest = torch.finfo(torch.float32).tiny  # a probability that FP32 rounded to 0 must not be an infinite loss
    classes = answer_RK.shape[1]
    said_R = answer_RK.argmax(dim=1)
    counts_KK = torch.bincount(target_R * classes + said_R, minlength=classes**2).reshape(classes, classes).double()
    right_K, true_K, answered_K = counts_KK.diagonal(), counts_KK.sum(dim=1), counts_KK.sum(dim=0)
    there_K, seen_K = true_K > 0, (true_K + answered_K) > 0
    metrics = {
        "accuracy": (right_K.sum() / len(target_R)).item(),
        "loss": functional.nll_loss(answer_RK.clamp(min=smallest).log(), target_R).item(),
        "balancedAccuracy": (right_K[there_K] / true_K[there_K]).mean().item(),
        "f1": (2 * right_K[seen_K] / (true_K + answered_K)[seen_K]).mean().item(),
    }
    if there_K.all() and classes > 1:
        metrics["auroc"] = _compute_auroc(answer_RK, target_R)
    return metrics


def _compute_auroc(answer_RK: torch.Tensor, target_R: torch.Tensor) -> float:
    """Returns the mean over classes of P(a row of the class has the higher score), where ties count half (Mann-Whitney
    U).
    """
    areas = []
    for k in range(1 if answer_RK.shape[1] == 2 else 0, answer_RK.shape[1]):
        mine_R = target_R == k
        ranks_R = _rank(answer_RK[:, k].double())
        own, others = int(mine_R.sum()), int((~mine_R).sum())
        areas.append((ranks_R[mine_R].sum().item() - own * (own + 1) / 2) / (own * others))
    return sum(areas) / len(areas)


def _rank(scores_R: torch.Tensor) -> torch.Tensor:
    """Returns ranks from 1. Equal scores share the mean of their ranks."""
    unique: tuple[torch.Tensor, ...] = torch.unique(scores_R, return_inverse=True, return_counts=True)
    _, group_R, sizes = unique
    last = sizes.cumsum(0).double()
    return (last - (sizes - 1) / 2)[group_R]
