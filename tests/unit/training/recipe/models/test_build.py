"""Networks by name or of the user's own, and the form in which they are deployed: raw in, the target's own unit out."""

import textwrap
from pathlib import Path

import pytest
import torch

from training.errors import ModelError
from training.job import Job
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.models import build as models
from training.recipe.models.net import Net
from training.recipe.scaling import Scale, Scales


def dataset(task: str = "regression", features: int = 2, classes: int = 0) -> Dataset:
    rows = TensorRows(torch.randn(6, features), torch.zeros(6, 1))
    names = tuple(f"x{at}" for at in range(features))
    return Dataset("set", task, rows, (features,), names, tuple(map(str, range(classes))))  # type: ignore[arg-type]


def scale(columns: torch.Tensor) -> Scale:
    return Scale.of(columns.mean(0), columns.std(0, correction=0))


@pytest.fixture
def own(tmp_path: Path) -> str:
    """A module of the user's. Its name is the test's own, since Python keeps modules by name."""
    name = f"own_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(
        textwrap.dedent("""
        import torch
        from torch import nn

        class Linear(nn.Module):
            def __init__(self, features, outputs, bias=True):
                super().__init__()
                self.layer = nn.Linear(features, outputs, bias=bias)
            def forward(self, x):
                return self.layer(x)

        class Raises(nn.Module):
            def __init__(self):
                raise ValueError("no such width")

        class Wide(nn.Linear):
            def __init__(self, features):
                super().__init__(features, 7)

        class Breaks(nn.Module):
            def forward(self, x):
                return x @ torch.ones(3, 3)

        class Several(nn.Module):
            def forward(self, x):
                return x, x

        def number():
            return 5
        """)
    )
    return name


def test_net_is_features_20_outputs() -> None:
    net = models.build(Job(), dataset("classification", 64, 10), Path())

    assert [tuple(parameter.shape) for parameter in net.parameters()] == [(20, 64), (20,), (10, 20), (10,)]


def test_a_user_s_class_gets_what_its_constructor_takes_by_name(tmp_path: Path, own: str) -> None:
    job = Job(model=f"{own}:Linear", model_arguments={"bias": False})

    net = models.build(job, dataset("classification", 5, 3), tmp_path)

    assert [tuple(parameter.shape) for parameter in net.parameters()] == [(3, 5)]


def test_two_classes_with_bce_need_one_output(tmp_path: Path, own: str) -> None:
    net = models.build(Job(model=f"{own}:Linear", loss="bce"), dataset("classification", 5, 2), tmp_path)

    assert net(torch.zeros(4, 5)).shape == (4, 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Raises", ["ValueError", "modelArguments"]),
        ("number", ["int", "torch.nn.Module"]),
        ("Absent", ["does not define Absent", "Linear"]),
    ],
)
def test_what_cannot_be_built_is_said_with_the_way_out(tmp_path: Path, own: str, name: str, words: list[str]) -> None:
    with pytest.raises(ModelError) as refused:
        models.build(Job(model=f"{own}:{name}"), dataset(), tmp_path)

    for word in words:
        assert word in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Wide", ["shape (6, 7)", "(6, 1)", "outputs"]),
        ("Breaks", ["RuntimeError", "shape (6, 2)"]),
        ("Several", ["a tuple"]),
    ],
)
def test_an_answer_that_does_not_fit_the_loss_is_refused_before_training(
    tmp_path: Path, own: str, name: str, words: list[str]
) -> None:
    job, data = Job(model=f"{own}:{name}"), dataset()
    net = models.build(job, data, tmp_path)

    with pytest.raises(ModelError) as refused:
        models.check_answer(net, job, data, torch.zeros(6, 2))

    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("loss", "task", "classes", "way_out"),
    [("mse", "classification", 3, "'crossEntropy'"), ("crossEntropy", "regression", 0, "'mae'"),
     ("bce", "classification", 3, "'crossEntropy'")],
)  # fmt: skip
def test_a_loss_that_does_not_fit_the_task_is_refused(loss: str, task: str, classes: int, way_out: str) -> None:
    with pytest.raises(ModelError, match=f"loss is '{loss}'") as refused:
        models.find_loss_name(Job(loss=loss), dataset(task, classes=classes))

    assert way_out in refused.value.hint


def test_a_deployed_regression_takes_raw_features_and_answers_in_the_target_s_unit() -> None:
    torch.manual_seed(0)
    net = Net(2, 1)
    features = torch.tensor([[10.0, 200.0], [30.0, 400.0], [20.0, 900.0]])
    target = torch.tensor([[1000.0], [3000.0], [2000.0]])

    answer = models.DeployedModel(net, Scales(scale(features), scale(target)), "regression", 1)(features)

    by_hand = net((features - features.mean(0)) / features.std(0, correction=0)) * target.std(correction=0) + 2000
    assert torch.allclose(answer, by_hand, rtol=1e-6)


def test_a_missing_value_is_answered_as_the_mean() -> None:
    features = torch.tensor([[10.0, 200.0], [30.0, 400.0], [20.0, 900.0]])
    deployed = models.DeployedModel(Net(2, 1), Scales(scale(features), None), "classification", 1)

    assert torch.equal(
        deployed(torch.tensor([[torch.nan, 400.0]])), deployed(torch.tensor([[20.0, 400.0]]))
    )  # fmt: skip


@pytest.mark.parametrize(("outputs", "classes"), [(4, 4), (1, 2)])
def test_a_deployed_classifier_answers_probabilities(outputs: int, classes: int) -> None:
    features = torch.rand(5, 3)

    deployed = models.DeployedModel(Net(3, outputs), Scales(scale(features), None), "classification", outputs)
    answer = deployed(features)

    assert answer.shape == (5, classes)
    assert torch.allclose(answer.sum(dim=1), torch.ones(5))
    assert bool((answer >= 0).all())
