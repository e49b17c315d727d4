"""Services: ready when their pods are ready and a load balancer has its address.

Like with the official plugin, a Service without pods is ready after ten seconds. That plugin always waits ten seconds,
this one only while no pod exists.
"""

from typing import Final

from airgap.plugins.kubernetes.conditions.pod import pod_troubles
from airgap.plugins.kubernetes.conditions.verdict import Snapshot, Verdict, WaitSoFar
from airgap.plugins.kubernetes.objects import Object, dig

EMPTY_SECONDS: Final = 10.0
FINDING: Final = "[1/3] Finding Pods to direct traffic to"
ALLOCATING: Final = "[2/3] Attempting to allocate IP address to Service"
COMPLETE: Final = "Service initialization complete"
NO_PODS: Final = (
    "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match "
    "labels on any Pods"
)
NO_ADDRESS: Final = "Service was not allocated an IP address; does your cloud provider support this?"


def service(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    live = snapshot.live
    has_address = dig(live, "spec", "type") != "LoadBalancer" or bool(dig(live, "status", "loadBalancer", "ingress"))
    if not _directs_to_pods(live):
        return Verdict(done=has_address, reasons=() if has_address else (NO_ADDRESS,))
    ready, pending = _endpoints(snapshot.endpoint_slices)
    settled = bool(ready) or so_far.reading or so_far.elapsed_seconds >= EMPTY_SECONDS
    if has_address and settled and not pending:
        return Verdict(done=True, status=(COMPLETE,))
    troubles = [trouble for pod in _find_selected(snapshot) for trouble in pod_troubles(pod, snapshot, so_far)]
    return Verdict(
        status=(ALLOCATING if ready and not has_address else FINDING,),
        troubles=tuple(troubles),
        reasons=(() if ready else (NO_PODS,)) + (() if has_address else (NO_ADDRESS,)),
    )


def _directs_to_pods(live: Object) -> bool:
    spec = live.get("spec", {})
    return bool(spec.get("selector")) and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName"


def _endpoints(slices: list[Object]) -> tuple[int, int]:
    """Returns the number of ready pods and of pods that may still become ready."""
    conditions = [dig(end, "conditions", default={}) for piece in slices for end in piece.get("endpoints") or []]
    ready = sum(1 for condition in conditions if condition.get("ready", True))
    pending = sum(1 for c in conditions if not c.get("ready", True) and not c.get("terminating"))
    return ready, pending


def _find_selected(snapshot: Snapshot) -> list[Object]:
    selector = snapshot.live["spec"]["selector"].items()
    return [pod for pod in snapshot.pods if selector <= dig(pod, "metadata", "labels", default={}).items()]
