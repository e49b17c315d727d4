"""One descent, on rows that are given: for the model that is shipped, and for every trial and fold before it.

Importing it loads torch. It measures, exports and keeps nothing.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training import user_code
from training.errors import DataError, ModelError
from training.job import Job
from training.options import Privacy
from training.recipe import weights
from training.recipe.class_weights import class_weights
from training.recipe.datasets.builtin import TARGET
from training.recipe.datasets.dataset import Dataset, Rows, TensorRows
from training.recipe.evaluate import evaluate
from training.recipe.explain import blame_model
from training.recipe.fidelity import BATCH_SIZES, faithful_onnx
from training.recipe.losses import loss_function
from training.recipe.models import build
from training.recipe.models.build import Deployed
from training.recipe.module_state import refuse_another, refuse_what_changes, seed_all
from training.recipe.scaling import Scales, standardise
from training.recipe.sgd import Descent, Loop, Position
from training.recipe.step import Gradient, Loss, Mass

Resume = tuple[Position, Mapping[str, torch.Tensor]]


@dataclass(frozen=True)
class Setting:
    """What all descents of one run share."""

    dataset: Dataset
    folder: Path
    """Where the user's modules are."""
    device: str = "cpu"
    init: bytes | None = None
    """The file whose weights are the first ones: a safetensors file if `init_from` has a path, else ONNX."""
    secret: bytes = b""
    """32 bytes that private training draws its chances from."""


@dataclass(frozen=True)
class Trained:
    """A network after its descent."""

    model: Deployed
    position: Position
    stop_reason: str
    spent: Mapping[str, float] = field(default_factory=dict)
    """Of private training: epsilon, delta and noise_multiplier."""


class Descending:
    """A descent that is under way."""

    def __init__(self, job: Job, model: Deployed, loop: Loop, spent: Callable[[int], Mapping[str, float]]) -> None:
        self.job, self.loop = job, loop
        self._model, self._spent = model, spent

    def epochs(self) -> Iterator[bool]:
        """As the loop's; what the user's code raises comes as ModelError. Raises NonFiniteLossError."""
        with blame_model(self.job, self.job.model, "mend the model's code"):
            yield from self.loop.epochs()

    def trained(self) -> Trained:
        """The network, once `epochs` has come to its end."""
        if not self.loop.stop_reason:
            raise AssertionError("internal error: the descent has not ended")
        position = self.loop.position
        model = self._model.cpu().to(memory_format=torch.contiguous_format)
        return Trained(model, position, self.loop.stop_reason, self._spent(position.epoch))


def check_form(job: Job, setting: Setting, rows: Rows) -> None:
    """Raises ModelError and ExportError for a network that does not fit the rows, or has no faithful ONNX form."""
    seed_all(job.seed)
    dataset = setting.dataset
    few = TensorRows(*rows.first(max(BATCH_SIZES)))
    scales = Scales.of(dataset, few)
    net = build.build(job, dataset, setting.folder)
    if job.deterministic:
        seed_all(job.seed)
        refuse_another(net, build.build(job, dataset, setting.folder), job.model)
    batch_BS = scales.apply(few.first(2))[0]
    build.check_answer(net, job, dataset, batch_BS)
    refuse_what_changes(net, job.model, lambda: build.check_answer(net, job, dataset, batch_BS, training=True))
    model = Deployed(net, scales, dataset.task, build.network_outputs(job, dataset))
    with blame_model(job, job.model, "mend the model's code"):
        faithful_onnx(model, few, dataset.task, job.model)


def begin(
    job: Job,
    setting: Setting,
    rows: Rows,
    validation: Rows | None,
    generator: torch.Generator,
    resume: Resume | None = None,
) -> Descending:
    """At the first step, or where it was. Raises ModelError."""
    seed_all(job.seed)
    dataset, device = setting.dataset, torch.device(setting.device)
    scales = _scales(job, dataset, rows)
    net = build.build(job, dataset, setting.folder)
    build.check_answer(net, job, dataset, scales.apply(rows.first(2))[0])
    model = Deployed(net, scales, dataset.task, build.network_outputs(job, dataset))
    if setting.init is not None:
        left_out = job.init_from.leave_out if job.init_from is not None else ()
        if job.init_from is not None and job.init_from.path is not None:
            weights.from_safetensors(setting.init, net, left_out)
        else:
            weights.from_onnx(setting.init, model, left_out)
    weights.freeze(net, job.freeze)
    model.to(device)
    loss, mass = _loss(job, dataset, rows, device)
    descent = Descent(
        job,
        net,
        standardise(rows, scales, device),
        generator,
        loss,
        mass,
        gradient=_gradient(job, net, loss, mass),
        augment=_augment(job, setting.folder),
        validate=None if validation is None else lambda: evaluate(model, validation),
    )
    spent: Callable[[int], Mapping[str, float]] = lambda epochs: {}  # noqa: E731
    if job.privacy is not None:
        descent, spent = _privately(descent, job.privacy, setting)
    loop = Loop(descent)
    if resume is not None:
        loop.restore(*resume)
    return Descending(job, model, loop, spent)


def _scales(job: Job, dataset: Dataset, rows: Rows) -> Scales:
    """By the rows; with privacy by what is known of the columns without them."""
    if job.privacy is None:
        return Scales.of(dataset, rows)
    from training.recipe.privacy import public_scales  # Opacus takes long to import

    return public_scales(dataset, job.quality.ranges, job.data.target or TARGET)


def _privately(
    descent: Descent, wanted: Privacy, setting: Setting
) -> tuple[Descent, Callable[[int], Mapping[str, float]]]:
    """The descent with chances and noise, and what so many epochs of it spend."""
    from training.recipe.privacy import Chance, Mechanism, PoissonDraw, private_gradient

    job = descent.job
    if not isinstance(descent.rows, TensorRows):
        raise DataError("privacy needs rows in memory; this data set is streamed", "raise data.memoryBytes")
    mechanism = Mechanism.of(wanted, len(descent.rows), job.batch_size, job.epochs)
    chance = Chance(setting.secret)
    gradient = private_gradient(descent.net, descent.loss, job, mechanism, chance)
    private = replace(descent, gradient=gradient, draw=PoissonDraw(setting.secret, mechanism), noise=chance)
    return private, lambda epochs: {
        "epsilon": mechanism.epsilon(epochs),
        "delta": wanted.delta,
        "noise_multiplier": mechanism.noise_multiplier,
    }


def _loss(job: Job, dataset: Dataset, rows: Rows, device: torch.device) -> tuple[Loss, Mass]:
    """A mean over a batch, and what it divides by."""
    name, weights_K = build.loss_name(job, dataset), class_weights(job, dataset, rows)
    if weights_K is None:
        return loss_function(name), len
    there_K = weights_K.to(device)
    return loss_function(name, there_K), lambda y_B: there_K[y_B].sum().item()


def _gradient(job: Job, net: nn.Module, loss: Loss, mass: Mass) -> Gradient | None:
    """Of several workers together; else None, which stands for the plain one."""
    if job.processes == 1:
        return None
    from training.recipe.shared import shared_gradient  # torch.distributed takes long to import

    return shared_gradient(net, loss, mass, [one for one in net.parameters() if one.requires_grad])


def _augment(job: Job, folder: Path) -> Callable[[torch.Tensor, torch.Generator], torch.Tensor] | None:
    """The user's function. What it gives must have the shape that it was given."""
    if job.augment is None:
        return None
    function: Any = user_code.load(job.augment, job.roots(folder))

    def augment(x_BS: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        augmented = function(x_BS, generator)
        if not isinstance(augmented, torch.Tensor) or augmented.shape != x_BS.shape:
            found = tuple(augmented.shape) if isinstance(augmented, torch.Tensor) else type(augmented).__name__
            raise ModelError(
                f"augment {job.augment} gave {found} for features of shape {tuple(x_BS.shape)}",
                "it must return features of the shape that it is given",
            )
        return augmented

    return augment
