"""Deployments: ready when the rollout to the wanted state is complete.

    1. the controller has seen the current generation
    2. the Deployment is Available
    3. after the first revision, Progressing has the reason NewReplicaSetAvailable
    4. the ReplicaSet of the current revision has all its pods ready

These are the official plugin's conditions, which ignore ReplicaFailure (no pod could be created, because of a quota or
a pod security level). Here it ends the wait, unless terminating pods may still free the missing resources.
"""

from typing import Final

from airgap.plugins.kubernetes.conditions.pod import pod_errors, pod_troubles, unschedulable
from airgap.plugins.kubernetes.conditions.verdict import Snapshot, Trouble, Verdict, WaitSoFar
from airgap.plugins.kubernetes.objects import Object, conditions_of, dig, generation_of, is_owned_by, qualified_name

REVISION: Final = "deployment.kubernetes.io/revision"
REFUSED_SECONDS: Final = 5.0  # a quota or service account created at the same time may come a moment later
NO_ROOM_SECONDS: Final = 45.0
"""Time in which a full quota may still refuse pods after others have ended. The ReplicaSet retries with growing pauses,
up to the time that the others took to end.
"""


def deployment(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    live = snapshot.live
    if dig(live, "status", "observedGeneration", default=0) < generation_of(live):
        return Verdict(reasons=("the Deployment controller has not seen the Deployment yet",))
    current = current_replica_set(snapshot)
    if current is None:
        return Verdict(troubles=refusals(snapshot, None), reasons=("no ReplicaSet was made for the Deployment",))
    wanted = int(dig(current, "spec", "replicas", default=1))
    ready = int(dig(current, "status", "readyReplicas", default=0))
    conditions = conditions_of(live)
    available = conditions.get("Available", {}).get("status") == "True"
    rolled_out = conditions.get("Progressing", {}).get("reason") == "NewReplicaSetAvailable"
    updated = int(dig(live, "status", "updatedReplicas", default=0)) >= int(dig(live, "spec", "replicas", default=1))
    if available and updated and ready >= wanted and (rolled_out or _revision(live) == "1"):
        return Verdict(done=True, status=("Deployment initialization complete",))

    pods = [pod for pod in snapshot.pods if is_owned_by(pod, current)]
    troubles = [trouble for pod in pods for trouble in pod_troubles(pod, snapshot, so_far)]
    progressing = conditions.get("Progressing", {})
    if progressing.get("status") == "False":
        troubles.append(Trouble(f"[{progressing.get('reason')}] {progressing.get('message')}"))
    waiting = next((f" (not scheduled: {text})" for text in map(unschedulable, pods) if text), "")
    text = f"Waiting for app ReplicaSet to be available ({ready}/{wanted} Pods available){waiting}"
    return Verdict(
        status=(text,) if ready < wanted else (),
        troubles=(*troubles, *refusals(snapshot, current, had_pods=bool(so_far.first.pods))),
        reasons=tuple(_list_missing(conditions, pods, available=available)),
    )


def current_replica_set(snapshot: Snapshot) -> Object | None:
    """Returns the ReplicaSet of the Deployment's current revision."""
    revision = _revision(snapshot.live)
    for replica_set in snapshot.replica_sets:
        if is_owned_by(replica_set, snapshot.live) and revision and _revision(replica_set) == revision:
            return replica_set
    return None


def refusals(snapshot: Snapshot, current: Object | None, *, had_pods: bool = False) -> tuple[Trouble, ...]:
    """Returns what prevents new pods, unless starting or terminating pods could change that.

    `had_pods`: whether the namespace had pods when the wait began; their end frees quota.
    """
    going = any("deletionTimestamp" in pod["metadata"] for pod in snapshot.pods)
    if going or (current and any(is_owned_by(pod, current) and not _is_ready(pod) for pod in snapshot.pods)):
        return ()
    failure = conditions_of(current or snapshot.live).get("ReplicaFailure", {})
    if failure.get("status") != "True":
        return ()
    no_room = "exceeded quota" in str(failure.get("message")) and (had_pods or bool(snapshot.pods))
    seconds = NO_ROOM_SECONDS if no_room else REFUSED_SECONDS
    return (Trouble(f"[{failure.get('reason')}] {failure.get('message')}", seconds),)


def _is_ready(pod: Object) -> bool:
    return conditions_of(pod).get("Ready", {}).get("status") == "True"


def _unready(pod: Object) -> str:
    """Returns the pod's message about containers that run but are not ready, "" if all are ready."""
    condition = conditions_of(pod).get("Ready", {})
    return "" if condition.get("status") == "True" else str(condition.get("message", ""))


def _list_missing(conditions: dict[str, Object], pods: list[Object], *, available: bool) -> list[str]:
    missing = [
        f"[{condition.get('reason')}] {condition.get('message')}"
        for condition in (conditions.get("Progressing", {}), conditions.get("Available", {}))
        if condition.get("status") == "False"
    ]
    missing.append(
        "Minimum number of Pods to consider the application live was not attained"
        if available
        else "Minimum number of live Pods was not attained"
    )
    complaints = {qualified_name(pod): pod_errors(pod) or unschedulable(pod) or _unready(pod) for pod in pods}
    return [*missing, *(f"[Pod {name}]: {complaint}" for name, complaint in complaints.items() if complaint)]


def _revision(obj: Object) -> str:
    return str(dig(obj, "metadata", "annotations", REVISION, default=""))
