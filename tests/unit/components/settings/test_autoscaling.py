"""Settings of autoscaling, and its conflicts with other settings of a deployment."""

import pytest

from components.settings.autoscaling import DEFAULT_CPU_PERCENT
from components.settings.deployment import DeploymentSettings
from sealift.settings import Problem, read


def validate(**given: object) -> tuple[DeploymentSettings, list[Problem]]:
    return read(DeploymentSettings, {"modelName": "diabetes", **given}, "a deployment")


def problems_of(**given: object) -> list[str]:
    return [str(problem) for problem in validate(**given)[1]]


def autoscaled(**scaling: object) -> DeploymentSettings:
    settings, problems = validate(autoscaling={"maxReplicas": 6} | scaling)
    assert problems == []
    return settings


def test_without_autoscaling_a_deployment_has_three_pods_or_the_number_that_is_set() -> None:
    default, five = validate()[0], validate(replicas=5.0)[0]

    assert (default.first_replicas, default.most_replicas) == (3, 3)
    assert (five.first_replicas, five.most_replicas) == (5, 5)


def test_an_autoscaled_deployment_begins_with_the_minimum_and_has_room_for_the_maximum() -> None:
    settings = autoscaled(minReplicas=4.0)

    assert (settings.first_replicas, settings.most_replicas) == (4, 6)


def test_replicas_beside_autoscaling_are_refused_with_the_way_out() -> None:
    (problem,) = validate(replicas=2, autoscaling={"maxReplicas": 6})[1]

    assert str(problem) == "replicas is 2, but autoscaling is set, which chooses the number of pods"
    assert problem.hint == "remove replicas (in one stack only: set it to null), or remove autoscaling"


def test_a_maximum_is_required_and_not_below_the_minimum() -> None:
    assert problems_of(autoscaling={}) == ["autoscaling.maxReplicas is missing"]
    assert problems_of(autoscaling={"minReplicas": 5, "maxReplicas": 4}) == [
        "autoscaling.maxReplicas is 4; allowed: at least minReplicas, which is 5"
    ]
    assert problems_of(autoscaling={"minReplicas": 4, "maxReplicas": 4}) == []


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("minReplicas", 0, "a whole number from 1 to 10,000"),
        ("maxReplicas", 10_001, "a whole number from 1 to 10,000"),
        ("cpu", 0, "a whole number from 1 to 1,000"),
        ("cpu", "70%", "a whole number from 1 to 1,000"),
        ("requestsPerSecond", 0, "a number above 0, at most 1,000,000, such as 100"),
        ("latencySeconds", 0.0001, "a number from 0.001 to 60"),
        ("scaleDownSeconds", 3601, "a whole number from 0 to 3,600"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_path(name: str, value: object, allowed: str) -> None:
    assert problems_of(autoscaling={"maxReplicas": 6} | {name: value}) == [
        f"autoscaling.{name} is {value!r}; allowed: {allowed}"
    ]


@pytest.mark.parametrize(
    ("given", "percent"),
    [
        ({}, DEFAULT_CPU_PERCENT),
        ({"cpu": 50}, 50),
        ({"requestsPerSecond": 100}, None),
        ({"latencySeconds": 0.05}, None),
        ({"latencySeconds": 0.05, "cpu": 50}, 50),
    ],
)
def test_cpu_is_the_target_that_needs_no_other(given: dict[str, object], percent: int | None) -> None:
    scaling = autoscaled(**given).autoscaling

    assert scaling is not None and scaling.cpu_percent == percent


def test_a_quota_must_fit_the_maximum_and_one_more_pod() -> None:
    (problem,) = validate(autoscaling={"maxReplicas": 6}, quota={"limits.memory": "6Gi"})[1]

    assert str(problem) == (
        "quota[\"limits.memory\"] is '6Gi', but '7Gi' is needed: at most 6 replicas + 1 while rolling = 7 pods of '1Gi'"
    )
    assert problem.hint.startswith("raise the quota to that amount, lower autoscaling.maxReplicas or a pod's resources")
    assert problems_of(autoscaling={"maxReplicas": 6}, quota={"limits.memory": "7Gi"}) == []
