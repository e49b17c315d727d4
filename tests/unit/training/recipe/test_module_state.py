"""Networks with state that `state_dict` leaves out: an interrupted run ends with the same bits all the same."""

import copy
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from tests.unit.training.recipe.test_sgd import JOB, LOSSES, bits, network_of, rows, run
from training.errors import ModelError
from training.recipe import sgd
from training.recipe.module_state import read_other_state, refuse_another, refuse_what_changes, seed_all


class Base(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def factor(self, x: torch.Tensor) -> float | torch.Tensor:
        return 1.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) * (self.factor(x) if self.training else 1.0)  # type: ignore[no-any-return]


class Counter(Base):
    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def factor(self, x: torch.Tensor) -> float:
        self.steps += 1
        return 1 / self.steps


class OwnGenerator(Base):
    def __init__(self) -> None:
        super().__init__()
        self.chance = torch.Generator().manual_seed(5)

    def factor(self, x: torch.Tensor) -> torch.Tensor:
        return torch.rand(1, generator=self.chance)


class NonPersistent(Base):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(4), persistent=False)

    def factor(self, x: torch.Tensor) -> torch.Tensor:
        self.mean: torch.Tensor = self.mean * 0.9 + x.detach().mean(dim=0)
        return self.mean.sum()


class PlainTensor(Base):
    def __init__(self) -> None:
        super().__init__()
        self.last = torch.zeros(1)

    def factor(self, x: torch.Tensor) -> torch.Tensor:
        self.last = self.last + x.detach().sum()
        return self.last


class PythonsRandom(Base):
    def factor(self, x: torch.Tensor) -> float:
        return random.random() + random.gauss(0, 1)


class NumPys(Base):
    def factor(self, x: torch.Tensor) -> float:
        return float(np.random.rand() + np.random.randn())


class NumPyGenerators(Base):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = np.random.default_rng(1), np.random.Generator(np.random.Philox(2))
        self.third, self.fourth = np.random.RandomState(3), random.Random(4)

    def factor(self, x: torch.Tensor) -> float:
        drawn = self.first.random() + self.second.random() + self.third.randn() + self.fourth.random()
        return float(drawn)


NETWORKS = [Counter, OwnGenerator, NonPersistent, PlainTensor, PythonsRandom, NumPys, NumPyGenerators]


def loop_of(network: Callable[[], nn.Module]) -> sgd.Loop:
    job = replace(JOB, epochs=4, learning_rate=0.001)
    generator = sgd.make_repeatable(job)
    return sgd.Loop(job, network(), rows(), generator, LOSSES["regression"])


@pytest.mark.parametrize("network", NETWORKS, ids=lambda one: str(one.__name__))
def test_a_killed_run_goes_on_bit_for_bit_and_two_runs_are_equal(network: type[nn.Module]) -> None:
    calm = loop_of(network)
    run(calm)
    again = loop_of(network)
    run(again)
    assert bits(network_of(again)) == bits(network_of(calm))

    killed = loop_of(network)
    for _ in killed.epochs():
        if killed.state.epoch == 2:
            break
    kept, state = safetensors.torch.save(killed.state_dict()), copy.deepcopy(killed.state)
    run(killed)  # what it goes on to do is no business of the checkpoint
    seed_all(99)
    resumed = loop_of(network)
    resumed.load_state_dict(state, safetensors.torch.load(kept))
    run(resumed)

    assert bits(network_of(resumed)) == bits(network_of(calm))
    for name, value in read_other_state(network_of(calm)).items():
        assert torch.equal(value, read_other_state(network_of(resumed))[name]), name


class Remembers(Base):
    def __init__(self) -> None:
        super().__init__()
        self.history: list[float] = []

    def factor(self, x: torch.Tensor) -> float:
        self.history.append(float(x.sum()))
        return 1.0


def test_a_list_that_changes_is_refused_before_the_first_step() -> None:
    net = Remembers()
    with pytest.raises(ModelError, match=r"changes its history, a list, during training: .*\nhint: keep it in a"):
        refuse_what_changes(net, "mine:Net", lambda: net(torch.ones(2, 4)))

    for quiet in (nn.GRU(4, 3), nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)), Counter()):
        refuse_what_changes(quiet, "torch's", lambda quiet=quiet: quiet(torch.ones(2, 4)))  # type: ignore[misc]


class Unseeded(Base):
    def __init__(self) -> None:
        super().__init__()
        self.chance = np.random.default_rng()


class OfTheClock(Base):
    def __init__(self) -> None:
        super().__init__()
        with torch.no_grad():
            self.layer.weight += float(np.random.default_rng().random())


@pytest.mark.parametrize(("network", "what"), [(Unseeded, "chance"), (OfTheClock, "layer.weight")])
def test_what_no_seed_reaches_is_refused(network: type[nn.Module], what: str) -> None:
    def built() -> nn.Module:
        seed_all(3)
        return network()

    with pytest.raises(ModelError, match=f"the constructor of mine:Net makes another {what} each time"):
        refuse_another(built(), built(), "mine:Net")


@pytest.mark.parametrize("network", NETWORKS, ids=lambda one: str(one.__name__))
def test_two_networks_that_a_seed_makes_equal_are(network: type[nn.Module]) -> None:
    networks = []
    for _ in range(2):
        seed_all(3)
        networks.append(network())
    refuse_another(networks[0], networks[1], "mine:Net")


def test_a_lazy_network_is_no_surprise() -> None:
    refuse_another(nn.Sequential(nn.LazyLinear(2)), nn.Sequential(nn.LazyLinear(2)), "mine:Net")
