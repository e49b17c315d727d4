"""StatefulSets and DaemonSets: ready when every pod has the wanted revision and is ready."""

from airgap.plugins.kubernetes.conditions.pod import pod_errors, pod_troubles
from airgap.plugins.kubernetes.conditions.verdict import Snapshot, Verdict, WaitSoFar
from airgap.plugins.kubernetes.objects import dig, generation_of, is_owned_by, qualified_name


def stateful_set(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    live = snapshot.live
    status = live.get("status", {})
    wanted, ready = int(dig(live, "spec", "replicas", default=1)), int(status.get("readyReplicas", 0))
    current = status.get("updateRevision") == status.get("currentRevision")
    text = f"Waiting for StatefulSet to be ready ({ready}/{wanted} Pods ready)"
    return _verdict(snapshot, so_far, text, complete=current and ready >= wanted)


def daemon_set(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    status = snapshot.live.get("status", {})
    wanted, ready = int(status.get("desiredNumberScheduled", 0)), int(status.get("numberReady", 0))
    updated = int(status.get("updatedNumberScheduled", 0))
    text = f"Waiting for DaemonSet to be ready ({ready}/{wanted} Pods ready)"
    return _verdict(snapshot, so_far, text, complete=min(ready, updated) >= wanted)


def _verdict(snapshot: Snapshot, so_far: WaitSoFar, text: str, *, complete: bool) -> Verdict:
    live = snapshot.live
    if complete and dig(live, "status", "observedGeneration", default=0) >= generation_of(live):
        return Verdict(done=True)
    pods = [pod for pod in snapshot.pods if is_owned_by(pod, live)]
    troubles = [trouble for pod in pods for trouble in pod_troubles(pod, snapshot, so_far)]
    errors = [f"[Pod {qualified_name(pod)}]: {pod_errors(pod)}" for pod in pods if pod_errors(pod)]
    return Verdict(status=(text,), troubles=tuple(troubles), reasons=(text, *errors))
