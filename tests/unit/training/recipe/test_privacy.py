"""Private descent: clipping and noise are what the theory says, chances are keyed, the budget is what others count."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from training.errors import DataError, ModelError
from training.job import Job
from training.options import Privacy, Quality
from training.recipe import privacy
from training.recipe.datasets import quality
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.loop_parts import LoopInputs, make_loop
from training.recipe.sgd import Loop, LoopResult, make_repeatable

KEY = bytes(range(32))
RANGES = {"a": (-3.0, 3.0), "b": (-3.0, 3.0), "c": (-3.0, 3.0), "target": (-9.0, 9.0)}
JOB = Job(
    epochs=4, batch_size=16, learning_rate=0.1, privacy=Privacy(noise_multiplier=1.0), quality=Quality(ranges=RANGES)
)


def dataset(count: int = 100) -> Dataset:
    features = torch.randn(count, 3, generator=torch.Generator().manual_seed(0))
    return Dataset("set", "regression", TensorRows(features, features.sum(1, keepdim=True)), (3,), ("a", "b", "c"))


def inputs(key: bytes = KEY) -> LoopInputs:
    data = dataset()
    return LoopInputs(data, data.rows, None, Path(), noise_key=key)


def mechanism(noise: float, rows: int = 100, batch: int = 16) -> privacy.Mechanism:
    return privacy.Mechanism.of(Privacy(noise_multiplier=noise, max_gradient_norm=0.5), rows, batch, 1)


def run(loop: Loop) -> LoopResult:
    for _ in loop.epochs():
        pass
    return loop.result()


def train(job: Job = JOB, key: bytes = KEY) -> list[bytes]:
    result = run(make_loop(job, inputs(key), make_repeatable(job)))
    return [one.numpy().tobytes() for one in result.model.state_dict().values()]


def test_a_gradient_is_the_sum_of_clipped_rows_over_the_expected_batch() -> None:
    """By hand: one row after another."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x, y = torch.randn(20, 3) * 3, torch.randn(20, 1) * 3
    expected = [torch.zeros_like(one) for one in net.parameters()]
    for row in range(20):
        loss = functional.mse_loss(net(x[row : row + 1]), y[row : row + 1])
        mine = torch.autograd.grad(loss, list(net.parameters()))
        norm = math.sqrt(sum(float(one.square().sum()) for one in mine))
        for total, one in zip(expected, mine, strict=True):
            total += one * min(1.0, 0.5 / norm) / 16

    gradient = privacy.make_private_gradient(
        net, functional.mse_loss, JOB, mechanism(1e-9), privacy.NoiseGenerator(KEY)
    )
    _, found = gradient(x, y)

    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(found, expected, strict=True))


def test_a_batch_without_a_row_is_noise_alone() -> None:
    net = nn.Linear(3, 1)

    gradient = privacy.make_private_gradient(net, functional.mse_loss, JOB, mechanism(2.0), privacy.NoiseGenerator(KEY))
    loss, found = gradient(torch.zeros(0, 3), torch.zeros(0, 1))

    noise = privacy.NoiseGenerator(KEY)
    assert float(loss) == 0
    assert all(torch.equal(one, noise.normal(one.shape, 2.0 * 0.5) / 16) for one in found)


def test_noise_is_normal_with_the_deviation_asked_for() -> None:
    drawn = privacy.NoiseGenerator(KEY).normal((200_000,), 3.0).double().numpy()

    assert abs(drawn.mean()) < 0.03
    assert drawn.std() == pytest.approx(3.0, rel=0.01)
    within = [np.mean(np.abs(drawn) < 3.0 * deviations) for deviations in (1, 2, 3)]
    assert within == pytest.approx([0.6827, 0.9545, 0.9973], abs=0.004)


def test_a_stream_goes_on_from_its_state_and_another_key_has_another() -> None:
    one, other = privacy.NoiseGenerator(KEY), privacy.NoiseGenerator(bytes(32))
    first = one.normal((5, 3), 1.0)
    state = one.get_state()
    second = one.normal((7,), 1.0)
    one.set_state(state)

    assert torch.equal(one.normal((7,), 1.0), second)
    assert not torch.equal(other.normal((5, 3), 1.0), first)


def test_each_row_is_in_each_batch_with_the_same_probability() -> None:
    draw = privacy.PoissonDraw(KEY, mechanism(1.0, rows=2000, batch=100))
    generator = torch.Generator().manual_seed(0)

    epochs = [draw(2000, generator) for _ in range(20)]

    sizes = np.array([len(batch) for batches in epochs for batch in batches])
    assert len(epochs[0]) == 20
    assert sizes.mean() == pytest.approx(100, abs=2)
    assert sizes.std() == pytest.approx(math.sqrt(2000 * 0.05 * 0.95), rel=0.15)
    assert not torch.equal(epochs[0][0], epochs[1][0]), "every epoch draws anew"
    again = draw(2000, torch.Generator().manual_seed(0))
    assert all(map(torch.equal, again, epochs[0]))


def test_epsilon_is_what_others_count() -> None:
    """MNIST as in Abadi et al. 2016, figure 4 (noise 4, lot of 1% of the rows, delta 1e-5): 1.26 after 100 epochs."""
    counted = privacy.Mechanism.of(Privacy(noise_multiplier=4.0), 60_000, 600, 100).epsilon(100)

    assert 1.0 < counted < 1.26


@pytest.mark.parametrize("epsilon", [0.5, 3.0, 10.0])
def test_the_noise_that_keeps_epsilon_is_hardly_more_than_needed(epsilon: float) -> None:
    chosen = privacy.Mechanism.of(Privacy(epsilon=epsilon), 1000, 50, 20)

    assert 0.95 * epsilon < chosen.epsilon(20) <= epsilon
    assert chosen.epsilon(10) < chosen.epsilon(20)


def test_the_same_key_gives_the_same_weights_and_another_key_others() -> None:
    assert train() == train()
    assert train() != train(key=bytes(32))
    assert train() != train(replace(JOB, privacy=None))


def test_a_private_run_that_was_stopped_goes_on_as_if_it_had_not() -> None:
    stopped = make_loop(JOB, inputs(), make_repeatable(JOB))
    for _ in stopped.epochs():
        if stopped.state.epoch == 2:
            break
    tensors = {name: one.clone() for name, one in stopped.state_dict().items()}
    resumed = make_loop(JOB, inputs(), make_repeatable(JOB))
    resumed.load_state_dict(stopped.state, tensors)
    result = run(resumed)

    assert [one.numpy().tobytes() for one in result.model.state_dict().values()] == train()
    assert result.spent["epsilon"] == pytest.approx(mechanism_of_job().epsilon(4))
    assert result.spent["noise_multiplier"] == 1.0


def mechanism_of_job() -> privacy.Mechanism:
    assert JOB.privacy is not None
    return privacy.Mechanism.of(JOB.privacy, 100, 16, 4)


def test_columns_are_scaled_by_what_is_known_in_public() -> None:
    scales = privacy.make_public_scales(dataset(), RANGES, "target")

    assert scales.features is not None
    assert scales.features.mean.tolist() == [0, 0, 0]
    assert scales.features.deviation.tolist() == pytest.approx([6 / math.sqrt(12)] * 3)
    with pytest.raises(DataError, match=r"quality\.ranges does not name 'b', 'target'"):
        privacy.make_public_scales(dataset(), {"a": (0, 1), "c": (0, 1)}, "target")


def test_a_message_says_how_many_columns_it_does_not_name() -> None:
    names = [f"x{at}" for at in range(9)]

    with pytest.raises(DataError, match="'x7' and 2 more; with privacy"):
        quality.demand_ranges(names, "regression", {}, "y")


def test_a_network_that_mixes_rows_is_refused() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))

    with pytest.raises(ModelError, match=r"privacy.*BatchNorm"):
        privacy.make_private_gradient(net, functional.mse_loss, JOB, mechanism(1.0), privacy.NoiseGenerator(KEY))
