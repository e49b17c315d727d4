"""How good a model is on rows it never saw, in the target's own unit.

Shapes: R held-out rows, K outputs.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import torch
from torch import nn
from torch.nn import functional

from training.dataset import Rows


def evaluate(model: nn.Module, held_out: Rows) -> dict[str, float]:
    """mse, mae and r2 of a regression; accuracy and loss (cross-entropy in nats) of a classification."""
    answer_RK = answers(model, held_out.features_RF).double()
    if held_out.target.is_floating_point():
        return _regression(answer_RK, held_out.target.double())
    return _classification(answer_RK, held_out.target)


def answers(model: nn.Module, features_RF: torch.Tensor) -> torch.Tensor:
    """What the model says to these raw rows, FP32 (R, K)."""
    model.eval()
    with torch.no_grad():
        answer_RK: torch.Tensor = model(features_RF)
    return answer_RK


def _regression(answer_RK: torch.Tensor, target_RK: torch.Tensor) -> dict[str, float]:
    error_RK = answer_RK - target_RK
    squares = error_RK.square().sum()
    spread = (target_RK - target_RK.mean()).square().sum()
    return {
        "mse": squares.item() / len(target_RK),
        "mae": error_RK.abs().mean().item(),
        "r2": 1 - squares.item() / spread.item(),
    }


def _classification(answer_RK: torch.Tensor, target_R: torch.Tensor) -> dict[str, float]:
    smallest = torch.finfo(torch.float32).tiny  # a probability that FP32 rounded to 0 is not an infinite loss
    return {
        "accuracy": (answer_RK.argmax(dim=1) == target_R).double().mean().item(),
        "loss": functional.nll_loss(answer_RK.clamp(min=smallest).log(), target_R).item(),
    }
