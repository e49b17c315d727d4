"""The built-in networks: the answer's width, the same bits twice, an ONNX form, and what they refuse and how."""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import inspect
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from training.errors import ModelError
from training.recipe import export
from training.recipe.evaluate import compute_answers
from training.recipe.models import NETWORKS, find_network
from training.recipe.models.audio_cnn import AudioCnn
from training.recipe.models.build import DeployedModel
from training.recipe.models.cnn import Cnn
from training.recipe.models.mlp import Mlp
from training.recipe.models.net import Net
from training.recipe.models.recommender import Recommender
from training.recipe.models.text_classifier import TextClassifier
from training.recipe.scaling import Scales

K, ROWS, WORDS = 3, 9, 12


def ids(*shape: int, below: int = WORDS) -> torch.Tensor:
    return torch.randint(0, below, shape)


KINDS: dict[str, tuple[Callable[[], nn.Module], Callable[[int], torch.Tensor], int]] = {
    "net": (lambda: Net(4, K), lambda rows: torch.randn(rows, 4), K),
    "mlp": (lambda: Mlp(4, K, hidden=[8, 5]), lambda rows: torch.randn(rows, 4), K),
    "cnn": (lambda: Cnn((2, 6, 7), K, channels=[4, 5]), lambda rows: torch.randn(rows, 2, 6, 7), K),
    "textClassifier": (lambda: TextClassifier(WORDS, K, width=4), lambda rows: ids(rows, 5), K),
    "recommender": (lambda: Recommender(2, 1, users=7, items=5), lambda rows: ids(rows, 2, below=5), 1),
    "audioCnn": (lambda: AudioCnn((6, 9), K, channels=[4, 5]), lambda rows: torch.randn(rows, 6, 9), K),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def sealed_form(net: nn.Module, sample: torch.Tensor, outputs: int) -> tuple[DeployedModel, bytes]:
    task = "classification" if outputs > 1 else "regression"
    model = DeployedModel(net, Scales(None, None), task, outputs)
    return model, export.to_onnx(model, sample, task)


def after_steps(kind: str) -> list[torch.Tensor]:
    """Parameters after three steps with operations that cannot be repeated forbidden."""
    make, rows, width = KINDS[kind]
    torch.manual_seed(1)
    net, features = make(), rows(ROWS)
    target = torch.randn(ROWS, width)
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("error")
    try:
        for _ in range(3):
            gradients = torch.autograd.grad((net(features) - target).square().mean(), list(net.parameters()))
            with torch.no_grad():
                for parameter, gradient in zip(net.parameters(), gradients, strict=True):
                    parameter.sub_(0.1 * gradient)
    finally:
        torch.set_deterministic_debug_mode(before)
    return [parameter.detach().clone() for parameter in net.parameters()]


def test_every_network_that_a_job_may_name_is_there() -> None:
    assert set(KINDS) == set(NETWORKS)
    for name in NETWORKS:
        kind = find_network(name)
        assert isinstance(kind, type) and issubclass(kind, nn.Module)


@every_kind
def test_a_constructor_takes_only_what_a_data_set_offers_or_what_has_a_default(kind: str) -> None:
    offered = {"shape", "features", "outputs", "classes", "words"}

    parameters = inspect.signature(find_network(kind)).parameters.values()

    assert [one.name for one in parameters if one.default is one.empty and one.name not in offered] == []


@every_kind
@pytest.mark.parametrize("rows", [1, 2, 9])
def test_any_number_of_rows_gets_one_answer_each(kind: str, rows: int) -> None:
    make, features, width = KINDS[kind]

    assert make()(features(rows)).shape == (rows, width)


@every_kind
def test_a_descent_moves_every_parameter_and_gives_the_same_bits_twice(kind: str) -> None:
    first, second = after_steps(kind), after_steps(kind)
    torch.manual_seed(1)
    fresh = KINDS[kind][0]().parameters()

    assert all(map(torch.equal, first, second))
    assert not any(map(torch.equal, first, fresh))


@every_kind
def test_the_onnx_form_is_of_opset_17_and_answers_as_torch_does(kind: str) -> None:
    make, rows, width = KINDS[kind]
    model, content = sealed_form(make(), rows(2), width)
    features = rows(40)

    export.check(content, features, compute_answers(model, features))

    assert [one.version for one in onnx.ModelProto.FromString(content).opset_import] == [export.OPSET]


@every_kind
def test_a_row_is_answered_alike_whatever_rows_are_asked_with_it(kind: str) -> None:
    make, rows, _ = KINDS[kind]
    net, features = make(), rows(ROWS)

    torch.testing.assert_close(net(features)[:1], net(features[:1]))


def test_an_mlp_has_a_layer_for_each_width() -> None:
    net = Mlp(features=784, outputs=10)

    weights = [tuple(parameter.shape) for parameter in net.parameters() if parameter.ndim == 2]

    assert weights == [(512, 784), (512, 512), (10, 512)]


def test_an_mlp_flattens_images() -> None:
    assert Mlp(features=12, outputs=K, hidden=[4])(torch.randn(2, 3, 2, 2)).shape == (2, K)


def test_an_mlp_without_hidden_layers_is_linear() -> None:
    net = Mlp(features=4, outputs=K, hidden=[])
    x_B4 = torch.randn(2, 4)

    torch.testing.assert_close(net(x_B4 + x_B4), 2 * net(x_B4) - net(torch.zeros(1, 4)))


@pytest.mark.parametrize(
    ("shape", "left"),
    [((1, 28, 28), 49), ((1, 8, 8), 4), ((3, 3, 5), 2), ((1, 2, 2), 1), ((1, 1, 1), 1), ((1, 1, 9), 9)],
)
def test_a_cnn_halves_the_sides_until_one_is_1(shape: tuple[int, ...], left: int) -> None:
    net = Cnn(shape, K, channels=(2, 4))

    assert net.output.in_features == 4 * left
    assert net(torch.randn(2, *shape)).shape == (2, K)


@pytest.mark.parametrize("frames", [1, 2, 3, 100])
def test_an_audio_cnn_takes_sounds_of_any_length(frames: int) -> None:
    assert AudioCnn((6, frames), K)(torch.randn(2, 6, frames)).shape == (2, K)


@pytest.mark.parametrize("length", [1, 2, 50])
def test_a_text_classifier_and_its_onnx_form_take_texts_of_any_length(length: int) -> None:
    net = TextClassifier(WORDS, K)
    model, content = sealed_form(net, ids(2, length), K)
    rows = ids(6, length)

    export.check(content, rows, compute_answers(model, rows))


def test_padding_changes_no_answer() -> None:
    net = TextClassifier(WORDS, K)
    text = torch.tensor([[5, 3, 5]])

    torch.testing.assert_close(net(text), net(torch.tensor([[5, 3, 5, 0, 0, 0, 0]])))
    assert not torch.allclose(net(text), net(torch.tensor([[5, 3, 5, 1]])))  # an unknown word is a word


def test_a_text_without_words_has_a_finite_answer_and_teaches_padding_nothing() -> None:
    net = TextClassifier(WORDS, K)
    answer_BK = net(torch.zeros(2, 4, dtype=torch.int64))

    (gradient,) = torch.autograd.grad(answer_BK.sum(), [net.embedding.weight])

    torch.testing.assert_close(answer_BK, net.output.bias.expand(2, K))
    assert not gradient.any()


def test_a_rating_is_both_biases_and_the_factors_product() -> None:
    net = Recommender(2, 1, users=4, items=5, factors=2)
    for embedding, value in ((net.user_bias, 0.5), (net.item_bias, 0.25), (net.user_factors, 2), (net.item_factors, 3)):
        nn.init.constant_(embedding.weight, value)

    assert net(torch.tensor([[3, 4]])).tolist() == [[0.5 + 0.25 + 2 * (2 * 3)]]


@pytest.mark.parametrize(
    ("net", "wrong", "message"),
    [
        (Recommender(2, 1, users=4, items=5), [[0, 0], [4, 0]], "the user id 4; allowed: 0 to 3"),
        (Recommender(2, 1, users=4, items=5), [[0, 5]], "the item id 5; allowed: 0 to 4"),
        (Recommender(2, 1, users=4, items=5), [[0, -1]], "the item id -1; allowed: 0 to 4"),
        (TextClassifier(4, K), [[0, 4]], "the word id 4; allowed: 0 to 3"),
        (TextClassifier(4, K), [[0, -1]], "the word id -1; allowed: 0 to 3"),
    ],
)
def test_ids_beyond_the_network_s_are_refused_in_training_and_by_the_onnx_form(
    net: nn.Module, wrong: list[list[int]], message: str
) -> None:
    _, content = sealed_form(net, ids(2, 2, below=4), 1 if isinstance(net, Recommender) else K)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options)

    with pytest.raises(ModelError) as error:
        net(torch.tensor(wrong))
    assert message in error.value.message
    assert error.value.hint
    with pytest.raises(Exception, match="out of data bounds"):
        session.run(None, {"input": np.array(wrong)})


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (lambda: Mlp(4, K, hidden=[8, 0]), "modelArguments.hidden[1] is 0", "[512, 512]"),
        (lambda: Mlp(4, K, hidden=["8"]), "modelArguments.hidden[0] is '8'", "[512, 512]"),  # type: ignore[list-item]
        (lambda: Mlp(4, K, hidden=[True]), "modelArguments.hidden[0] is True", "[512, 512]"),
        (lambda: Mlp(4, K, hidden=512), "modelArguments.hidden is 512", "[512, 512]"),  # type: ignore[arg-type]
        (lambda: Cnn((1, 8, 8), K, channels=[]), "modelArguments.channels is empty", "[32, 64]"),
        (lambda: Cnn((1, 8, 8), K, channels=[0.5]), "channels[0] is 0.5", "[32, 64]"),  # type: ignore[list-item]
        (lambda: Cnn((8, 8), K), "(channels, height, width); rows of this data set have shape (8, 8)", "(rows, 1, "),
        (lambda: Cnn((64,), K), "rows of this data set have shape (64,)", "'mlp'"),
        (lambda: Cnn((0, 8, 8), K), "rows of this data set have shape (0, 8, 8)", "(rows, 1, "),
        (lambda: AudioCnn((64,), K), "(mels, frames); rows of this data set have shape (64,)", "log-mel"),
        (lambda: AudioCnn((8, 8), K, channels=[]), "modelArguments.channels is empty", "[32, 64]"),
        (lambda: TextClassifier(0, K), "has no words", "data.text"),
        (lambda: TextClassifier(WORDS, K, width=0), "modelArguments.width is 0", "64"),
        (lambda: Recommender(3, 1, users=4, items=5), "this data set has 3 features per row", "user id and item id"),
        (lambda: Recommender(2, K, users=4, items=5), "this data set has 3 classes", "'regression'"),
        (lambda: Recommender(2, 1, items=5), "modelArguments.users is None", "largest possible id"),
        (lambda: Recommender(2, 1, users=4), "modelArguments.items is None", "largest possible id"),
        (lambda: Recommender(2, 1, users=4, items=5, factors=-1), "modelArguments.factors is -1", "16"),
        (lambda: TextClassifier(4, K)(torch.zeros(2, 3)), "torch.float32", "0 means padding"),
        (lambda: Recommender(2, 1, users=4, items=5)(torch.zeros(2, 2)), "torch.float32", "number users"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_with_a_way_out(
    make: Callable[[], object], message: str, hint: str
) -> None:
    with pytest.raises(ModelError) as error:
        make()

    assert message in error.value.message
    assert hint in error.value.hint
