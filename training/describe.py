"""What is sealed into the manifest and told with a result: what a key's owner may want to know of a model.

The same for equal runs: no time, no place, no path.
"""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch

from sealift.settings.urls import without_credentials, without_credentials_in
from training.input_bins import input_bins
from training.recipe import export
from training.recipe.columns import decoded
from training.recipe.datasets.dataset import Dataset, Rows
from training.recipe.make import Made
from training.recipe.scaling import SCALED_ROWS, Moments


def example(made: Made, features: torch.Tensor) -> dict[str, Any]:
    """The first held-out row without a missing value, raw; the model's answer to it; and the body of a request for it,
    as the Open Inference Protocol v2 has it.
    """
    missing_R = features.reshape(len(features), -1).isnan().any(dim=1)
    at = int(missing_R.int().argmin())
    row, answer_1K = features[at : at + 1], made.answers[at : at + 1]
    columns = made.dataset.served_columns
    values = decoded(columns, row) if columns else {export.INPUT: row.numpy()}
    data = {name: plain(value) for name, value in values.items()}
    asked = [{**one, "shape": [1, *one["shape"][1:]], "data": data[one["name"]]} for one in inputs(made)]
    whole_row = [[one[0][0] for one in data.values()]] if columns else data[export.INPUT]
    return {"inputs": whole_row, "expected": plain(answer_1K.numpy()), "request": {"inputs": asked}}


def inputs(made: Made) -> list[dict[str, Any]]:
    """What the model takes, as the protocol's metadata have it."""
    data = made.dataset
    if data.served_columns:
        return [{"name": one.name, "datatype": one.datatype, "shape": ["batch", 1]} for one in data.served_columns]
    datatype = export.datatype(made.train.first(1)[0])
    return [{"name": export.INPUT, "datatype": datatype, "shape": ["batch", *data.shape]}]


def describe(made: Made, provenance: Mapping[str, str], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """JSON: the manifest's description."""
    job, data, train = made.job, made.dataset, made.train
    return {
        "task": data.task,
        "dataset": without_credentials(data.name),
        "model": without_credentials(job.model),
        "hyperparameters": without_credentials_in(job.properties()),
        "metrics": outcome["metrics"],
        "epochsRun": outcome["epochs_run"],
        "stopReason": outcome["stop_reason"],
        **provenance,
        "contentDigest": hashlib.sha256(made.content).hexdigest(),
        "rows": {
            "train": len(train),
            "heldOut": len(made.held_out),
            **({"leftOut": data.rows_left_out} if job.data.drop_missing_target else {}),
        },
        "features": [column.name for column in data.served_columns] or list(data.feature_names),
        "classes": list(data.classes),
        **({"words": list(data.words)} if data.words else {}),
        "inputs": inputs(made),
        "output": {"name": export.output_name(data.task), "datatype": "FP32", "shape": ["batch", data.outputs]},
        "inputReference": {} if job.privacy else input_reference(data, train),
        "inputBins": {} if job.privacy else input_bins(data, train),
        "inputRange": {} if job.privacy else input_range(data, train),
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
        for feature, row in zip(data.feature_names, plain(summary_F4.numpy()), strict=True)
    }


def input_range(data: Dataset, train: Rows) -> dict[str, float]:
    """Of rows whose values have no names and share a scale, such as pixels: the smallest and the largest of all."""
    if data.feature_names or not train.first(1)[0].is_floating_point():
        return {}
    least = min(float(x_BS.min()) for x_BS, _ in train.batches(SCALED_ROWS, None))
    most = max(float(x_BS.max()) for x_BS, _ in train.batches(SCALED_ROWS, None))
    return {"minimum": plain(np.float32(least)), "maximum": plain(np.float32(most))}


def plain(values: Any) -> Any:
    """An array as nested lists, FP32 numbers with the fewest digits that name them: 32.1, not 32.099998474121094."""
    if isinstance(values, np.ndarray):
        return [plain(one) for one in values]
    return float(str(values)) if isinstance(values, np.floating) else getattr(values, "tolist", lambda: values)()
