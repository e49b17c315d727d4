"""Importance of a model's inputs, measured by the method that fits them. It does not show causes.

    table of up to 200 columns      permutation: how much worse the model gets if one column is shuffled
    text, as ids of known words     occlusion: how much worse it gets on the rows that lose one word
    image, sequence, wider table    Captum's integrated gradients: what each place adds to the answer

Seeded, and on a sample of held-out rows. Shapes: R rows, S one row's features, C channels, H, W, L places, F columns,
K outputs.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import importlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional

from training.report.content import HeatMap, Importance, Importances, Task

PERMUTED_FEATURES: Final = 200
PERMUTED_ROWS: Final = 2_000
REPEATS: Final = 5
OCCLUDED_WORDS: Final = 200
PADDING: Final = 0
"""Id that stands for no word."""
ATTRIBUTED_ROWS: Final = 200
ATTRIBUTION_STEPS: Final = 32
ATTRIBUTED_AT_ONCE: Final = 256
HEAT_MAP_SIDE: Final = 64


def explain(
    model: nn.Module,
    features: torch.Tensor,
    target: torch.Tensor,
    task: Task,
    names: Sequence[str] = (),
    words: Sequence[str] = (),
    seed: int = 0,
) -> Importances | None:
    """Explains the model by the method that fits its inputs. Returns None if none fits. `model` answers raw `features`
    [R, *S] and is not changed.

    `names` are those of a table's columns; `words` belong to ids, if the features are ids of words. `target` has int64
    classes (R,) or numbers (R, 1). It takes one call for each (column, repetition) or word: minutes for a slow model.
    """
    was_training = model.training
    model.eval()
    try:
        if words:
            return occlusion(model, features, target, task, words, seed)
        if features.dim() == 2 and len(names) == features.shape[1] and len(names) <= PERMUTED_FEATURES:
            return permutation(model, features, target, task, names, seed)
        return attribution(model, features, names, seed) if features.is_floating_point() else None
    finally:
        model.train(was_training)


def permutation(
    model: nn.Module, features: torch.Tensor, target: torch.Tensor, task: Task, names: Sequence[str], seed: int
) -> Importances:
    """Returns for each column the score of the rows minus the score with that column shuffled among them."""
    generator = torch.Generator().manual_seed(seed)
    chosen = _sample(len(features), PERMUTED_ROWS, generator)
    rows_RF, target = features[chosen], target[chosen]
    reference = _score(model, rows_RF, target, task)
    values: dict[str, Importance] = {}
    for column, name in enumerate(names):
        losses = []
        for _ in range(REPEATS):
            shuffled_RF = rows_RF.clone()
            shuffled_RF[:, column] = rows_RF[torch.randperm(len(rows_RF), generator=generator), column]
            losses.append(reference - _score(model, shuffled_RF, target, task))
        deviation, mean = torch.std_mean(torch.tensor(losses, dtype=torch.float64), correction=0)
        values[name] = Importance(mean.item(), deviation.item())
    method = (
        f"Permutation importance: {_unit(task)} when one feature is shuffled among {len(rows_RF):,} held-out rows: "
        f"mean and deviation of {REPEATS} repetitions. Features with the same information share or hide their "
        "importance."
    )
    return Importances(method, _unit(task), values)


def occlusion(
    model: nn.Module, features: torch.Tensor, target: torch.Tensor, task: Task, words: Sequence[str], seed: int
) -> Importances:
    """Returns for each of the sample's most frequent words the rise of the loss on its rows if the word is removed."""
    chosen = _sample(len(features), PERMUTED_ROWS, torch.Generator().manual_seed(seed))
    rows_RL, target = features[chosen], target[chosen]
    counts = Counter(rows_RL.flatten().tolist())
    frequent = sorted((word for word in counts if _word(words, word)), key=lambda word: (-counts[word], word))
    values: dict[str, Importance] = {}
    for word in frequent[:OCCLUDED_WORDS]:
        having_R = (rows_RL == word).any(dim=1)
        with_BL, of_B = rows_RL[having_R], target[having_R]
        without_BL = with_BL.masked_fill(with_BL == word, PADDING)
        loss = _error(model, without_BL, of_B, task) - _error(model, with_BL, of_B, task)
        values[words[word]] = Importance(loss)
    unit = "rise of the loss"
    method = (
        f"Occlusion: {unit} when a word is removed from the held-out rows that contain it (out of {len(rows_RL):,}), "
        f"for the {len(values)} most frequent words."
    )
    return Importances(method, unit, values)


def attribution(model: nn.Module, features: torch.Tensor, names: Sequence[str], seed: int) -> Importances:
    """Returns mean absolute integrated gradients of the predicted class, from the mean row; as a heat map for images
    and sequences.
    """
    chosen = _sample(len(features), ATTRIBUTED_ROWS, torch.Generator().manual_seed(seed))
    rows = features[chosen].detach().float()
    mean_S = _integrated_gradients(model, rows).abs().mean(dim=0)
    unit = "mean absolute attribution"
    method = (
        f"Integrated gradients (Captum) of the predicted class, {ATTRIBUTION_STEPS} steps from the mean row to each of "
        f"{len(rows):,} held-out rows: the mean of their absolute values."
    )
    if mean_S.dim() == 1:
        places = names if len(names) == len(mean_S) else [str(place) for place in range(len(mean_S))]
        pairs = zip(places, mean_S.tolist(), strict=True)
        return Importances(method, unit, {name: Importance(value) for name, value in pairs})
    return Importances(method, unit, heat_map=_heat_map(mean_S))


def _integrated_gradients(model: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    captum: Any = importlib.import_module("captum.attr")  # a second of imports that tables do not need
    with torch.no_grad():
        answered_R = model(rows).argmax(dim=1)
    gradients: torch.Tensor = captum.IntegratedGradients(model).attribute(
        rows.requires_grad_(),
        baselines=rows.detach().mean(dim=0, keepdim=True).expand_as(rows),
        target=answered_R,
        n_steps=ATTRIBUTION_STEPS,
        internal_batch_size=ATTRIBUTED_AT_ONCE,
    )
    return gradients.detach()


def _heat_map(mean_S: torch.Tensor) -> HeatMap:
    """Averages the channels of an image. The rows of a sequence are its channels. At most HEAT_MAP_SIDE in each
    direction.
    """
    mean_HW = mean_S.flatten(0, -3).mean(dim=0) if mean_S.dim() > 2 else mean_S
    height, width = (min(side, HEAT_MAP_SIDE) for side in mean_HW.shape)
    small_HW = functional.adaptive_avg_pool2d(mean_HW[None, None], (height, width))[0, 0]
    values = tuple(tuple(row) for row in small_HW.tolist())
    return HeatMap(values) if mean_S.dim() > 2 else HeatMap(values, rows="channel", columns="time step")


def _score(model: nn.Module, features: torch.Tensor, target: torch.Tensor, task: Task) -> float:
    """Returns accuracy for classes and R² for numbers. Higher is better."""
    with torch.no_grad():
        answer_RK = model(features)
    if task == "classification":
        return float((answer_RK.argmax(dim=1) == target).double().mean())
    true_R = target.double().flatten()
    spread = (true_R - true_R.mean()).square().sum().clamp(min=torch.finfo(torch.float64).tiny)
    return float(1 - (answer_RK.double().flatten() - true_R).square().sum() / spread)


def _error(model: nn.Module, features: torch.Tensor, target: torch.Tensor, task: Task) -> float:
    """Returns cross-entropy in nats for probabilities and squared error for numbers: finer than a score if few rows
    change.
    """
    with torch.no_grad():
        answer_RK = model(features).double()
    if task == "classification":
        smallest = torch.finfo(torch.float32).tiny
        return functional.nll_loss(answer_RK.clamp(min=smallest).log(), target).item()
    return float((answer_RK.flatten() - target.double().flatten()).square().mean())


def _unit(task: Task) -> str:
    return "loss of accuracy" if task == "classification" else "loss of R²"


def _word(words: Sequence[str], word: int) -> bool:
    return 0 <= word < len(words) and bool(words[word])


def _sample(count: int, most: int, generator: torch.Generator) -> torch.Tensor:
    """Returns sorted indices of at most `most` rows, or of all if there are fewer."""
    return torch.randperm(count, generator=generator)[:most].sort().values
