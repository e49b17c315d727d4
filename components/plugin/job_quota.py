"""What a training Job takes of its namespace's quotas, compared with what is left. Pure.

A quota that is too small now is a warning, not an error: other Jobs may end, and the Job waits until then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sealift.settings.quantity import canonical, parse
from training.options import Compute


@dataclass(frozen=True)
class Quota:
    """A ResourceQuota: its limits and what is used of them, as quantities by resource."""

    name: str
    hard: Mapping[str, str]
    used: Mapping[str, str]


def find_shortfalls(quotas: Sequence[Quota], compute: Compute, namespace: str) -> Iterator[str]:
    """Yields a sentence for each resource of which a quota has too little left for the Job."""
    needs = _needs(compute)
    for quota in quotas:
        for resource, hard in sorted(quota.hard.items()):
            need = needs.get(resource)
            left = _amount(hard) - _amount(quota.used.get(resource, "0"))
            if need is not None and need[0] > left:
                yield (
                    f"the Job needs {canonical(*need)} of {resource}, and the quota {quota.name} of the namespace "
                    f"{namespace} has {canonical(left, need[1])} of {hard} left; the Job waits until there is enough"
                )


def _needs(compute: Compute) -> dict[str, tuple[Fraction, str]]:
    """Returns amounts, with the suffix to write them with, by the resources' names in quotas."""
    cpu, memory = compute.nodes * _amount(compute.cpu), compute.nodes * _amount(compute.memory)
    of_pods = {
        "pods": Fraction(compute.nodes), "count/pods": Fraction(compute.nodes), "count/jobs.batch": Fraction(1),
        "requests.nvidia.com/gpu": Fraction(compute.nodes * compute.gpus),
    }  # fmt: skip
    return {
        **dict.fromkeys(("cpu", "requests.cpu", "limits.cpu"), (cpu, "")),
        **dict.fromkeys(("memory", "requests.memory", "limits.memory"), (memory, "Mi")),
        **{name: (amount, "") for name, amount in of_pods.items()},
    }


def _amount(text: str) -> Fraction:
    found = parse(text)
    return Fraction(0) if found is None else found.amount
