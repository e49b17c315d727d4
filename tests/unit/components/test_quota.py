"""What a roll needs, and the quota that holds it."""

import pytest

from components.quantity import parse
from components.quota import (
    PodResources,
    Running,
    find_rolling_problems,
    hard_limits,
    quota_problems,
    request_problems,
    shortfall_problems,
)
from sealift.settings.problem import Problem, report


def pod(
    cpu_request: str = "500m", memory_request: str = "500Mi", cpu_limit: str = "1", memory_limit: str = "1Gi"
) -> PodResources:
    return PodResources(
        parse("cpu", cpu_request),
        parse("memory", memory_request),
        parse("cpu", cpu_limit),
        parse("memory", memory_limit),
    )


ENOUGH_FOR_3 = {
    "requests.cpu": "2",
    "requests.memory": "2000Mi",
    "limits.cpu": "4",
    "limits.memory": "4Gi",
    "pods": "4",
}
ONE_TOO_FEW = {
    "requests.cpu": "1999m",
    "requests.memory": "1999Mi",
    "limits.cpu": "3999m",
    "limits.memory": "4095Mi",
    "pods": "3",
}


def test_a_quota_of_exactly_replicas_plus_surge_is_enough() -> None:
    assert shortfall_problems(ENOUGH_FOR_3, 3, pod()) == []


@pytest.mark.parametrize("resource", ENOUGH_FOR_3)
def test_a_hair_less_of_any_resource_is_refused(resource: str) -> None:
    problems = shortfall_problems(ENOUGH_FOR_3 | {resource: ONE_TOO_FEW[resource]}, 3, pod())

    assert [problem.property for problem in problems] == [
        "quota.pods" if resource == "pods" else f'quota["{resource}"]'
    ]


def test_a_quota_too_small_is_told_with_need_and_have_of_every_resource_and_the_way_out() -> None:
    problems = shortfall_problems({"requests.cpu": "1", "limits.memory": "3Gi", "pods": 3}, 3, pod())

    assert report("no", problems).splitlines() == [
        "no:",
        "  quota[\"requests.cpu\"] is '1', but '2' is needed: 3 replicas + 1 while rolling = 4 pods of '500m'",
        "  quota[\"limits.memory\"] is '3Gi', but '4Gi' is needed: 3 replicas + 1 while rolling = 4 pods of '1Gi'",
        "  quota.pods is 3, but 4 is needed: 3 replicas + 1 while rolling = 4 pods",
        "hint: raise the quota to that amount, lower replicas or a pod's resources, or leave quota out to derive it",
    ]


def test_an_autoscaler_s_maximum_counts_with_the_surge() -> None:
    (problem,) = shortfall_problems({"pods": 10}, 10, pod(), is_autoscaled=True)

    assert str(problem) == "quota.pods is 10, but 11 is needed: at most 10 replicas + 1 while rolling = 11 pods"
    assert "lower autoscaling.maxReplicas" in problem.hint


def test_suffixes_do_not_blur_the_comparison() -> None:
    assert shortfall_problems({"limits.memory": "2G"}, 1, pod(memory_limit="1G")) == []
    assert len(shortfall_problems({"limits.memory": "2G"}, 1, pod(memory_limit="1Gi"))) == 1


def test_a_derived_quota_has_room_for_every_replaced_pod_still_draining() -> None:
    assert hard_limits({}, 3, pod()) == {
        "requests.cpu": "3500m",
        "requests.memory": "3500Mi",
        "limits.cpu": "7",
        "limits.memory": "7Gi",
    }


@pytest.mark.parametrize("replicas", [1, 2, 3, 100])
def test_a_derived_quota_is_never_refused(replicas: int) -> None:
    derived = hard_limits({}, replicas, pod())

    assert quota_problems(derived) == []
    assert shortfall_problems(derived, replicas, pod()) == []


def test_what_is_given_is_kept_in_the_api_server_s_form_and_the_rest_derived() -> None:
    hard = hard_limits({"limits.memory": "8192Mi", "requests.cpu": 4.0, "pods": 10.0}, 3, pod())

    assert hard == {
        "requests.cpu": "4",
        "requests.memory": "3500Mi",
        "limits.cpu": "7",
        "limits.memory": "8Gi",
        "pods": "10",
    }


def test_every_wrong_entry_of_a_quota_is_told() -> None:
    problems = quota_problems(
        {"limit.cpu": "1", "requests.memory": "1Gb", "pods": "0", "services": "1", "limits.cpu": "1"}
    )

    texts = [str(problem) for problem in problems]
    assert len(texts) == 4
    assert (
        texts[0].startswith('quota["limit.cpu"] is not a resource that Sealift limits')
        and "did you mean 'limits.cpu'?" in texts[0]
    )
    assert texts[1].startswith("quota[\"requests.memory\"] is '1Gb'; allowed: ")
    assert texts[2] == "quota.pods is '0'; allowed: a whole number from 1"
    assert texts[3].startswith("quota.services is not a resource that Sealift limits; allowed: requests.cpu, ")


@pytest.mark.parametrize("quota", [None, "2", [], 3])
def test_a_quota_that_is_no_map_is_refused(quota: object) -> None:
    assert [problem.property for problem in quota_problems(quota)] == ["quota"]


@pytest.mark.parametrize("pods", [1.5, "1.5", -1, "-1", True, None, "", "²", "1e3"])
def test_pods_are_a_whole_number_from_1(pods: object) -> None:
    assert [problem.property for problem in quota_problems({"pods": pods})] == ["quota.pods"]


def test_requests_above_limits_are_refused_each_with_both_values() -> None:
    each = (parse("cpu", "1500m"), parse("memory", "1Gi"), parse("cpu", "1"), parse("memory", "1G"))

    assert [str(problem) for problem in request_problems(PodResources(*each))] == [
        "cpuRequest is '1500m'; allowed: at most cpuLimit, which is '1'",
        "memoryRequest is '1Gi'; allowed: at most memoryLimit, which is '1G'",
    ]


def test_requests_equal_to_limits_are_fine_however_they_are_written() -> None:
    each = (parse("cpu", "1000m"), parse("memory", "1024Mi"), parse("cpu", 1), parse("memory", "1Gi"))

    assert request_problems(PodResources(*each)) == []


def rolled(quota: dict[str, object], *, to: PodResources, before: Running | None = None) -> list[Problem]:
    return [*find_rolling_problems(before or Running(3, pod()), quota, 3, to)]


def test_pods_that_shrink_by_half_fit_beside_the_old_ones_and_a_hair_more_is_refused() -> None:
    assert rolled({}, to=pod("250m", "250Mi", "500m", "512Mi")) == []

    (problem,) = rolled({}, to=pod("249m", "250Mi", "500m", "512Mi"))
    assert str(problem) == (
        "cpuRequest is '249m', from which a quota of '1743m' is derived; 3 running pods of '500m' and one new pod "
        "need '1749m' during the update"
    )
    assert problem.hint == (
        "reduce it by half at most, or set quota[\"requests.cpu\"] to '1749m' for this update and remove it afterwards"
    )


def test_the_quota_that_the_hint_names_lets_the_roll_begin() -> None:
    tenth = pod("50m", "50Mi", "100m", "100Mi")
    needed = {
        "requests.cpu": "1550m", "requests.memory": "1550Mi", "limits.cpu": "3100m", "limits.memory": "3172Mi",
    }  # fmt: skip

    problems = rolled({}, to=tenth)

    assert [problem.property for problem in problems] == ["cpuRequest", "memoryRequest", "cpuLimit", "memoryLimit"]
    assert all(f"'{amount}'" in one.hint for one, amount in zip(problems, needed.values(), strict=True))
    assert rolled(dict(needed), to=tenth) == []


def test_a_given_quota_that_the_old_pods_fill_is_refused_by_its_own_name() -> None:
    (problem,) = rolled({"limits.memory": "2Gi"}, to=pod(memory_limit="512Mi"))

    assert problem.property == 'quota["limits.memory"]'
    assert problem.hint == "for this update, set it to '3584Mi'"


def test_pods_above_the_new_number_of_replicas_are_gone_before_the_first_new_one() -> None:
    assert rolled({}, to=pod(), before=Running(30, pod())) == []
