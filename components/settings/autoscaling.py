"""Settings of autoscaling: the range of replicas, and the targets by which an autoscaler chooses a number in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sealift.settings import Clash, kinds, setting

MAX_REPLICAS: Final = 10_000  # more than one Deployment can have in any cluster size that Kubernetes is tested with
LONGEST_SCALE_DOWN_SECONDS: Final = 3600  # the API's own limit
DEFAULT_CPU_PERCENT: Final = 70

_REPLICAS: Final = kinds.whole_number(1, MAX_REPLICAS)


@dataclass(frozen=True)
class Autoscaling:
    """Number of pods by load, chosen by the cluster's HorizontalPodAutoscaler."""

    min_replicas: int = setting(_REPLICAS, 2, "Smallest number of pods, which run without load.")
    max_replicas: int = setting(_REPLICAS, 0, "Largest number of pods. The quota has room for them.", required=True)
    cpu: int | None = setting(
        kinds.whole_number(1, 1000),
        None,
        "Target of the average CPU use of a pod, in percent of `cpuRequest`. The cluster needs a metrics server. If "
        f"not set, {DEFAULT_CPU_PERCENT} without another target, and none beside one.",
    )
    requests_per_second: float | None = setting(
        kinds.positive_number(1_000_000, "100"),
        None,
        "Target of the average rate of a pod, in requests per second. The cluster must serve the metric "
        "`sealift_requests_per_second` of the pods.",
    )
    latency_seconds: float | None = setting(
        kinds.number_within(0.001, 60),
        None,
        "Target of the mean time of an inference, in seconds. The cluster must serve the metric "
        "`sealift_request_duration_seconds` of the pods.",
    )
    scale_down_seconds: int = setting(
        kinds.whole_number(0, LONGEST_SCALE_DOWN_SECONDS),
        300,
        "Time in seconds that a lower load must last before pods are removed. Pods are added at once.",
    )

    @property
    def cpu_percent(self) -> int | None:
        """Target of the CPU use, if CPU is a target."""
        other = self.requests_per_second is not None or self.latency_seconds is not None
        return self.cpu if self.cpu is not None or other else DEFAULT_CPU_PERCENT

    @property
    def needs_own_metrics(self) -> bool:
        """Whether the cluster must serve the server's own metrics (custom.metrics.k8s.io)."""
        return self.requests_per_second is not None or self.latency_seconds is not None

    def clashes(self) -> Iterator[Clash]:
        """Yields a maximum below the minimum."""
        if self.max_replicas < self.min_replicas:
            message = f"is {self.max_replicas}; allowed: at least minReplicas, which is {self.min_replicas}"
            yield Clash("maxReplicas", message, ("minReplicas",), "raise maxReplicas, or lower minReplicas")
