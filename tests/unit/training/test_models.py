"""Networks and the form in which they are deployed: raw features in, the target's own unit out."""

import torch

from training import dataset, job, models


def test_net_is_features_20_outputs() -> None:
    data = dataset.parse("digits", job.read_data("digits"))

    shapes = [tuple(parameter.shape) for parameter in models.build("net", data).parameters()]

    assert shapes == [(20, 64), (20,), (10, 20), (10,)]


def test_a_deployed_regression_takes_raw_features_and_answers_in_the_target_s_unit() -> None:
    torch.manual_seed(0)
    net = models.Net(2, 1)
    features = torch.tensor([[10.0, 200.0], [30.0, 400.0], [20.0, 900.0]])
    target = torch.tensor([[1000.0], [3000.0], [2000.0]])
    feature_scale, target_scale = models.Scale.of(features), models.Scale.of(target)

    answer = models.Deployed(net, feature_scale, target_scale)(features)

    by_hand = net((features - features.mean(0)) / features.std(0, correction=0)) * target.std(correction=0) + 2000
    assert torch.allclose(answer, by_hand, rtol=1e-6)


def test_a_deployed_classifier_answers_probabilities() -> None:
    features = torch.rand(5, 3)

    answer = models.Deployed(models.Net(3, 4), models.Scale.of(features), None)(features)

    assert answer.shape == (5, 4)
    assert torch.allclose(answer.sum(dim=1), torch.ones(5))
    assert bool((answer >= 0).all())


def test_a_column_that_never_varies_is_centred_and_not_divided_by_zero() -> None:
    scale = models.Scale.of(torch.tensor([[7.0, 1.0], [7.0, 3.0]]))

    assert scale.apply(torch.tensor([[7.0, 2.0], [8.0, 3.0]])).tolist() == [[0.0, 0.0], [1.0, 1.0]]
