"""Retries earlier failures at once when an update may have fixed them.

Kubernetes itself retries with growing pauses: an image pull or a crashed container after up to five minutes, a refused
pod after up to a quarter of an hour. After fixing the cause, `pulumi up` should not wait that long; the official plugin
does. It blocks, so it belongs in a thread.
"""

import contextlib
import time
from typing import Final

from airgap.plugins.kubernetes.cluster import Cluster
from airgap.plugins.kubernetes.conditions.deployment import current_replica_set, refusals
from airgap.plugins.kubernetes.conditions.pod import PULLING
from airgap.plugins.kubernetes.conditions.verdict import Snapshot
from airgap.plugins.kubernetes.errors import ApiRefusal
from airgap.plugins.kubernetes.objects import (
    Object,
    ObjectKind,
    container_statuses,
    dig,
    generation_of,
    is_owned_by,
    name_of,
    namespace_of,
)

BACKING_OFF: Final = PULLING | {"CrashLoopBackOff"}
RETRIED_AT: Final = "sealift.dev/retried-at"
"""Annotation of a ReplicaSet. Any change makes its controller retry."""


def revive(cluster: Cluster, snapshot: Snapshot) -> None:
    """Retries for a Deployment whose controller has seen its current generation. Refused requests are ignored."""
    live = snapshot.live
    if ObjectKind.of(live) != ObjectKind("apps/v1", "Deployment"):
        return
    current = current_replica_set(snapshot)
    if current is None or dig(live, "status", "observedGeneration", default=0) < generation_of(live):
        return
    with contextlib.suppress(ApiRefusal):
        for pod in stuck_pods(snapshot.pods, current):
            cluster.delete(ObjectKind("v1", "Pod"), namespace_of(pod), name_of(pod), propagation="Background")
        if refusals(snapshot, current):
            annotations = {RETRIED_AT: str(time.time())}
            patch: Object = {"metadata": {"annotations": annotations}}
            cluster.merge_patch(ObjectKind("apps/v1", "ReplicaSet"), namespace_of(current), name_of(current), patch)


def stuck_pods(pods: list[Object], owner: Object) -> list[Object]:
    """Returns the pods of `owner` that only wait for a retry."""
    return [
        pod
        for pod in pods
        if is_owned_by(pod, owner)
        and "deletionTimestamp" not in pod["metadata"]
        and any(dig(s, "state", "waiting", "reason") in BACKING_OFF for s in container_statuses(pod))
    ]
