"""DATASET → MODEL, in the data's order: rows, network, loop, metrics, ONNX. Importing it loads torch.

It keeps and seals nothing: a state to go on from comes in, and every epoch's end goes out.
"""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import safetensors.torch
import torch
from torch import nn

from training import dataset, export, models, sgd
from training.dataset import Dataset, Rows
from training.evaluate import answers, evaluate
from training.job import Job
from training.sgd import Position

AfterEpoch = Callable[[Position, Callable[[], bytes]], None]
"""Called with how far the loop is and a function that gives its state."""


@dataclass(frozen=True)
class Fitted:
    """A finished model: the ONNX file, what is sealed beside it, and what the caller wants to know."""

    model: bytes
    description: dict[str, Any]
    outcome: dict[str, Any]


def fit(
    job: Job,
    files: tuple[bytes, ...],
    provenance: Mapping[str, str],
    resume_from: tuple[Position, bytes] | None,
    after_epoch: AfterEpoch,
    on_trained: Callable[[], None],
) -> Fitted:
    """Trains, measures, exports and checks. `files` as `job.read_data` gives them.

    Raises NonFiniteLossError, ExportError, and whatever the two callbacks raise.
    """
    generator = sgd.make_repeatable(job)
    data = dataset.parse(job.dataset, files)
    train, held_out = dataset.split(data, generator)
    feature_scale, target_scale = models.scales(data, train)
    net = models.build(job.model, data)

    position = Position()
    if resume_from is not None:
        position, tensors = resume_from
        sgd.restore(net, generator, safetensors.torch.load(tensors))
    stop_reason = sgd.descend(
        net,
        feature_scale.apply(train.features_RF),
        train.target if target_scale is None else target_scale.apply(train.target),
        job,
        generator,
        position,
        lambda: after_epoch(position, lambda: safetensors.torch.save(sgd.state(net, generator))),
    )
    on_trained()

    model = models.Deployed(net, feature_scale, target_scale)
    metrics = evaluate(model, held_out)
    if not all(map(math.isfinite, metrics.values())):
        raise sgd.not_finite(f"metrics on held-out rows are {metrics}", position, job)
    outcome = {
        "metrics": metrics,
        "epochs_run": position.epoch,
        "stop_reason": stop_reason,
        "example": _example(model, held_out),
    }
    content = export.to_onnx(model, len(data.feature_names), data.task)
    export.check(content, model, held_out.features_RF)
    return Fitted(content, _describe(job, data, train, held_out, provenance, outcome, content), outcome)


def _example(model: nn.Module, held_out: Rows) -> dict[str, list[list[float]]]:
    """The first held-out row, raw, and torch's answer to it."""
    row_1F = held_out.features_RF[:1]
    return {"inputs": _numbers(row_1F), "expected": _numbers(answers(model, row_1F))}


def _describe(
    job: Job,
    data: Dataset,
    train: Rows,
    held_out: Rows,
    provenance: Mapping[str, str],
    outcome: Mapping[str, Any],
    content: bytes,
) -> dict[str, Any]:
    """What is sealed into the manifest: what a key's owner may want to know of the model; the same for equal runs."""
    return {
        "task": data.task,
        "dataset": data.name,
        "model": job.model,
        "hyperparameters": job.properties(),
        "metrics": outcome["metrics"],
        "epochsRun": outcome["epochs_run"],
        "stopReason": outcome["stop_reason"],
        **provenance,
        "contentDigest": hashlib.sha256(content).hexdigest(),
        "rows": {"train": len(train), "heldOut": len(held_out)},
        "features": list(data.feature_names),
        "classes": list(data.classes),
        "input": {"name": export.INPUT, "type": "FP32", "shape": ["batch", len(data.feature_names)]},
        "output": {"name": export.output_name(data.task), "type": "FP32", "shape": ["batch", data.outputs]},
        "inputReference": _input_reference(data, train),
        "onnxOpset": export.OPSET,
    }


def _input_reference(data: Dataset, train: Rows) -> dict[str, dict[str, float]]:
    """Each feature's distribution over the training rows: what a server can hold its requests against."""
    columns_RF = train.features_RF.double()
    deviation, mean = torch.std_mean(columns_RF, dim=0, correction=0)
    least, most = columns_RF.amin(dim=0), columns_RF.amax(dim=0)
    summary_F4 = torch.stack([mean, deviation, least, most], dim=1)
    names = ("mean", "deviation", "minimum", "maximum")
    return {
        feature: dict(zip(names, numbers, strict=True))
        for feature, numbers in zip(data.feature_names, _numbers(summary_F4), strict=True)
    }


def _numbers(table: torch.Tensor) -> list[list[float]]:
    """Rows of FP32 numbers, each with the fewest digits that name it: 32.1 rather than 32.099998474121094."""
    return [[float(str(number)) for number in row] for row in table.float().numpy()]
