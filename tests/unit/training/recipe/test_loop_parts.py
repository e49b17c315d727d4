"""How a network lies in memory while it descends."""

import copy
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch.nn import functional

from training.job import Job
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.loop_parts import LoopInputs, make_loop
from training.recipe.sgd import Loop, make_repeatable

JOB = Job(model="cnn", model_arguments={"channels": [4, 5]}, epochs=2, batch_size=8, learning_rate=0.1, momentum=0.9)


def rows() -> TensorRows:
    own = torch.Generator().manual_seed(9)
    features = torch.randn(20, 2, 6, 6, generator=own)
    return TensorRows(features, (features.mean(dim=(1, 2, 3)) > 0).long())


def loop_of(job: Job = JOB) -> Loop:
    data = rows()
    dataset = Dataset("images", "classification", data, (2, 6, 6), classes=("no", "yes"))
    return make_loop(job, LoopInputs(dataset, data, None, Path()), make_repeatable(job))


def test_a_convolution_has_its_channels_last_while_it_descends_and_gives_the_loss_curve_of_channels_first() -> None:
    ours = loop_of()
    net = ours.net
    theirs = copy.deepcopy(net).to(memory_format=torch.contiguous_format)
    weight = dict(net.named_parameters())["convolutions.0.weight"]
    assert weight.is_contiguous(memory_format=torch.channels_last)
    for _ in ours.epochs():
        pass

    optimizer, generator, curve = torch.optim.SGD(theirs.parameters(), 0.1, 0.9), make_repeatable(JOB), []
    data = ours.rows
    assert isinstance(data, TensorRows)
    for _ in range(JOB.epochs):
        summed = 0.0
        for chosen in torch.split(torch.randperm(len(data), generator=generator), JOB.batch_size):
            optimizer.zero_grad()
            mean = functional.cross_entropy(theirs(data.features[chosen]), data.target[chosen])
            torch.autograd.backward(mean)
            optimizer.step()
            summed += mean.item() * len(chosen)
        curve.append(summed / len(data))
    assert [entry["loss"] for entry in ours.state.history] == pytest.approx(curve, rel=1e-4)
    assert all(one.is_contiguous() for one in ours.result().model.parameters()), "what is exported lies as ever"


def test_its_checkpoint_goes_on_to_the_same_bits() -> None:
    undisturbed, first, again = loop_of(), loop_of(), loop_of()
    for _ in undisturbed.epochs():
        pass
    for _ in first.epochs():
        break
    again.load_state_dict(
        copy.deepcopy(first.state), safetensors.torch.load(safetensors.torch.save(first.state_dict()))
    )
    for _ in again.epochs():
        pass

    assert safetensors.torch.save(again.state_dict()) == safetensors.torch.save(undisturbed.state_dict())
