"""The written-out gradient against torch's own loop; its promises of bits; and what it leaves to the plain runner."""

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import safetensors.torch
import torch
from torch import nn
from torch.nn import functional

from training.errors import NonFiniteLossError
from training.job import Job
from training.recipe import fused, sgd
from training.recipe.datasets.dataset import TensorRows
from training.recipe.losses import make_loss
from training.recipe.models.mlp import Mlp
from training.recipe.models.net import Net

JOB = Job(epochs=6, batch_size=8, learning_rate=0.05, seed=3)
NETS: dict[str, Callable[[], nn.Module]] = {
    "net": lambda: Net(4, 3),
    "mlp": lambda: Mlp(4, 3, hidden=(7, 5)),
    "linear": lambda: Mlp(4, 3, hidden=()),
    "flattened": lambda: nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)),
}
SETTINGS: tuple[dict[str, object], ...] = (
    {},
    {"weight_decay": 0.1},
    {"momentum": 0.9},
    {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    {"gradient_clip": 0.1},
)

WEIGHTED = make_loss("crossEntropy", torch.tensor([0.8, 1.0, 1.5]))
LOSSES = (
    functional.mse_loss, functional.l1_loss, functional.huber_loss, functional.smooth_l1_loss,
    functional.cross_entropy, WEIGHTED,
)  # fmt: skip


@pytest.fixture(params=["small", "large"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By NumPy, or by torch."""
    if request.param == "large":
        monkeypatch.setattr(fused, "SMALL_PRODUCT", 0)
    return str(request.param)


def rows(loss: object) -> TensorRows:
    """21 rows, which batches of 8 do not divide."""
    own = torch.Generator().manual_seed(99)
    features = torch.randn(21, 4, generator=own)
    classes = loss is functional.cross_entropy or loss is WEIGHTED
    target = features.argmax(dim=1) % 3 if classes else features[:, :3] * 2
    return TensorRows(features, target)


def loop_of(job: Job, net: str = "mlp", loss: Callable[..., torch.Tensor] = functional.mse_loss) -> sgd.Loop:
    generator = sgd.make_repeatable(job)
    return sgd.Loop(job, NETS[net](), rows(loss), generator, loss)


def bits(loop: sgd.Loop) -> list[bytes]:
    return [tensor.detach().numpy().tobytes() for tensor in loop.state_dict().values()]


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_curve_and_the_weights_are_torch_s_own(
    net: str, settings: dict[str, object], loss: Callable[..., torch.Tensor]
) -> None:
    job = replace(JOB, **settings)  # type: ignore[arg-type]
    loop = loop_of(job, net, loss)
    theirs = copy.deepcopy(loop.net)
    for _ in loop.epochs():
        pass

    generator = sgd.make_repeatable(job)
    optimizer = torch.optim.SGD(
        theirs.parameters(), job.learning_rate, job.momentum, weight_decay=job.weight_decay, nesterov=job.nesterov
    )
    data, curve = rows(loss), []
    for _ in range(job.epochs):
        summed = 0.0
        for chosen in torch.split(torch.randperm(len(data), generator=generator), job.batch_size):
            optimizer.zero_grad()
            mean = loss(theirs(data.features[chosen]), data.target[chosen])
            torch.autograd.backward(mean)
            if job.gradient_clip is not None:
                torch.nn.utils.clip_grad_norm_(theirs.parameters(), job.gradient_clip)
            optimizer.step()
            summed += mean.item() * len(chosen)
        curve.append(summed / len(data))
    assert fused.find_dense_layers(theirs) is not None
    assert [entry["loss"] for entry in loop.state.history] == pytest.approx(curve, rel=1e-5)
    torch.testing.assert_close(loop.net.state_dict(), theirs.state_dict(), rtol=1e-4, atol=1e-6)
    assert curve[-1] < curve[0]


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_run_that_went_on_from_its_checkpoint_between_any_two_steps_has_the_bits_of_an_undisturbed_one(
    momentum: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = replace(JOB, momentum=momentum)
    undisturbed = loop_of(job)
    for _ in undisturbed.epochs():
        pass

    monkeypatch.setattr(sgd, "STRETCH_OPERATIONS", 1)
    loop = loop_of(job)
    stops = 0
    while not loop.stop_reason:
        for _ in loop.epochs():
            saved, state = safetensors.torch.save(loop.state_dict()), copy.deepcopy(loop.state)
            loop = loop_of(job)
            loop.load_state_dict(state, safetensors.torch.load(saved))
            stops += 1
            break
    assert stops == 3 * job.epochs
    assert bits(loop) == bits(undisturbed)
    assert loop.state == undisturbed.state


@pytest.mark.parametrize("batch_size", [1, 2, 20, 21, 22])
def test_any_size_of_a_batch_goes(batch_size: int, size: str) -> None:
    first, again = (loop_of(replace(JOB, batch_size=batch_size)) for _ in range(2))
    for loop in (first, again):
        for _ in loop.epochs():
            pass

    assert bits(first) == bits(again), size
    assert first.state.history[-1]["loss"] < first.state.history[0]["loss"]


def test_the_parameters_stay_the_network_s_own() -> None:
    net = Mlp(4, 3)
    before = {name: (one, one.detach().clone()) for name, one in net.named_parameters()}
    sgd.Loop(JOB, net, rows(None), sgd.make_repeatable(JOB), functional.mse_loss)

    for name, one in net.named_parameters():
        assert one is before[name][0]
        assert one.equal(before[name][1])
        assert one.data_ptr() % 64 == 0, "as a tensor of its own begins"


@pytest.mark.parametrize("loss", LOSSES)
def test_a_descent_into_the_infinite_is_told_in_words_and_by_no_warning(loss: Callable[..., torch.Tensor]) -> None:
    """Warnings are errors here."""
    loop = loop_of(replace(JOB, learning_rate=1e38), "mlp", loss)

    with pytest.raises(NonFiniteLossError):
        for _ in loop.epochs():
            pass


class Doubled(Mlp):
    def forward(self, x_BS: torch.Tensor) -> torch.Tensor:  # noqa: N803
        return 2 * super().forward(x_BS)


def hooked() -> nn.Module:
    net = Mlp(4, 3)
    net.output.register_forward_hook(lambda module, given, answer: answer * 2)
    return net


def frozen() -> nn.Module:
    net = Mlp(4, 3)
    net.output.bias.requires_grad_(False)
    return net


def twice() -> nn.Module:
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.ReLU(), layer)


@pytest.mark.parametrize(
    "net",
    [
        Doubled(4, 3),
        hooked(),
        frozen(),
        twice(),
        nn.Linear(4, 3),
        nn.Sequential(),
        nn.Sequential(nn.Linear(4, 3), nn.ReLU()),
        nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)),
        nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.Linear(4, 3)),
        nn.Sequential(nn.Linear(4, 3, bias=False)),
        nn.Sequential(nn.Linear(4, 3)).double(),
        nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))),
    ],
    ids=lambda net: type(net).__name__,
)
def test_what_is_more_or_less_than_dense_layers_is_left_alone(net: nn.Module) -> None:
    assert fused.find_dense_layers(net) is None


def test_weights_whose_sum_is_too_large_are_finite_and_one_that_is_not_is_found() -> None:
    net = nn.Linear(1, 2)
    with torch.no_grad():
        net.weight.fill_(3e38)
    assert sgd.is_finite(net)
    for value in (math.nan, math.inf):
        with torch.no_grad():
            net.bias[0] = value
        assert not sgd.is_finite(net)
