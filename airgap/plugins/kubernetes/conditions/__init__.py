"""Conditions for readiness: pure functions from a snapshot of the cluster to a verdict, one module per kind."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from airgap.plugins.kubernetes.conditions.deployment import deployment
from airgap.plugins.kubernetes.conditions.job import job
from airgap.plugins.kubernetes.conditions.pod import pod
from airgap.plugins.kubernetes.conditions.replicated import daemon_set, stateful_set
from airgap.plugins.kubernetes.conditions.service import service
from airgap.plugins.kubernetes.conditions.single import namespace, persistent_volume_claim, resource_quota
from airgap.plugins.kubernetes.conditions.verdict import Snapshot, Trouble, Verdict, WaitSoFar
from airgap.plugins.kubernetes.objects import ObjectKind

Condition: TypeAlias = Callable[[Snapshot, WaitSoFar], Verdict]

CONDITIONS: Final[Mapping[ObjectKind, Condition]] = {
    ObjectKind("apps/v1", "DaemonSet"): daemon_set,
    ObjectKind("apps/v1", "Deployment"): deployment,
    ObjectKind("apps/v1", "StatefulSet"): stateful_set,
    ObjectKind("batch/v1", "Job"): job,
    ObjectKind("v1", "Namespace"): namespace,
    ObjectKind("v1", "PersistentVolumeClaim"): persistent_volume_claim,
    ObjectKind("v1", "Pod"): pod,
    ObjectKind("v1", "ResourceQuota"): resource_quota,
    ObjectKind("v1", "Service"): service,
}
"""Kinds that are waited for. All others are ready as soon as the API server has accepted them."""

__all__ = ["CONDITIONS", "Condition", "Snapshot", "Trouble", "Verdict", "WaitSoFar"]
