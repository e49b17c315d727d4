"""What a condition looks at, and what it says."""

from dataclasses import dataclass, field

from airgap.plugins.kubernetes.objects import Object


@dataclass(frozen=True)
class Snapshot:
    """An object and what belongs to it, all read at about the same time."""

    live: Object
    replica_sets: list[Object] = field(default_factory=list)
    """Of a Deployment."""
    pods: list[Object] = field(default_factory=list)
    """All of the namespace: also those of others count against its quota."""
    pull_failures: dict[str, int] = field(default_factory=dict)
    """How often each pod, by uid, failed to pull an image so far."""
    pull_messages: dict[str, str] = field(default_factory=dict)
    """The last of those failures, by pod uid, in the container runtime's words."""
    endpoint_slices: list[Object] = field(default_factory=list)
    """Of a Service."""
    storage_class: Object | None = None
    """Of a PersistentVolumeClaim."""


@dataclass(frozen=True)
class WaitSoFar:
    """What a condition may remember of one wait."""

    first: Snapshot
    """As it was when the wait began: failures of before may have been mended since."""
    before: Object | None = None
    """The object before this update; None on create."""
    elapsed_seconds: float = 0.0
    reading: bool = False
    """Whether this is one look (a refresh) rather than a wait, so that nothing is left to settle."""


@dataclass(frozen=True)
class Trouble:
    """What will not get better by waiting. It ends the wait once it has lasted without a break."""

    text: str
    lasting_seconds: float = 0.0
    logs_of: tuple[str, str, bool] | None = None
    """Pod, container, and whether of its previous run: the last lines of that log tell why."""


@dataclass(frozen=True)
class Verdict:
    """What to show, whether the wait is over, and why not."""

    done: bool = False
    status: tuple[str, ...] = ()
    """Status lines, each to replace the one before."""
    troubles: tuple[Trouble, ...] = ()
    reasons: tuple[str, ...] = ()
    """What is still missing, told if the time is up."""
