"""MODEL → DESCRIPTION: the part of the manifest about the model, and the example in a result.

It is equal for equal runs: it contains no time, place or path.
"""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from sealift.contents.description import Description, RowCounts, Summary, TensorForm, ValueRange
from sealift.settings.urls import without_credentials, without_credentials_in
from training.input_bins import make_input_bins
from training.recipe import export
from training.recipe.columns import decode
from training.recipe.datasets.dataset import Dataset, Rows
from training.recipe.finish import TrainedModel
from training.recipe.scaling import SCALED_ROWS, Moments


def make_example(trained: TrainedModel, features: torch.Tensor) -> dict[str, Any]:
    """Returns the first held-out row without a missing value, raw, with the model's answer and the body of a request
    for it in the form of the Open Inference Protocol v2.
    """
    missing_R = features.reshape(len(features), -1).isnan().any(dim=1)
    at = int(missing_R.int().argmin())
    row, answer_1K = features[at : at + 1], trained.answers[at : at + 1]
    columns = trained.dataset.served_columns
    values = decode(columns, row) if columns else {export.INPUT: row.numpy()}
    data = {name: to_plain(value) for name, value in values.items()}
    asked = [
        {"name": one.name, "datatype": one.datatype, "shape": [1, *one.shape[1:]], "data": data[one.name]}
        for one in list_inputs(trained)
    ]
    whole_row = [[one[0][0] for one in data.values()]] if columns else data[export.INPUT]
    return {"inputs": whole_row, "expected": to_plain(answer_1K.numpy()), "request": {"inputs": asked}}


def list_inputs(trained: TrainedModel) -> list[TensorForm]:
    """Returns the model's inputs."""
    data = trained.dataset
    if data.served_columns:
        return [TensorForm(one.name, one.datatype, ("batch", 1)) for one in data.served_columns]
    datatype = export.find_datatype(trained.train.first(1)[0])
    return [TensorForm(export.INPUT, datatype, ("batch", *data.shape))]


def make_description(trained: TrainedModel, provenance: Mapping[str, str], outcome: Mapping[str, Any]) -> Description:
    """Describes the model. `provenance` has the digests and libraries by their fields' names."""
    job, data, train = trained.job, trained.dataset, trained.train
    public = job.privacy is None
    return Description(
        task=data.task,
        dataset=without_credentials(data.name),
        model=without_credentials(job.model),
        hyperparameters=without_credentials_in(job.identity()),
        metrics=outcome["metrics"],
        epochs_run=outcome["epochs_run"],
        stop_reason=outcome["stop_reason"],
        data_digest=provenance.get("data_digest"),
        code_digest=provenance.get("code_digest"),
        libraries=provenance.get("libraries"),
        content_digest=hashlib.sha256(trained.content).hexdigest(),
        rows=RowCounts(len(train), len(trained.held_out), data.rows_left_out if job.data.drop_missing_target else None),
        features=tuple(column.name for column in data.served_columns) or tuple(data.feature_names),
        classes=tuple(data.classes),
        words=tuple(data.words),
        inputs=tuple(list_inputs(trained)),
        output=TensorForm(export.find_output_name(data.task), "FP32", ("batch", data.outputs)),
        input_reference=summarise_columns(data, train) if public else {},
        input_bins=make_input_bins(data, train) if public else {},
        input_range=find_input_range(data, train) if public else None,
        onnx_opset=export.OPSET,
    )


def summarise_columns(data: Dataset, train: Rows) -> dict[str, Summary]:
    """Returns each column's distribution over the training rows, for a server to compare its requests with."""
    if not data.feature_names:
        return {}
    moments, least, most = Moments(shared=False), torch.tensor(torch.inf), torch.tensor(-torch.inf)
    for x_BF, _ in train.batches(SCALED_ROWS, None):
        moments.add(x_BF)
        least = torch.minimum(least, torch.where(x_BF.isnan(), torch.inf, x_BF).amin(dim=0))
        most = torch.maximum(most, torch.where(x_BF.isnan(), -torch.inf, x_BF).amax(dim=0))
    summary_F4 = torch.stack([moments.mean.float(), moments.deviation.float(), least, most], dim=1)
    return {
        feature: Summary(*map(float, row))
        for feature, row in zip(data.feature_names, to_plain(summary_F4.numpy()), strict=True)
    }


def find_input_range(data: Dataset, train: Rows) -> ValueRange | None:
    """Returns the range of all values. None if columns have names or values are ids."""
    if data.feature_names or not train.first(1)[0].is_floating_point():
        return None
    least = min(float(x_BS.min()) for x_BS, _ in train.batches(SCALED_ROWS, None))
    most = max(float(x_BS.max()) for x_BS, _ in train.batches(SCALED_ROWS, None))
    return ValueRange(to_plain(np.float32(least)), to_plain(np.float32(most)))


def to_plain(values: Any) -> Any:
    """Returns an array as nested lists, with the shortest form of FP32 numbers: 32.1 instead of 32.099998474121094."""
    if isinstance(values, np.ndarray):
        return [to_plain(one) for one in values]
    return float(str(values)) if isinstance(values, np.floating) else getattr(values, "tolist", lambda: values)()
