"""CPU and memory that a Deployment needs, and the ResourceQuota that limits it.

Kubernetes refuses a pod that would exceed the quota long after `pulumi up` has started, and the Deployment awaiter does
not notice. The need is therefore computed here, before anything is applied. Pure: plain values in, values and Problems
out.

A rolling update needs `replicas` pods, old and new, plus SURGE_PODS, because no pod may be missing (maxUnavailable 0).
With autoscaling, `replicas` is the autoscaler's maximum everywhere here.
A derived quota also has room for one draining pod per replica: a pod that is being terminated counts until it is gone,
and a replaced pod may still drain when its successors start. With that room, one update can halve the pods' resources.
An update that reduces them further could never start, because old pods still count and the quota is applied first. The
preview refuses it (find_rolling_problems).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from components.quantity import QuantityError, Resource, cpu_text, memory_text, parse
from sealift.property_path import write_path
from sealift.settings.names import suggest
from sealift.settings.problem import Problem
from sealift.settings.quantity import Quantity

SURGE_PODS: Final = 1
"""Pods above `replicas` during a rolling update: the Deployment's maxSurge."""

COMPUTE: Final[Mapping[str, Resource]] = {
    "requests.cpu": "cpu",
    "requests.memory": "memory",
    "limits.cpu": "cpu",
    "limits.memory": "memory",
}
_SETTINGS: Final = ("cpuRequest", "memoryRequest", "cpuLimit", "memoryLimit")
PODS: Final = "pods"
ALLOWED: Final = ", ".join([*COMPUTE, PODS])
_WAY_OUT: Final = "raise the quota to that amount, lower {} or a pod's resources, or leave quota out to derive it"


@dataclass(frozen=True)
class PodResources:
    """Resource requests and limits of one pod."""

    cpu_request: Quantity
    memory_request: Quantity
    cpu_limit: Quantity
    memory_limit: Quantity

    def by_quota_resource(self) -> dict[str, Quantity]:
        """Quantities by the ResourceQuota's names."""
        each = (self.cpu_request, self.memory_request, self.cpu_limit, self.memory_limit)
        return dict(zip(COMPUTE, each, strict=True))


def request_problems(pod: PodResources) -> list[Problem]:
    """Finds requests above limits."""
    problems = []
    pairs = {"cpu": (pod.cpu_request, pod.cpu_limit), "memory": (pod.memory_request, pod.memory_limit)}
    for kind, (request, limit) in pairs.items():
        if request.amount > limit.amount:
            message = f"is '{request.text}'; allowed: at most {kind}Limit, which is '{limit.text}'"
            problems.append(Problem(f"{kind}Request", message))
    return problems


def quota_problems(quota: object) -> list[Problem]:
    """Finds problems of the quota itself, independent of the pods."""
    if not isinstance(quota, Mapping):
        return [Problem("quota", f"is {quota!r}; allowed: an object of quantities by {ALLOWED}")]
    problems = []
    for key, value in quota.items():
        if key in COMPUTE:
            try:
                parse(COMPUTE[key], value)
            except QuantityError as error:
                problems.append(Problem(_path(key), str(error)))
        elif key == PODS:
            if _pod_count(value) is None:
                problems.append(Problem(_path(PODS), f"is {value!r}; allowed: a whole number from 1"))
        else:
            guess = suggest(str(key), [*COMPUTE, PODS])
            problems.append(Problem(_path(key), f"is not a resource that Sealift limits; allowed: {ALLOWED}{guess}"))
    return problems


def shortfall_problems(
    quota: Mapping[str, object], replicas: int, pod: PodResources, *, is_autoscaled: bool = False
) -> list[Problem]:
    """Finds quota entries that are too small for `replicas` pods plus the surge of a rolling update."""
    pods = replicas + SURGE_PODS
    noun = "replica" if replicas == 1 else "replicas"
    most = "at most " if is_autoscaled else ""
    why = f"{most}{replicas} {noun} + {SURGE_PODS} while rolling = {pods} pods"
    way_out = _WAY_OUT.format("autoscaling.maxReplicas" if is_autoscaled else "replicas")
    problems = []
    for key, each in pod.by_quota_resource().items():
        if key not in quota:
            continue
        have, need = parse(COMPUTE[key], quota[key]), pods * each.amount
        if have.amount < need:
            message = f"is '{have.text}', but '{_text(key, need)}' is needed: {why} of '{each.text}'"
            problems.append(Problem(_path(key), message, way_out))
    have_pods = _pod_count(quota.get(PODS, pods))
    if have_pods is None or have_pods < pods:
        problems.append(Problem(_path(PODS), f"is {have_pods}, but {pods} is needed: {why}", way_out))
    return problems


@dataclass(frozen=True)
class Running:
    """Pods of the last update, which still count while a rolling update replaces them."""

    replicas: int
    pod: PodResources


def find_rolling_problems(
    running: Running, quota: Mapping[str, object], replicas: int, pod: PodResources
) -> Iterator[Problem]:
    """Finds quota entries with no room for the first new pod beside the running pods, so that no update could start."""
    hard = hard_limits(quota, replicas, pod)
    stay = min(running.replicas, replicas)  # Kubernetes ends what is above `replicas` before it starts a new pod
    before = running.pod.by_quota_resource()
    for (key, each), setting_name in zip(pod.by_quota_resource().items(), _SETTINGS, strict=True):
        have, need = parse(COMPUTE[key], hard[key]), stay * before[key].amount + each.amount
        if have.amount >= need:
            continue
        noun = "running pod" if stay == 1 else "running pods"
        roll = f"{stay} {noun} of '{before[key].text}' and one new pod need '{_text(key, need)}' during the update"
        for_once = f"set {_path(key)} to '{_text(key, need)}' for this update and remove it afterwards"
        if key in quota:
            yield Problem(_path(key), f"is '{have.text}'; {roll}", f"for this update, set it to '{_text(key, need)}'")
        else:
            message = f"is '{each.text}', from which a quota of '{have.text}' is derived; {roll}"
            yield Problem(setting_name, message, f"reduce it by half at most, or {for_once}")


def hard_limits(quota: Mapping[str, object], replicas: int, pod: PodResources) -> dict[str, str]:
    """Returns the ResourceQuota's `hard`: the given values, and for other compute resources a rolling update's need."""
    most_pods = 2 * replicas + SURGE_PODS
    hard = {key: _text(key, most_pods * each.amount) for key, each in pod.by_quota_resource().items()}
    for key, value in quota.items():
        hard[key] = str(_pod_count(value)) if key == PODS else parse(COMPUTE[key], value).text
    return hard


def _pod_count(value: object) -> int | None:
    """Reads a whole number from 1, given as a number or as text. Returns None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0 else None


def _text(key: str, amount: Fraction) -> str:
    return cpu_text(amount) if COMPUTE[key] == "cpu" else memory_text(amount)


def _path(key: object) -> str:
    return write_path(["quota", str(key)])
