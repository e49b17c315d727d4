"""Quotas of a namespace in which a Job will train."""

import pytest

from components.plugin.job_quota import Quota, find_shortfalls
from training.options import Compute

COMPUTE = Compute(kind="job", image="python", cpu="1500m", memory="2Gi", gpus=1, processes=2, nodes=2)


@pytest.mark.parametrize(
    ("hard", "used", "said"),
    [
        ({"requests.cpu": "4"}, {"requests.cpu": "1"}, []),
        ({"requests.cpu": "4"}, {"requests.cpu": "1500m"}, ["needs 3 of requests.cpu", "has 2500m of 4 left"]),
        ({"limits.memory": "4Gi"}, {}, []),
        ({"limits.memory": "4Gi"}, {"limits.memory": "1Mi"}, ["needs 4Gi of limits.memory", "has 4095Mi of 4Gi left"]),
        ({"pods": "1"}, {"pods": "0"}, ["needs 2 of pods", "has 1 of 1 left"]),
        ({"requests.nvidia.com/gpu": "1"}, {}, ["needs 2 of requests.nvidia.com/gpu"]),
        ({"count/jobs.batch": "1"}, {"count/jobs.batch": "1"}, ["needs 1 of count/jobs.batch", "has 0 of 1 left"]),
        ({"services": "0"}, {}, []),
    ],
)
def test_what_is_left_is_compared_with_what_all_pods_need(
    hard: dict[str, str], used: dict[str, str], said: list[str]
) -> None:
    found = list(find_shortfalls([Quota("team-quota", hard, used)], COMPUTE, "team"))
    assert len(found) == (1 if said else 0)
    assert all(part in found[0] for part in said), found


def test_a_namespace_without_quotas_has_enough() -> None:
    assert list(find_shortfalls([], COMPUTE, "team")) == []
