"""Settings of a ModelDeployment, checked all at once. Pure: plain values in, settings or problems out.

A preview's unknown values are left out and the rest is checked. This is a preview's only check, because an unknown
image turns off the Kubernetes provider's own validation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, cast

from components.quantity import parse
from components.quota import PodResources, quota_problems, request_problems, shortfall_problems
from components.settings.autoscaling import MAX_REPLICAS, Autoscaling
from components.settings.server import CPU, DNS_LABEL, MEMORY, ServerInputs, ServerSettings, whole
from sealift.settings import Clash, Kind, Problem, RefusedInside, kinds, section, setting
from sealift.settings.quantity import Quantity

Exposure = Literal["cluster", "nodePort"]

DEFAULT_REPLICAS: Final = 3
NODE_PORTS: Final = (30000, 32767)  # Kubernetes' default range

_SUFFIX_LENGTH: Final = 9  # auto-naming adds "-" and 8 hex digits
_LONGEST_CHILD_SUFFIX: Final = "-manifest"


def _quota(value: object) -> Mapping[str, object]:
    problems = quota_problems(value)
    if problems:
        raise RefusedInside(*(replace(one, property=one.property.removeprefix("quota")) for one in problems))
    return dict(cast("Mapping[str, object]", value))


REPLICAS: Final = whole(
    f"a whole number from 1 to {MAX_REPLICAS}",
    lambda number: 1 <= number <= MAX_REPLICAS,
    lambda number: "" if number else "to stop serving, run `pulumi destroy` for the stack",
)
NODE_PORT: Final = whole(
    f"a whole number from {NODE_PORTS[0]} to {NODE_PORTS[1]}, or 0 to let Kubernetes choose",
    lambda number: number == 0 or NODE_PORTS[0] <= number <= NODE_PORTS[1],
)
QUOTA: Final = Kind(
    "object",
    "an object of quantities by `requests.cpu`, `requests.memory`, `limits.cpu`, `limits.memory` and `pods`",
    _quota,
    "string",
)


@dataclass(frozen=True)
class DeploymentSettings(ServerSettings):
    """Deployment of a model on Kubernetes. Each server runs in its own pod."""

    replicas: int | None = setting(
        REPLICAS,
        None,
        f"Number of pods that serve the model. If not set, {DEFAULT_REPLICAS}, or the number that `autoscaling` "
        "chooses.",
    )
    autoscaling: Autoscaling | None = section(
        Autoscaling, None, "Autoscaling of the pods by load. If not set, `replicas` is their number."
    )
    cpu_request: Quantity = setting(CPU, parse("cpu", "500m"), "CPUs reserved for each pod (resource request).")
    memory_request: Quantity = setting(
        MEMORY, parse("memory", "500Mi"), "Memory reserved for each pod, in bytes (resource request)."
    )
    quota: Mapping[str, object] = setting(
        QUOTA,
        {},
        "Quota of the namespace. Values you leave out are derived. A quota that you set must fit `replicas` (or "
        "`autoscaling.maxReplicas`) + 1 pods, for rolling updates.",
    )
    exposure: Exposure = setting(
        kinds.one_of("cluster", "nodePort"),
        "cluster",
        'Network access to the service. "cluster": inside the cluster only. "nodePort": on a port of every node as '
        "well.",
    )
    node_port: int = setting(NODE_PORT, 0, "Node port for HTTP. Kubernetes picks the one for gRPC.")

    @property
    def pod(self) -> PodResources:
        """Resource requests and limits of one pod."""
        return PodResources(self.cpu_request, self.memory_request, self.cpu_limit, self.memory_limit)

    @property
    def first_replicas(self) -> int:
        """Number of pods of a new Deployment."""
        return self.autoscaling.min_replicas if self.autoscaling else self.replicas or DEFAULT_REPLICAS

    @property
    def most_replicas(self) -> int:
        """Largest number of pods, without those that a rolling update adds."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas or DEFAULT_REPLICAS

    def clashes(self) -> Iterator[Clash]:
        """Yields a number of replicas beside autoscaling, requests above limits, a quota that is too small, an unused
        node port, and the server's clashes.
        """
        each = ("cpuRequest", "memoryRequest", "cpuLimit", "memoryLimit")
        for problem in request_problems(self.pod):
            yield Clash(problem.property, problem.message, (problem.property.replace("Request", "Limit"),))
        if self.autoscaling is not None and self.replicas is not None:
            message = f"is {self.replicas}, but autoscaling is set, which chooses the number of pods"
            hint = "remove replicas (in one stack only: set it to null), or remove autoscaling"
            yield Clash("replicas", message, ("autoscaling",), hint)
        most, needs = self.most_replicas, ("replicas", "autoscaling", *each)
        for problem in shortfall_problems(self.quota, most, self.pod, is_autoscaled=self.autoscaling is not None):
            yield Clash(problem.property, problem.message, needs, problem.hint)
        if self.exposure == "cluster" and self.node_port:
            message = f"is {self.node_port}, but exposure is 'cluster'; allowed with it: 0"
            yield Clash("nodePort", message, ("exposure",), "set exposure to 'nodePort' to open a port on every node")
        yield from super().clashes()


@dataclass(frozen=True)
class ModelDeploymentInputs(ServerInputs, DeploymentSettings):
    """Inputs of a ModelDeployment: its settings and the model to serve."""


def component_name_problems(name: str) -> list[Problem]:
    """Checks that the names of Kubernetes objects can begin with the component's name."""
    longest = 63 - _SUFFIX_LENGTH - len(_LONGEST_CHILD_SUFFIX)
    if DNS_LABEL.fullmatch(name) and len(name) <= longest:
        return []
    allowed = f"at most {longest} of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123)"
    return [Problem("name", f"is {name!r}; allowed: {allowed}")]
