"""Kinds whose readiness depends only on the object itself."""

from airgap.plugins.kubernetes.conditions.verdict import Snapshot, Verdict, WaitSoFar
from airgap.plugins.kubernetes.objects import dig


def namespace(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    """Ready when objects can be created in it."""
    phase = dig(snapshot.live, "status", "phase")
    return Verdict(done=phase == "Active", reasons=(f"the namespace is {phase}",))


def resource_quota(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    """Ready when the quota controller enforces all its resources."""
    hard, counted = dig(snapshot.live, "spec", "hard", default={}), dig(snapshot.live, "status", "hard", default={})
    missing = sorted(resource for resource in hard if counted.get(resource) != hard[resource])
    return Verdict(done=not missing, reasons=(f"the quota is not in force yet for {', '.join(missing)}",))


def persistent_volume_claim(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    """Ready when bound, or when its storage class binds only with the first pod."""
    phase = dig(snapshot.live, "status", "phase")
    late = dig(snapshot.storage_class, "volumeBindingMode") == "WaitForFirstConsumer"
    return Verdict(done=phase == "Bound" or (late and phase == "Pending"), reasons=(f"the claim is {phase}",))
