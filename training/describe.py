"""What is sealed into the manifest and told with a result: what a key's owner may want to know of a model.

The same for equal runs: no time, no place, no path.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import torch

from training.recipe import export
from training.recipe.datasets.dataset import Dataset, Rows
from training.recipe.make import Made
from training.recipe.scaling import SCALED_ROWS, Moments


def example(features: torch.Tensor, answer_RK: torch.Tensor) -> dict[str, Any]:
    """The first held-out row, raw, and the model's answer to it."""
    return {"inputs": numbers(features[:1]), "expected": numbers(answer_RK[:1])}


def describe(made: Made, provenance: Mapping[str, str], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """JSON: the manifest's description."""
    job, data, train = made.job, made.dataset, made.train
    return {
        "task": data.task,
        "dataset": data.name,
        "model": job.model,
        "hyperparameters": job.properties(),
        "metrics": outcome["metrics"],
        "epochsRun": outcome["epochs_run"],
        "stopReason": outcome["stop_reason"],
        **provenance,
        "contentDigest": hashlib.sha256(made.content).hexdigest(),
        "rows": {"train": len(train), "heldOut": len(made.held_out)},
        "features": list(data.feature_names),
        "classes": list(data.classes),
        **({"words": list(data.words)} if data.words else {}),
        "input": {"name": export.INPUT, "type": export.datatype(train.first(1)[0]), "shape": ["batch", *data.shape]},
        "output": {"name": export.output_name(data.task), "type": "FP32", "shape": ["batch", data.outputs]},
        "inputReference": {} if job.privacy else input_reference(data, train),
        "onnxOpset": export.OPSET,
    }


def input_reference(data: Dataset, train: Rows) -> dict[str, dict[str, float]]:
    """Each column's distribution over the training rows: what a server can hold its requests against."""
    if not data.feature_names:
        return {}
    moments, least, most = Moments(shared=False), torch.tensor(torch.inf), torch.tensor(-torch.inf)
    for x_BF, _ in train.batches(SCALED_ROWS, None):
        moments.add(x_BF)
        least = torch.minimum(least, torch.where(x_BF.isnan(), torch.inf, x_BF).amin(dim=0))
        most = torch.maximum(most, torch.where(x_BF.isnan(), -torch.inf, x_BF).amax(dim=0))
    summary_F4 = torch.stack([moments.mean.float(), moments.deviation.float(), least, most], dim=1)
    names: Final = ("mean", "deviation", "minimum", "maximum")
    return {
        feature: dict(zip(names, row, strict=True))
        for feature, row in zip(data.feature_names, numbers(summary_F4), strict=True)
    }


def numbers(table: torch.Tensor) -> Any:
    """Nested lists of FP32 numbers, each with the fewest digits that name it: 32.1 rather than 32.099998474121094."""
    if table.ndim:
        return [numbers(row) for row in table]
    return float(str(table.float().numpy())) if table.is_floating_point() else int(table)
