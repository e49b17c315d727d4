"""The loop against torch's own optimizer, and its promises: repeatable, resumable, stopping when it should."""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import nn
from torch.nn import functional

from training import progress
from training.errors import ModelError, NonFiniteLossError
from training.job import Job
from training.options import EarlyStopping, Schedule
from training.recipe import sgd, step
from training.recipe.datasets.dataset import TensorRows
from training.recipe.fused import find_dense_layers
from training.recipe.losses import make_loss
from training.recipe.schedule import Rates
from training.recipe.trainer_state import TrainerState
from training.recipe.weights import freeze

JOB = Job(epochs=7, batch_size=8, learning_rate=0.05, seed=3)
LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "regression": functional.mse_loss,
    "classification": functional.cross_entropy,
}


def network(outputs: int = 1, dropout: float = 0.0) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 20), nn.ReLU(), nn.Dropout(dropout), nn.Linear(20, outputs))


def rows(kind: str = "regression") -> TensorRows:
    """21 rows, which batches of 8 do not divide."""
    own = torch.Generator().manual_seed(99)
    features = torch.randn(21, 4, generator=own)
    target = features.sum(dim=1, keepdim=True) if kind == "regression" else features.argmax(dim=1) % 3
    return TensorRows(features, target)


def loop_of(job: Job, kind: str = "regression", dropout: float = 0.0, **more: object) -> sgd.Loop:
    generator = sgd.make_repeatable(job)
    net = network(1 if kind == "regression" else 3, dropout)
    return sgd.Loop(job, net, rows(kind), generator, LOSSES[kind], **more)  # type: ignore[arg-type]


def run(loop: sgd.Loop) -> str:
    """To its end; why it stopped."""
    for _ in loop.epochs():
        pass
    return loop.stop_reason


def network_of(loop: sgd.Loop) -> nn.Module:
    return loop.net


def bits(net: nn.Module) -> list[bytes]:
    return [tensor.detach().numpy().tobytes() for tensor in net.state_dict().values()]


@pytest.mark.parametrize("kind", ["regression", "classification"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        {"weight_decay": 0.1},
    ],
    ids=str,
)
def test_every_bit_is_what_torch_s_own_optimizer_gives(kind: str, settings: dict[str, float]) -> None:
    job = replace(JOB, **settings)  # type: ignore[arg-type]
    loop = loop_of(job, kind)
    theirs = copy.deepcopy(network_of(loop))
    run(loop)

    generator = sgd.make_repeatable(job)
    optimizer = torch.optim.SGD(
        theirs.parameters(),
        lr=job.learning_rate,
        momentum=job.momentum,
        nesterov=job.nesterov,
        weight_decay=job.weight_decay,
    )
    data = rows(kind)
    for _ in range(job.epochs):
        order = torch.randperm(len(data), generator=generator)
        for chosen in torch.split(order, job.batch_size):
            optimizer.zero_grad()
            torch.autograd.backward(LOSSES[kind](theirs(data.features[chosen]), data.target[chosen]))
            optimizer.step()
    assert bits(network_of(loop)) == bits(theirs)
    losses = [entry["loss"] for entry in loop.state.history]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("settings", [{}, {"accumulate_steps": 2}], ids=str)
@pytest.mark.parametrize("dropout", [None, 0.0], ids=["fused", "plain"])
def test_with_class_weights_the_training_loss_is_torch_s_weighted_mean_over_all_rows(
    settings: dict[str, int], dropout: float | None
) -> None:
    """And not a mean of batches' means: a batch of rare rows weighs more than one of frequent rows."""
    weights_K = torch.tensor([1.0, 20.0, 0.1])
    weighted = make_loss("crossEntropy", weights_K)
    job = replace(JOB, epochs=1, learning_rate=1e-12, **settings)  # type: ignore[arg-type]
    generator = sgd.make_repeatable(job)
    net = network(3) if dropout is not None else nn.Sequential(nn.Linear(4, 20), nn.ReLU(), nn.Linear(20, 3))
    data = rows("classification")
    expected = nn.CrossEntropyLoss(weights_K)(net(data.features), data.target).item()
    looks = list[float | None]()

    loop = sgd.Loop(job, net, data, generator, weighted, lambda y_B: weights_K[y_B].sum().item())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sgd, "STRETCH_OPERATIONS", 1)
        for _ in loop.epochs():
            looks.append(progress.find_loss(loop.state))

    assert (find_dense_layers(net) is None) == (dropout is not None)
    assert loop.state.loss == pytest.approx(expected, rel=1e-5)
    assert looks[-1] == loop.state.loss
    assert len(looks) > 1, "and what is shown within the epoch is one too"
    assert all(0 < one < 20 for one in looks if one is not None)


Scheduler = torch.optim.lr_scheduler.LRScheduler
ALL = {"momentum": 0.9, "nesterov": True, "weight_decay": 0.05, "gradient_clip": 0.4}
TORCH_S: dict[str, tuple[Job, Callable[[torch.optim.SGD], Scheduler] | None, bool]] = {
    "plain": (JOB, None, False),
    "clip": (replace(JOB, gradient_clip=0.3), None, False),
    "momentum and clip": (replace(JOB, momentum=0.9, gradient_clip=0.3), None, False),
    "all together": (replace(JOB, **ALL), None, False),  # type: ignore[arg-type]
    "a step schedule": (
        replace(JOB, momentum=0.9, schedule=Schedule("step", step_epochs=2, factor=0.5)),
        lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5),
        False,
    ),
    "a cosine": (
        replace(JOB, momentum=0.9, schedule=Schedule("cosine", minimum=0.001)),
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, JOB.epochs, 0.001),
        False,
    ),
    "a warm-up": (
        replace(JOB, schedule=Schedule(warmup_epochs=2)),
        lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 6)),
        True,
    ),
}
"""Each with torch's own schedule, if there is one, and whether that goes on with each step rather than each epoch."""


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "crossEntropy", "bce", "weighted crossEntropy"])
@pytest.mark.parametrize("way", ["written out", "augmented", "augmented and frozen"])
@pytest.mark.parametrize("case", TORCH_S)
def test_after_each_step_the_weights_are_those_of_torch_s_optimizer_and_schedule(
    case: str, way: str, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dense network that all of is trained and whose rows stay as they are has its gradient written out."""
    monkeypatch.setattr(sgd, "STRETCH_OPERATIONS", 1)
    job, schedule_of, by_step = TORCH_S[case]
    kind = "classification" if "Entropy" in loss or loss == "bce" else "regression"
    data = rows(kind)
    if loss == "bce":
        data = TensorRows(data.features, data.target.clamp(max=1))
    weights = torch.tensor([0.2, 1.0, 5.0]) if "weighted" in loss else None
    function = make_loss(loss.removeprefix("weighted "), weights)
    generator = sgd.make_repeatable(job)
    net = network(3 if "Entropy" in loss else 1)
    augment = None if way == "written out" else noisy
    if augment is None:
        net = nn.Sequential(net[0], net[1], net[3])  # type: ignore[index]
    assert (find_dense_layers(net) is not None) == (augment is None)
    freeze(net, ["0."] if "frozen" in way else [])
    theirs = copy.deepcopy(net)

    def their_steps() -> Iterator[None]:
        drawing = torch.Generator().manual_seed(job.seed)
        noise = torch.Generator().manual_seed(job.seed)
        optimizer = torch.optim.SGD(
            [one for one in theirs.parameters() if one.requires_grad], job.learning_rate, job.momentum,
            nesterov=job.nesterov, weight_decay=job.weight_decay,
        )  # fmt: skip
        scheduler = schedule_of(optimizer) if schedule_of else None
        for _ in range(job.epochs):
            for chosen in torch.split(torch.randperm(len(data), generator=drawing), job.batch_size):
                optimizer.zero_grad()
                chosen_rows = data.features[chosen] if augment is None else augment(data.features[chosen], noise)
                torch.autograd.backward(function(theirs(chosen_rows), data.target[chosen]))
                if job.gradient_clip is not None:
                    torch.nn.utils.clip_grad_norm_(theirs.parameters(), job.gradient_clip)
                optimizer.step()
                if scheduler is not None and by_step:
                    scheduler.step()
                yield
            if scheduler is not None and not by_step:
                scheduler.step()

    steps = 0
    mine = sgd.Loop(job, net, data, generator, function, augment=augment).epochs()
    for _ in zip(mine, their_steps(), strict=True):
        for one, other in zip(net.parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)
        steps += 1
    assert steps == 3 * job.epochs


ACCUMULATED: list[dict[str, object]] = [
    {"batch_size": 4, "accumulate_steps": 2},
    {"batch_size": 4, "accumulate_steps": 2, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    {"batch_size": 3, "accumulate_steps": 3, "momentum": 0.9, "gradient_clip": 0.5},
    {"batch_size": 2, "accumulate_steps": 5, "schedule": Schedule("cosine", warmup_epochs=2)},
    {"batch_size": 8, "accumulate_steps": 50},
]


@pytest.mark.parametrize("kind", ["regression", "classification"])
@pytest.mark.parametrize("settings", ACCUMULATED, ids=str)
def test_accumulated_gradients_step_as_torch_s_own_optimizer_does_over_so_many_batches(
    kind: str, settings: dict[str, object]
) -> None:
    """Each loss is scaled by its share of the group's rows, as one does by hand; groups end with the epoch."""
    job = replace(JOB, **settings)  # type: ignore[arg-type]
    loop = loop_of(job, kind)
    theirs = copy.deepcopy(network_of(loop))
    run(loop)

    generator = sgd.make_repeatable(job)
    optimizer = torch.optim.SGD(
        theirs.parameters(), job.learning_rate, job.momentum, nesterov=job.nesterov, weight_decay=job.weight_decay
    )
    data, steps = rows(kind), 0
    for epoch in range(job.epochs):
        groups = torch.split(torch.randperm(len(data), generator=generator), job.batch_size * job.accumulate_steps)
        for at, group in enumerate(groups):
            optimizer.zero_grad()
            optimizer.param_groups[0]["lr"] = Rates(job, len(groups)).of(epoch, at, at + 1)[0]
            for chosen in torch.split(group, job.batch_size):
                loss = LOSSES[kind](theirs(data.features[chosen]), data.target[chosen])
                torch.autograd.backward(loss * len(chosen) / len(group))
            if job.gradient_clip is not None:
                torch.nn.utils.clip_grad_norm_(theirs.parameters(), job.gradient_clip)
            optimizer.step()
            steps += 1
    assert steps == job.epochs * math.ceil(21 / (job.batch_size * job.accumulate_steps))
    for mine, other in zip(network_of(loop).parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_weighted_losses_are_accumulated_by_the_weights_of_their_classes() -> None:
    """As of one large batch, whose mean is over the weights of all its rows."""
    weights = torch.tensor([1.0, 9.0, 0.3])

    def ended(**sizes: object) -> sgd.Loop:
        weight: step.Weight = lambda target: weights[target].sum().item()  # noqa: E731
        loop = loop_of(replace(JOB, **sizes), "classification", weight=weight)  # type: ignore[arg-type]
        loop = replace(loop, loss=make_loss("crossEntropy", weights))
        run(loop)
        return loop

    small, large = ended(batch_size=4, accumulate_steps=6), ended(batch_size=21)

    for mine, other in zip(network_of(small).parameters(), network_of(large).parameters(), strict=True):
        assert torch.allclose(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9, "gradient_clip": 0.5}], ids=str)
def test_accumulated_gradients_are_those_of_one_large_batch(settings: dict[str, object]) -> None:
    """5 batches of 4 and one of 1: an average that took no heed of their rows would be another."""
    large, small = (
        loop_of(replace(JOB, **settings, **sizes))  # type: ignore[arg-type]
        for sizes in ({"batch_size": 21}, {"batch_size": 4, "accumulate_steps": 6})
    )
    run(large)
    run(small)

    for mine, other in zip(network_of(small).parameters(), network_of(large).parameters(), strict=True):
        assert torch.allclose(mine, other, rtol=1e-5, atol=1e-6)
    losses = [[entry["loss"] for entry in loop.state.history] for loop in (small, large)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_gradients_are_clipped_as_torch_clips_them() -> None:
    parameters = [torch.ones(3), torch.ones(2)]
    gradients = [torch.tensor([3.0, 4.0, 0.0]), torch.tensor([0.0, 12.0])]
    theirs = [torch.nn.Parameter(parameter.clone()) for parameter in parameters]
    for parameter, gradient in zip(theirs, gradients, strict=True):
        parameter.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    torch.optim.SGD(theirs, lr=0.5).step()

    step.update(Job(gradient_clip=1.0), parameters, [], gradients, 0.5)

    assert all(torch.allclose(one, other) for one, other in zip(parameters, theirs, strict=True))
    untouched = [torch.ones(1)]
    step.update(Job(gradient_clip=1.0), untouched, [], [torch.tensor([0.5])], 1.0)
    assert untouched[0].item() == 0.5, "shorter gradients stay as they are"


def test_schedules_are_torch_s_own() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.05)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7, eta_min=0.001)
    job = replace(JOB, schedule=replace(JOB.schedule, kind="cosine", minimum=0.001))
    for epoch in range(7):
        assert Rates(job, 3).of(epoch, 0, 3) == pytest.approx([cosine.get_last_lr()[0]] * 3)
        optimizer.step()
        cosine.step()
    stepped = replace(JOB, schedule=replace(JOB.schedule, kind="step", step_epochs=2, factor=0.5))
    assert [Rates(stepped, 1).of(epoch, 0, 1)[0] for epoch in range(5)] == [0.05, 0.05, 0.025, 0.025, 0.0125]
    warm = replace(JOB, schedule=replace(JOB.schedule, warmup_epochs=2))
    assert Rates(warm, 2).of(0, 0, 2) + Rates(warm, 2).of(1, 0, 2) == pytest.approx([0.0125, 0.025, 0.0375, 0.05])


def test_two_runs_are_equal_bit_for_bit_and_another_seed_is_not() -> None:
    first, again, other = loop_of(JOB), loop_of(JOB), loop_of(replace(JOB, seed=4))
    for loop in (first, again):
        run(loop)
    run(other)

    assert bits(network_of(first)) == bits(network_of(again))
    assert first.state == again.state
    assert bits(network_of(first)) != bits(network_of(other))


def noisy(features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return features + torch.randn(features.shape, generator=generator) * 0.1


@pytest.mark.parametrize("accumulate_steps", [0, 2])
@pytest.mark.parametrize("stretches", range(1, 21))
def test_a_run_stopped_between_any_two_stretches_goes_on_as_if_it_had_never_stopped(
    stretches: int, accumulate_steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stretches end between steps, so never within a group of accumulated batches."""
    monkeypatch.setattr(sgd, "STRETCH_OPERATIONS", 1)
    job = replace(JOB, momentum=0.9, early_stopping=EarlyStopping("loss", patience=3))
    if accumulate_steps:
        job = replace(job, batch_size=4, accumulate_steps=accumulate_steps)

    def make() -> sgd.Loop:
        loop = loop_of(job, dropout=0.2, augment=noisy)
        loop.validate = lambda: {"loss": network_of(loop)(torch.ones(1, 4)).item()}
        return loop

    whole = make()
    run(whole)
    seen = 0

    interrupted = make()
    for _ in islice(interrupted.epochs(), stretches):
        seen += 1
    if seen == stretches:
        saved = {name: tensor.clone() for name, tensor in interrupted.state_dict().items()}
        resumed = make()
        torch.manual_seed(12345)  # whatever another process drew meanwhile
        resumed.load_state_dict(copy.deepcopy(interrupted.state), saved)
        run(resumed)
        assert bits(network_of(resumed)) == bits(network_of(whole))
        assert resumed.state == whole.state
    else:
        assert whole.state.epoch < job.epochs, "only early stopping ends a run before its stretches are over"


def test_a_checkpoint_of_another_architecture_is_refused_in_words() -> None:
    loop = loop_of(JOB)
    saved = loop_of(JOB, "classification").state_dict()

    with pytest.raises(ModelError, match="the checkpoint belongs to another architecture"):
        loop.load_state_dict(TrainerState(), saved)


def test_training_is_repeatable_by_torch_s_own_word() -> None:
    sgd.make_repeatable(replace(JOB, threads=1))

    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1


def test_it_stops_after_the_first_epoch_at_or_below_stop_loss() -> None:
    whole = loop_of(JOB)
    run(whole)
    losses = [entry["loss"] for entry in whole.state.history]

    loop = loop_of(replace(JOB, stop_loss=losses[3]))

    assert run(loop) == "stopLoss"
    assert [entry["loss"] for entry in loop.state.history] == losses[:4]


def test_early_stopping_keeps_the_best_epoch_s_weights() -> None:
    values = iter([5.0, 3.0, 4.0, 2.99, 6.0, 7.0])
    kept: list[list[bytes]] = []

    def validate() -> dict[str, float]:
        kept.append(bits(network_of(loop)))
        return {"accuracy": -next(values)}

    stopping = EarlyStopping("accuracy", patience=2, minimum_change=0.1)
    loop = loop_of(replace(JOB, early_stopping=stopping), validate=validate)

    assert run(loop) == "earlyStopping"
    assert (loop.state.epoch, loop.state.best_epoch) == (4, 2), "2.99 is no change of 0.1"
    assert bits(network_of(loop)) == kept[1]


def test_early_stopping_on_a_metric_that_is_not_there_says_which_are() -> None:
    loop = loop_of(replace(JOB, early_stopping=EarlyStopping("auroc")), validate=lambda: {"mse": 1.0, "mae": 1.0})

    with pytest.raises(ModelError, match=r"'auroc'.*\nhint: allowed: mse, mae"):
        run(loop)


def test_a_resumed_run_that_had_reached_stop_loss_does_no_further_epoch() -> None:
    loop = loop_of(replace(JOB, stop_loss=0.1))
    loop.state = TrainerState(epoch=2, loss=0.1)

    assert run(loop) == "stopLoss"
    assert loop.state.epoch == 2


def test_all_epochs_done_is_the_other_reason() -> None:
    loop = loop_of(replace(JOB, stop_loss=1e-9))

    assert (run(loop), loop.state.epoch) == ("epochs", JOB.epochs)


def test_a_batch_larger_than_the_data_is_all_rows() -> None:
    large, exact = loop_of(replace(JOB, batch_size=1_000_000)), loop_of(replace(JOB, batch_size=21))
    run(large)
    run(exact)

    assert bits(network_of(large)) == bits(network_of(exact))


def test_frozen_parameters_stay() -> None:
    loop = loop_of(JOB)
    first = network_of(loop)[0]  # type: ignore[index]
    first.requires_grad_(False)
    loop = replace(loop)
    before = first.weight.clone()

    run(loop)

    assert torch.equal(first.weight, before)


@pytest.mark.parametrize("learning_rate", [1e4, 1e30])
def test_a_loss_that_is_no_number_stops_it_with_advice_before_anything_is_saved(learning_rate: float) -> None:
    loop, losses = loop_of(replace(JOB, learning_rate=learning_rate, epochs=1000)), list[float]()

    with pytest.raises(NonFiniteLossError, match=r"learningRate .*\nhint: lower learningRate, for instance to"):
        for _ in loop.epochs():
            losses.append(loop.state.loss)

    assert all(map(math.isfinite, losses))


def test_weights_that_break_in_an_epoch_s_last_step_are_found_though_its_loss_is_finite() -> None:
    loop = loop_of(replace(JOB, batch_size=21, learning_rate=1e38))
    for tensor in (loop.rows.features, loop.rows.target):  # type: ignore[attr-defined]
        tensor.mul_(100)

    with pytest.raises(NonFiniteLossError, match="weights became NaN or infinite after epoch 1 "):
        run(loop)


def test_half_the_precision_still_descends_and_keeps_weights_in_fp32() -> None:
    loop = loop_of(replace(JOB, precision="bf16"))
    run(loop)
    losses = [entry["loss"] for entry in loop.state.history]

    assert losses[-1] < losses[0]
    assert all(parameter.dtype == torch.float32 for parameter in network_of(loop).parameters())


def test_every_epoch_is_trained_in_training_mode_though_validation_leaves_the_other() -> None:
    """With train() before the loop alone, dropout and batch norm were off from the second epoch on."""
    modes: list[bool] = []

    def validate() -> dict[str, float]:
        network_of(loop).eval()
        return {"mse": 1.0}

    loop = loop_of(replace(JOB, epochs=3, early_stopping=EarlyStopping("mse")), dropout=0.5, validate=validate)
    network_of(loop).register_forward_pre_hook(lambda net, _: modes.append(net.training))

    run(loop)

    assert modes == [True] * 9


@pytest.mark.parametrize("minimum_change", [0.0, 0.5])
def test_a_tie_is_no_improvement_so_a_plateau_stops_and_its_first_epoch_is_kept(minimum_change: float) -> None:
    values = iter([3.0, 2.0, 2.0 - minimum_change, 2.0, 2.0])
    stopping = EarlyStopping("mse", patience=2, minimum_change=minimum_change)
    loop = loop_of(replace(JOB, early_stopping=stopping), validate=lambda: {"mse": next(values)})

    assert run(loop) == "earlyStopping"
    assert (loop.state.best_epoch, loop.state.epoch) == (2, 4)
