"""The objects that let a cluster choose the number of pods, as plain camelCase dictionaries: a HorizontalPodAutoscaler
and a PodDisruptionBudget.

Pure: no Pulumi, no Kubernetes client. `spec.replicas` then belongs to the autoscaler: an update keeps what it finds.
Autoscaling can be removed only when its range is the new number of replicas: Pulumi deletes the autoscaler after the
update of the Deployment, and in between it could overrule another number.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from components.object_labels import selector_labels
from components.settings.autoscaling import Autoscaling
from components.settings.deployment import DeploymentSettings
from sealift.settings.quantity import canonical

Spec = dict[str, object]
"""Part of a Kubernetes object, in the API's own camelCase."""

REPLICAS_PATH: Final = "spec.replicas"
RANGE: Final = "sealift.dev/replicas"
"""Annotation of a Deployment with its range of replicas, MIN-MAX. The next preview reads it."""
REQUESTS_METRIC: Final = "sealift_requests_per_second"  # an adapter's usual name for a rate of sealift_requests_total
LATENCY_METRIC: Final = "sealift_request_duration_seconds"


def deployment_annotations(settings: DeploymentSettings) -> dict[str, str]:
    """Returns the annotations of the Deployment. Empty without autoscaling."""
    scaling = settings.autoscaling
    return {} if scaling is None else {RANGE: f"{scaling.min_replicas}-{scaling.max_replicas}"}


def read_range(deployment_inputs: Mapping[str, Any]) -> tuple[int, int] | None:
    """Returns the range of replicas in a Deployment's inputs, or None if no autoscaler chose their number."""
    annotations = (deployment_inputs.get("metadata") or {}).get("annotations") or {}
    smallest, dash, largest = str(annotations.get(RANGE, "")).partition("-")
    return (int(smallest), int(largest)) if dash and smallest.isdecimal() and largest.isdecimal() else None


def autoscaler(scaling: Autoscaling, deployment_name: object) -> Spec:
    """Returns the HorizontalPodAutoscaler's spec. With several targets, it takes the largest number that one wants."""
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment_name},
        "minReplicas": scaling.min_replicas,
        "maxReplicas": scaling.max_replicas,
        "metrics": [*_metrics(scaling)],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": scaling.scale_down_seconds}},
    }


def _metrics(scaling: Autoscaling) -> Iterator[Spec]:
    if scaling.cpu_percent is not None:
        target = {"type": "Utilization", "averageUtilization": scaling.cpu_percent}
        yield {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    for name, amount in ((REQUESTS_METRIC, scaling.requests_per_second), (LATENCY_METRIC, scaling.latency_seconds)):
        if amount is not None:
            target = {"type": "AverageValue", "averageValue": _in_thousandths(amount)}
            yield {"type": "Pods", "pods": {"metric": {"name": name}, "target": target}}


def _in_thousandths(amount: float) -> str:
    """Returns a quantity. The autoscaler compares thousandths, and 0 is not a target."""
    return canonical(Fraction(max(1, round(amount * 1000)), 1000))


def disruption_budget(instance: str) -> Spec:
    """Returns the PodDisruptionBudget's spec: a drained node may take one pod at a time, and pods that are not ready
    block nothing.
    """
    return {
        "maxUnavailable": 1,
        "selector": {"matchLabels": selector_labels(instance)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
