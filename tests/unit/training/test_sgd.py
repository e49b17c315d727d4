"""The loop against torch's own optimizer, and its promises: repeatable, resumable, stopping when it should."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from training import models, sgd
from training.errors import NonFiniteLossError
from training.job import Job

JOB = Job(epochs=7, batch_size=8, learning_rate=0.05, seed=3)


def rows(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """21 rows, which batches of 8 do not divide."""
    own = torch.Generator().manual_seed(99)
    features = torch.randn(21, 4, generator=own)
    if kind == "regression":
        return features, features.sum(dim=1, keepdim=True)
    return features, features.argmax(dim=1) % 3


def outputs(kind: str) -> int:
    return 1 if kind == "regression" else 3


def descend(job: Job, kind: str = "regression") -> tuple[nn.Module, sgd.Position, str, list[float]]:
    generator = sgd.make_repeatable(job)
    net, position, losses = models.Net(4, outputs(kind)), sgd.Position(), list[float]()
    stop_reason = sgd.descend(net, *rows(kind), job, generator, position, lambda: losses.append(position.loss))
    return net, position, stop_reason, losses


def bits(net: nn.Module) -> list[bytes]:
    return [parameter.detach().numpy().tobytes() for parameter in net.parameters()]


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_every_bit_is_what_torch_s_own_optimizer_gives(kind: str) -> None:
    ours, _, _, losses = descend(JOB, kind)

    generator = sgd.make_repeatable(JOB)
    theirs = models.Net(4, outputs(kind))
    optimizer = torch.optim.SGD(theirs.parameters(), lr=JOB.learning_rate)
    loss_function: nn.Module = nn.MSELoss() if kind == "regression" else nn.CrossEntropyLoss()
    features, target = rows(kind)
    for _ in range(JOB.epochs):
        order = torch.randperm(len(features), generator=generator)
        for start in range(0, len(features), JOB.batch_size):
            chosen = order[start : start + JOB.batch_size]
            optimizer.zero_grad()
            loss_function(theirs(features[chosen]), target[chosen]).backward()
            optimizer.step()
    assert bits(ours) == bits(theirs)
    assert losses[-1] < losses[0]


def test_two_runs_are_equal_bit_for_bit_and_another_seed_is_not() -> None:
    first, _, _, losses = descend(JOB)
    again, _, _, losses_again = descend(JOB)
    other, _, _, _ = descend(replace(JOB, seed=4))

    assert bits(first) == bits(again)
    assert losses == losses_again
    assert bits(first) != bits(other)


@pytest.mark.parametrize("epoch", range(1, JOB.epochs + 1))
def test_a_run_stopped_after_any_epoch_goes_on_as_if_it_had_never_stopped(epoch: int) -> None:
    whole, _, _, losses = descend(JOB)
    generator = sgd.make_repeatable(JOB)
    net, position = models.Net(4, 1), sgd.Position()
    sgd.descend(net, *rows("regression"), replace(JOB, epochs=epoch), generator, position, lambda: None)
    saved = {name: tensor.clone() for name, tensor in sgd.state(net, generator).items()}

    generator = sgd.make_repeatable(JOB)
    net, resumed, seen = models.Net(4, 1), sgd.Position(position.epoch, position.loss), list[float]()
    sgd.restore(net, generator, saved)
    sgd.descend(net, *rows("regression"), JOB, generator, resumed, lambda: seen.append(resumed.loss))

    assert bits(net) == bits(whole)
    assert seen == losses[epoch:]


def test_training_is_repeatable_by_torch_s_own_word() -> None:
    sgd.make_repeatable(replace(JOB, threads=1))

    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1


def test_it_stops_after_the_first_epoch_at_or_below_stop_loss() -> None:
    _, _, _, losses = descend(JOB)

    _, position, stop_reason, seen = descend(replace(JOB, stop_loss=losses[3]))

    assert (position.epoch, stop_reason) == (4, "stopLoss")
    assert seen == losses[:4]


def test_a_resumed_run_that_had_reached_stop_loss_does_no_further_epoch() -> None:
    generator = sgd.make_repeatable(JOB)
    position = sgd.Position(epoch=2, loss=0.1)

    reason = sgd.descend(
        models.Net(4, 1), *rows("regression"), replace(JOB, stop_loss=0.1), generator, position, lambda: None
    )

    assert (position.epoch, reason) == (2, "stopLoss")


def test_all_epochs_done_is_the_other_reason() -> None:
    _, position, stop_reason, _ = descend(replace(JOB, stop_loss=1e-9))

    assert (position.epoch, stop_reason) == (JOB.epochs, "epochs")


def test_a_batch_larger_than_the_data_is_all_rows() -> None:
    large, _, _, _ = descend(replace(JOB, batch_size=1_000_000))
    exact, _, _, _ = descend(replace(JOB, batch_size=21))

    assert bits(large) == bits(exact)


@pytest.mark.parametrize("learning_rate", [1e4, 1e30])
def test_a_loss_that_is_no_number_stops_it_with_advice_before_anything_is_saved(learning_rate: float) -> None:
    generator = sgd.make_repeatable(JOB)
    net, position, losses = models.Net(4, 1), sgd.Position(), list[float]()
    job = replace(JOB, learning_rate=learning_rate, epochs=1000)

    with pytest.raises(NonFiniteLossError, match=r"learningRate .*\nhint: lower learningRate, for instance to"):
        sgd.descend(net, *rows("regression"), job, generator, position, lambda: losses.append(position.loss))

    assert all(map(math.isfinite, losses))


def test_weights_that_break_in_an_epoch_s_last_step_are_found_though_its_loss_is_finite() -> None:
    generator = sgd.make_repeatable(JOB)
    features, target = rows("regression")
    job = replace(JOB, batch_size=21, learning_rate=1e38)

    with pytest.raises(NonFiniteLossError, match="weights became NaN or infinite after epoch 1 "):
        sgd.descend(models.Net(4, 1), features * 100, target * 100, job, generator, sgd.Position(), lambda: None)
