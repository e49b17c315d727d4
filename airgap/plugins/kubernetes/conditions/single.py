"""Kinds that need nothing but a look at themselves."""

from airgap.plugins.kubernetes.conditions.verdict import Snapshot, Verdict, WaitSoFar
from airgap.plugins.kubernetes.objects import dig


def namespace(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    """Objects can be made in it."""
    phase = dig(snapshot.live, "status", "phase")
    return Verdict(done=phase == "Active", reasons=(f"the namespace is {phase}",))


def resource_quota(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    """The quota controller counts against all that is asked for."""
    hard, counted = dig(snapshot.live, "spec", "hard", default={}), dig(snapshot.live, "status", "hard", default={})
    missing = sorted(resource for resource in hard if counted.get(resource) != hard[resource])
    return Verdict(done=not missing, reasons=(f"the quota is not in force yet for {', '.join(missing)}",))


def persistent_volume_claim(snapshot: Snapshot, so_far: WaitSoFar) -> Verdict:
    """Bound; or waiting for its first pod, if that is how its storage class binds."""
    phase = dig(snapshot.live, "status", "phase")
    late = dig(snapshot.storage_class, "volumeBindingMode") == "WaitForFirstConsumer"
    return Verdict(done=phase == "Bound" or (late and phase == "Pending"), reasons=(f"the claim is {phase}",))
