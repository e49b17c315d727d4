"""Input and result of a condition."""

from dataclasses import dataclass, field

from airgap.plugins.kubernetes.objects import Object


@dataclass(frozen=True)
class Snapshot:
    """An object and the objects that belong to it, all read at about the same time."""

    live: Object
    replica_sets: list[Object] = field(default_factory=list)
    """ReplicaSets in a Deployment's namespace."""
    pods: list[Object] = field(default_factory=list)
    """All pods of the namespace, because pods of other owners count against its quota too."""
    pull_failures: dict[str, int] = field(default_factory=dict)
    """Number of failed image pulls so far, by pod uid."""
    pull_messages: dict[str, str] = field(default_factory=dict)
    """The container runtime's message of the last failed pull, by pod uid."""
    endpoint_slices: list[Object] = field(default_factory=list)
    """EndpointSlices of a Service."""
    storage_class: Object | None = None
    """StorageClass of a PersistentVolumeClaim."""


@dataclass(frozen=True)
class WaitSoFar:
    """History of one wait."""

    first: Snapshot
    """Snapshot at the beginning of the wait. Failures in it may have been fixed since."""
    before: Object | None = None
    """Object before this update. None on create."""
    elapsed_seconds: float = 0.0
    reading: bool = False
    """Whether this is a single read (a refresh) instead of a wait."""


@dataclass(frozen=True)
class Trouble:
    """A problem that waiting does not solve. It ends the wait once it has lasted for `lasting_seconds`."""

    text: str
    lasting_seconds: float = 0.0
    logs_of: tuple[str, str, bool] | None = None
    """Pod, container, and whether to read the log of the previous run. Its last lines show the cause."""


@dataclass(frozen=True)
class Verdict:
    """Result of a condition: status lines, whether the wait is over, and what is missing."""

    done: bool = False
    status: tuple[str, ...] = ()
    """Status lines. Each one replaces the line before."""
    troubles: tuple[Trouble, ...] = ()
    reasons: tuple[str, ...] = ()
    """Missing parts, which are reported if the time is over."""
