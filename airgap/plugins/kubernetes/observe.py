"""Reads a condition's snapshot. It blocks, so it belongs in a thread."""

from typing import Final

from airgap.plugins.kubernetes.cluster import Cluster
from airgap.plugins.kubernetes.conditions.pod import PULLING, failed_pulls
from airgap.plugins.kubernetes.conditions.verdict import Snapshot
from airgap.plugins.kubernetes.errors import ApiRefusal
from airgap.plugins.kubernetes.objects import Object, ObjectKind, container_statuses, dig, name_of, namespace_of

POD: Final = ObjectKind("v1", "Pod")
WITH_PODS: Final = frozenset(
    {
        ObjectKind("apps/v1", "DaemonSet"),
        ObjectKind("apps/v1", "Deployment"),
        ObjectKind("apps/v1", "StatefulSet"),
        ObjectKind("batch/v1", "Job"),
        ObjectKind("v1", "Service"),
    }
)


def observe(cluster: Cluster, live: Object) -> Snapshot:
    """Reads the object and the objects that belong to it. Raises ApiRefusal, with `is_missing` if it is deleted."""
    kind, namespace, name = ObjectKind.of(live), namespace_of(live), name_of(live)
    now = cluster.get(kind, namespace, name)
    pods = cluster.list_all(POD, namespace) if kind in WITH_PODS else [now] if kind == POD else []
    pulls: dict[str, int] = {}
    messages: dict[str, str] = {}
    if any(dig(s, "state", "waiting", "reason") in PULLING for pod in pods for s in container_statuses(pod)):
        events = cluster.list_all(
            ObjectKind("v1", "Event"), namespace, fieldSelector="involvedObject.kind=Pod,reason=Failed"
        )
        pulls, messages = failed_pulls(events)
    slices: list[Object] = []
    if kind == ObjectKind("v1", "Service"):
        selector = f"kubernetes.io/service-name={name}"
        slices = cluster.list_all(ObjectKind("discovery.k8s.io/v1", "EndpointSlice"), namespace, labelSelector=selector)
    replica_sets: list[Object] = []
    if kind == ObjectKind("apps/v1", "Deployment"):
        replica_sets = cluster.list_all(ObjectKind("apps/v1", "ReplicaSet"), namespace)
    return Snapshot(now, replica_sets, pods, pulls, messages, slices, _storage_class(cluster, now))


def _storage_class(cluster: Cluster, live: Object) -> Object | None:
    name = dig(live, "spec", "storageClassName")
    if ObjectKind.of(live) != ObjectKind("v1", "PersistentVolumeClaim") or not name:
        return None
    try:
        return cluster.get(ObjectKind("storage.k8s.io/v1", "StorageClass"), "", name)
    except ApiRefusal:
        return None
