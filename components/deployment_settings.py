"""What a deployment is asked to be, checked all at once: plain values in, settings or problems out.

Pure: values that are not known yet are left out by the caller, and the rest is checked all the same. This is the only
check that a preview gets, since an unknown image switches the Kubernetes provider's own validation off.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from components.image_reference import is_pinned
from components.quantity import Quantity, QuantityError, Resource, parse
from components.quota import PodResources, quota_problems, request_problems, shortfall_problems
from settings.problem import Problem

Exposure = Literal["cluster", "nodePort"]

EXPOSURES: Final = ("cluster", "nodePort")
MAX_REPLICAS: Final = 10_000  # above what any cluster of Kubernetes' tested sizes carries in one Deployment
NODE_PORTS: Final = (30000, 32767)  # Kubernetes' default range
MANIFEST_MAX_BYTES: Final = 1024 * 1024  # the format's limit, and a ConfigMap's
QUANTITIES: Final[Mapping[str, Resource]] = {
    "cpuRequest": "cpu",
    "memoryRequest": "memory",
    "cpuLimit": "cpu",
    "memoryLimit": "memory",
}
RESERVED_LABELS: Final = ("app.kubernetes.io/name", "app.kubernetes.io/instance", "sealift.dev/model")

_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_LABEL_KEY: Final = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII
)
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_SUFFIX_LENGTH: Final = 9  # "-" and 8 hex digits, which auto-naming adds
_LONGEST_CHILD_SUFFIX: Final = "-manifest"


@dataclass(frozen=True)
class DeploymentSettings:
    """Checked: a quota that is given carries `replicas` pods and the rolling surge."""

    model_name: str
    replicas: int
    pod: PodResources
    quota: Mapping[str, object]
    """ResourceQuota resources that are given; the others are derived."""
    exposure: Exposure
    node_port: int
    """0: Kubernetes chooses."""


def validate(values: Mapping[str, object]) -> tuple[DeploymentSettings | None, list[Problem]]:
    """Checks `values`, by property name. Settings only if all that they need is there and right."""
    quantities, quantity_problems = _quantities(values)
    problems = [*_own_problems(values), *quantity_problems, *request_problems(quantities)]
    pod = _pod(quantities)
    right = values.keys() - {problem.property.partition("[")[0] for problem in problems}
    if pod is not None and {"replicas", "quota"} <= right:
        quota = cast("Mapping[str, object]", values["quota"])
        problems += shortfall_problems(quota, _checked_number(values["replicas"]), pod)
    if {"exposure", "nodePort"} <= right and values["exposure"] == "cluster" and _checked_number(values["nodePort"]):
        message = f"is {_checked_number(values['nodePort'])}, but exposure is 'cluster'; allowed with it: 0"
        problems.append(Problem("nodePort", message, "set exposure to 'nodePort' to open a port on every node"))
    if problems or pod is None or not {"modelName", "replicas", "quota", "exposure", "nodePort"} <= right:
        return None, problems
    return _settings(values, pod), []


def _own_problems(values: Mapping[str, object]) -> list[Problem]:
    """What is wrong with each value by itself."""
    checks: Mapping[str, Callable[[object], list[Problem]]] = {
        "modelName": _model_name_problems,
        "replicas": _replicas_problems,
        "quota": quota_problems,
        "exposure": _exposure_problems,
        "nodePort": _node_port_problems,
        "labels": _label_problems,
        "image": _image_problems,
        "artifactId": lambda value: _hex_problems("artifactId", value, 32),
        "payloadDigest": lambda value: _hex_problems("payloadDigest", value, 64),
        "manifest": _manifest_problems,
    }
    return [problem for name, check in checks.items() if name in values for problem in check(values[name])]


def component_name_problems(name: str) -> list[Problem]:
    """Whether the component's name can begin the names of its Kubernetes objects."""
    longest = 63 - _SUFFIX_LENGTH - len(_LONGEST_CHILD_SUFFIX)
    if _DNS_LABEL.fullmatch(name) and len(name) <= longest:
        return []
    allowed = f"at most {longest} of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123)"
    return [Problem("name", f"is {name!r}; allowed: {allowed}")]


def whole_number(value: object) -> int | None:
    """The engine sends every number as a float: 3.0 is 3; 1.5, NaN, True and "3" are None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None


def _settings(values: Mapping[str, object], pod: PodResources) -> DeploymentSettings:
    return DeploymentSettings(
        model_name=str(values["modelName"]),
        replicas=_checked_number(values["replicas"]),
        pod=pod,
        quota=dict(cast("Mapping[str, object]", values["quota"])),
        exposure=cast("Exposure", values["exposure"]),
        node_port=_checked_number(values["nodePort"]),
    )


def _checked_number(value: object) -> int:
    number = whole_number(value)
    if number is None:
        raise AssertionError("internal error: a number that was checked is none")
    return number


def _quantities(values: Mapping[str, object]) -> tuple[dict[str, Quantity], list[Problem]]:
    quantities, problems = {}, []
    for name, resource in QUANTITIES.items():
        if name in values:
            try:
                quantities[name] = parse(resource, values[name])
            except QuantityError as error:
                problems.append(Problem(name, str(error)))
    return quantities, problems


def _pod(quantities: Mapping[str, Quantity]) -> PodResources | None:
    if len(quantities) < len(QUANTITIES):
        return None
    return PodResources(*(quantities[name] for name in QUANTITIES))


def _model_name_problems(value: object) -> list[Problem]:
    if isinstance(value, str) and _DNS_LABEL.fullmatch(value):
        return []
    allowed = "1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123)"
    return [Problem("modelName", f"is {value!r}; allowed: {allowed}")]


def _replicas_problems(value: object) -> list[Problem]:
    number = whole_number(value)
    if number is not None and 1 <= number <= MAX_REPLICAS:
        return []
    hint = "to serve nothing, `pulumi destroy` the stack" if number == 0 else ""
    return [Problem("replicas", f"is {value!r}; allowed: a whole number from 1 to {MAX_REPLICAS}", hint)]


def _exposure_problems(value: object) -> list[Problem]:
    if value in EXPOSURES:
        return []
    return [Problem("exposure", f"is {value!r}; allowed: {', '.join(map(repr, EXPOSURES))}")]


def _node_port_problems(value: object) -> list[Problem]:
    number = whole_number(value)
    if number is not None and (number == 0 or NODE_PORTS[0] <= number <= NODE_PORTS[1]):
        return []
    allowed = f"a whole number from {NODE_PORTS[0]} to {NODE_PORTS[1]}, or 0 to let Kubernetes choose"
    return [Problem("nodePort", f"is {value!r}; allowed: {allowed}")]


def _label_problems(value: object) -> list[Problem]:
    if not isinstance(value, Mapping):
        return [Problem("labels", f"is {value!r}; allowed: a map of label keys to texts")]
    problems = []
    for key, text in value.items():
        if key in RESERVED_LABELS:
            problems.append(Problem(f'labels["{key}"]', "is set by ModelDeployment itself; allowed: any other key"))
        elif not isinstance(key, str) or not _LABEL_KEY.fullmatch(key):
            allowed = "[prefix/]name, such as 'team' or 'example.com/team'"
            problems.append(Problem(f'labels["{key}"]', f"is no label key; allowed: {allowed}"))
        elif not isinstance(text, str) or not _LABEL_VALUE.fullmatch(text):
            allowed = "up to 63 of A-Z, a-z, 0-9, '-', '_' and '.', with a letter or digit at both ends"
            problems.append(Problem(f'labels["{key}"]', f"is {text!r}; allowed: {allowed}"))
    return problems


def _image_problems(value: object) -> list[Problem]:
    if isinstance(value, str) and is_pinned(value):
        return []
    hint = "a tag can be moved to another image; ModelImage's output `ref` is pinned"
    return [Problem("image", f"is {value!r}; allowed: an image by its digest, REPOSITORY@sha256:<64 hex digits>", hint)]


def _hex_problems(name: str, value: object, digits: int) -> list[Problem]:
    if isinstance(value, str) and re.fullmatch(rf"[0-9a-f]{{{digits}}}", value):
        return []
    return [Problem(name, f"is {value!r}; allowed: {digits} hex digits, as TrainingRun's output {name}")]


def _manifest_problems(value: object) -> list[Problem]:
    if isinstance(value, str) and 0 < len(value.encode()) <= MANIFEST_MAX_BYTES:
        return []
    size = f"{len(value.encode())} bytes of text" if isinstance(value, str) else f"a {type(value).__name__}"
    return [Problem("manifest", f"is {size}; allowed: 1 to {MANIFEST_MAX_BYTES} bytes, TrainingRun's output manifest")]
