"""The objects by which the cluster chooses the number of pods. The API's schema: tests/cluster/test_api_schema.py."""

from typing import Any

import pytest
import yaml

from components import autoscaler_spec
from components.autoscaler_spec import LATENCY_METRIC, REQUESTS_METRIC, deployment_annotations, read_range
from tests.documented import PROJECT_ROOT
from tests.unit.components.settings.test_autoscaling import autoscaled, validate


def autoscaler(**scaling: object) -> Any:
    settings = autoscaled(**scaling).autoscaling
    assert settings is not None
    return autoscaler_spec.autoscaler(settings, "model-1a2b3c4d")


def cpu(percent: int) -> dict[str, object]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def own(name: str, amount: str) -> dict[str, object]:
    return {
        "type": "Pods",
        "pods": {"metric": {"name": name}, "target": {"type": "AverageValue", "averageValue": amount}},
    }


def test_by_default_pods_follow_their_cpu_use() -> None:
    assert autoscaler() == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "model-1a2b3c4d"},
        "minReplicas": 2,
        "maxReplicas": 6,
        "metrics": [cpu(70)],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
    }


def test_every_target_is_a_metric() -> None:
    made = autoscaler(cpu=50, requestsPerSecond=120, latencySeconds=0.05)

    assert made["metrics"] == [cpu(50), own(REQUESTS_METRIC, "120"), own(LATENCY_METRIC, "50m")]


@pytest.mark.parametrize(
    ("amount", "text"), [(1500, "1500"), (2000, "2k"), (2.5, "2500m"), (0.1, "100m"), (0.0001, "1m")]
)
def test_a_target_is_a_quantity_of_at_least_a_thousandth(amount: float, text: str) -> None:
    assert autoscaler(requestsPerSecond=amount)["metrics"] == [own(REQUESTS_METRIC, text)]


def test_the_time_of_a_lower_load_is_set() -> None:
    assert autoscaler(scaleDownSeconds=0)["behavior"] == {"scaleDown": {"stabilizationWindowSeconds": 0}}


def test_a_budget_takes_one_pod_of_this_version_at_a_time() -> None:
    assert autoscaler_spec.disruption_budget("model") == {
        "maxUnavailable": 1,
        "selector": {"matchLabels": {"app.kubernetes.io/name": "sealift", "app.kubernetes.io/instance": "model"}},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }


def test_the_next_update_reads_the_range_from_the_deployment() -> None:
    made = deployment_annotations(autoscaled())

    assert read_range({"metadata": {"annotations": made}}) == (2, 6)
    assert deployment_annotations(validate()[0]) == {}
    others: list[dict[str, object]] = [{}, {"metadata": None}, {"metadata": {"annotations": {}}}]
    assert [read_range(one) for one in others] == [None] * 3


def test_the_adapter_s_rules_serve_these_metrics_from_the_server_s_own() -> None:
    rules = yaml.safe_load((PROJECT_ROOT / "docs" / "observability" / "adapter.yaml").read_text())["rules"]

    assert {rule["name"]["as"] for rule in rules} == {REQUESTS_METRIC, LATENCY_METRIC}
    served = (PROJECT_ROOT / "docs" / "reference" / "metrics.md").read_text()
    for rule in rules:
        series = rule["seriesQuery"].partition("{")[0]
        assert f"`{series.removesuffix('_count')}`" in served
        assert series in rule["metricsQuery"]
