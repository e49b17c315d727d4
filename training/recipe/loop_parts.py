"""Parts of one loop, made from the job: network, scales, first weights, loss and gradient.

Importing it loads torch. It measures, exports and keeps nothing.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training import user_code
from training.errors import DataError, ModelError
from training.job import Job
from training.options import Privacy
from training.recipe import weights
from training.recipe.class_weights import compute_class_weights
from training.recipe.datasets.builtin import TARGET
from training.recipe.datasets.dataset import Dataset, Rows, TensorRows
from training.recipe.evaluate import evaluate
from training.recipe.explain import blame_model
from training.recipe.fidelity import BATCH_SIZES, make_faithful_onnx
from training.recipe.losses import make_loss
from training.recipe.models import build
from training.recipe.models.build import DeployedModel
from training.recipe.module_state import refuse_another, refuse_what_changes, seed_all
from training.recipe.scaling import Scales, standardise
from training.recipe.sgd import GradientMethod, Loop
from training.recipe.step import Loss, Weight


@dataclass(frozen=True)
class LoopInputs:
    """Inputs of all loops of one run, besides its job. A fold's loop has other rows."""

    dataset: Dataset
    rows: Rows
    """Rows to train on."""
    validation: Rows | None
    folder: Path
    """Folder of the user's modules."""
    device: str = "cpu"
    init: bytes | None = None
    """File with the first weights: a safetensors file if `init_from` has a path, otherwise ONNX."""
    noise_key: bytes = b""
    """Key of 32 bytes for the random numbers of private training."""


def check_form(job: Job, inputs: LoopInputs) -> None:
    """Raises ModelError or ExportError for a network that does not fit the rows or cannot be exported faithfully."""
    seed_all(job.seed)
    dataset = inputs.dataset
    few = TensorRows(*inputs.rows.first(max(BATCH_SIZES)))
    scales = Scales.of(dataset, few)
    net = build.build(job, dataset, inputs.folder)
    if job.deterministic:
        seed_all(job.seed)
        refuse_another(net, build.build(job, dataset, inputs.folder), job.model)
    batch_BS = scales.apply(few.first(2))[0]
    build.check_answer(net, job, dataset, batch_BS)
    refuse_what_changes(net, job.model, lambda: build.check_answer(net, job, dataset, batch_BS, training=True))
    model = DeployedModel(net, scales, dataset.task, build.count_network_outputs(job, dataset))
    with blame_model(job, job.model, "correct the model's code"):
        make_faithful_onnx(model, few, dataset.task, job.model)


def make_loop(job: Job, inputs: LoopInputs, generator: torch.Generator) -> Loop:
    """Returns a loop before its first step. Raises ModelError."""
    seed_all(job.seed)
    dataset, rows, validation, device = inputs.dataset, inputs.rows, inputs.validation, torch.device(inputs.device)
    scales = _make_scales(job, dataset, rows)
    net = build.build(job, dataset, inputs.folder)
    build.check_answer(net, job, dataset, scales.apply(rows.first(2))[0])
    model = DeployedModel(net, scales, dataset.task, build.count_network_outputs(job, dataset))
    _load_first_weights(job, inputs.init, model)
    weights.freeze(net, job.freeze)
    model.to(device)
    loss, weight = _make_loss(job, dataset, rows, device)
    scaled = standardise(rows, scales, device)
    return Loop(
        job,
        net,
        scaled,
        generator,
        loss,
        weight,
        _make_method(job, net, scaled, loss, weight, inputs.noise_key),
        _load_augment(job, inputs.folder),
        validate=None if validation is None else lambda: evaluate(model, validation),
        deployed=model,
    )


def _load_first_weights(job: Job, init: bytes | None, model: DeployedModel) -> None:
    if init is None:
        return
    left_out = job.init_from.leave_out if job.init_from is not None else ()
    if job.init_from is not None and job.init_from.path is not None:
        weights.load_safetensors(init, model.net, left_out)
    else:
        weights.load_onnx(init, model, left_out)


def _make_scales(job: Job, dataset: Dataset, rows: Rows) -> Scales:
    """Returns the scales of the rows; with privacy, those of the public ranges of the columns."""
    if job.privacy is None:
        return Scales.of(dataset, rows)
    from training.recipe.privacy import make_public_scales  # Opacus takes long to import

    return make_public_scales(dataset, job.quality.ranges, job.data.target or TARGET)


def _make_loss(job: Job, dataset: Dataset, rows: Rows, device: torch.device) -> tuple[Loss, Weight]:
    """Returns the loss, a mean over a batch, and the weight that it divides by."""
    name, weights_K = build.find_loss_name(job, dataset), compute_class_weights(job, dataset, rows)
    if weights_K is None:
        return make_loss(name), len
    there_K = weights_K.to(device)
    return make_loss(name, there_K), lambda y_B: there_K[y_B].sum().item()


def _make_method(job: Job, net: nn.Module, rows: Rows, loss: Loss, weight: Weight, noise_key: bytes) -> GradientMethod:
    """Returns the gradient method: private, shared by several workers, or plain."""
    if job.privacy is not None:
        return _make_private_method(job, job.privacy, net, rows, loss, noise_key)
    if job.processes == 1:
        return GradientMethod()
    from training.recipe.shared import make_shared_gradient  # torch.distributed takes long to import

    return GradientMethod(
        make_shared_gradient(net, loss, weight, [one for one in net.parameters() if one.requires_grad])
    )


def _make_private_method(
    job: Job, wanted: Privacy, net: nn.Module, rows: Rows, loss: Loss, noise_key: bytes
) -> GradientMethod:
    from training.recipe.privacy import Mechanism, NoiseGenerator, PoissonDraw, make_private_gradient

    if not isinstance(rows, TensorRows):
        raise DataError("privacy needs all rows in memory, but this data set is streamed", "raise data.memoryBytes")
    mechanism = Mechanism.of(wanted, len(rows), job.batch_size, job.epochs)
    noise = NoiseGenerator(noise_key)
    return GradientMethod(
        make_private_gradient(net, loss, job, mechanism, noise),
        PoissonDraw(noise_key, mechanism),
        noise,
        lambda epochs: {
            "epsilon": mechanism.epsilon(epochs),
            "delta": wanted.delta,
            "noise_multiplier": mechanism.noise_multiplier,
        },
    )


def _load_augment(job: Job, folder: Path) -> Callable[[torch.Tensor, torch.Generator], torch.Tensor] | None:
    """Returns the user's function. Its result must have the shape of its input."""
    if job.augment is None:
        return None
    function: Any = user_code.load(job.augment, job.roots(folder))

    def augment(x_BS: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        augmented = function(x_BS, generator)
        if not isinstance(augmented, torch.Tensor) or augmented.shape != x_BS.shape:
            found = tuple(augmented.shape) if isinstance(augmented, torch.Tensor) else type(augmented).__name__
            raise ModelError(
                f"augment {job.augment} returned {found} for features of shape {tuple(x_BS.shape)}",
                "it must return features of the same shape",
            )
        return augmented

    return augment
