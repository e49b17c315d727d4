"""The stack's typed config: what Pulumi.yaml declares and describes, read once and checked all at once.

Names, types, descriptions and defaults stand in Pulumi.yaml alone. The engine checks the types of keys it knows; here
are the checks it cannot make: values, unknown keys, numbers with a fraction (it has no type for them, so they travel
as text). `parse` is pure; `read_config` is the edge to Pulumi.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.runtime import config as runtime_config

from components import deployment_settings
from components.image_reference import is_reference, is_registry
from sealing import SealingError, parse_recipient
from stores import StoreError, open_store
from settings.names import input_of, snake_case
from settings.problem import Problem, report
from training.job import INPUTS, Job

SHOWN: Final = 32  # the exit code that tells a language host that the user has read what is wrong
KEYS: Final = (
    "modelName", "dataset", "model", "learningRate", "epochs", "batchSize", "seed", "stopLoss", "training",
    "timeoutSeconds", "retrainTrigger", "exposeMetrics", "storeUrl", "retention", "rotation", "recipients",
    "registry", "baseImage", "platform", "replicas", "cpuRequest", "memoryRequest", "cpuLimit", "memoryLimit",
    "quota", "exposure", "nodePort",
)  # fmt: skip
JOB_KEYS: Final = ("dataset", "model", "learningRate", "epochs", "batchSize", "seed", "stopLoss")
DEPLOYMENT_KEYS: Final = (
    "replicas", "cpuRequest", "memoryRequest", "cpuLimit", "memoryLimit", "quota", "exposure", "nodePort",
)  # fmt: skip
NUMBERS: Final = frozenset(
    {"learningRate", "epochs", "batchSize", "seed", "stopLoss", "timeoutSeconds", "replicas", "nodePort"}
)
RETENTIONS: Final = ("keep", "delete")
PLATFORMS: Final = ("linux/amd64", "linux/arm64")
DEFAULT_REGISTRY: Final = "localhost:5000"
DEFAULT_WHEELS: Final = ".tools/wheels"
HINT: Final = "`pulumi config set KEY VALUE` changes one; Pulumi.yaml describes them all"


@dataclass(frozen=True)
class StackConfig:
    """One stack's config, checked. Empty texts of the config are None here, or the default they stand for."""

    model_name: str
    dataset: str
    model: str
    learning_rate: float
    epochs: int
    batch_size: int
    seed: int
    stop_loss: float | None
    training: Mapping[str, Any]
    """Further inputs of TrainingRun, by the names of its arguments."""
    timeout_seconds: int
    """0: no limit."""
    retrain_trigger: str
    expose_metrics: bool
    store_url: str
    retention: str
    rotation: str
    recipients: tuple[str, ...]
    """PEM of further public keys."""
    registry: str
    base_image: str
    wheels: Path
    """Folder of the wheels that the server needs; from the environment (SEALIFT_WHEELS), since it is a place and not
    a choice.
    """
    platform: str
    replicas: int
    cpu_request: str
    memory_request: str
    cpu_limit: str
    memory_limit: str
    quota: Mapping[str, str]
    """ResourceQuota resources that are given; empty: all are derived."""
    exposure: str
    node_port: int
    """0: Kubernetes chooses."""


def config_or_exit(config: pulumi.Config) -> StackConfig:
    """As read_config, for a program's own use: says what is wrong and ends it. To a RunError that reaches the language
    host, the official one adds a line about an unhandled error.
    """
    try:
        return read_config(config)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        sys.exit(SHOWN)


def read_config(config: pulumi.Config) -> StackConfig:
    """The stack's config. Raises pulumi.RunError, which the CLI shows without a traceback, with all that is wrong."""
    prefix = config.full_key("")
    stored: Mapping[str, Any] = runtime_config.get_config_env() | runtime_config.CONFIG.get()
    values = {key.removeprefix(prefix): value for key, value in stored.items() if key.startswith(prefix)}
    secret = [key for key in values if runtime_config.is_config_secret(prefix + key)]
    if secret:  # first, so that no message quotes what was meant to stay hidden
        message = "is set as a secret; allowed: plain text, since it shows in names and objects"
        problems = [Problem(key, message) for key in secret]
        raise pulumi.RunError(report("the stack's config cannot be used", problems, "set it again with --plaintext"))
    parsed, problems = parse(values, os.environ, Path.cwd())
    if parsed is None:
        raise pulumi.RunError(report("the stack's config cannot be used", problems, HINT))
    return parsed


def parse(
    values: Mapping[str, Any], environment: Mapping[str, str], folder: Path | None = None
) -> tuple[StackConfig | None, list[Problem]]:
    """`values` by key, as text or, where a caller has it, as what the text stands for; objects also as JSON.

    `folder` is the program's, where data sets and the user's modules are looked for.

    `environment` is where set-up leaves what it found: SEALIFT_REGISTRY and SEALIFT_BASE_IMAGE stand in for empty keys.
    """
    problems = _key_problems(values)
    known = {key: _number(values[key]) if key in NUMBERS else values[key] for key in KEYS if key in values}
    known |= _defaults(known, environment)
    further, further_problems = _further(known.get("training", {}))
    settings_of_job = {key: known[key] for key in JOB_KEYS if key in known} | further
    job, job_problems = Job.validate(settings_of_job, folder)
    problems += further_problems
    problems += [Problem(_path_in_config(problem.property), problem.message) for problem in job_problems]
    deployment: dict[str, object] = {key: known[key] for key in ("modelName", *DEPLOYMENT_KEYS) if key in known}
    if deployment.get("modelName") == "":
        deployment["modelName"] = _name_of(job.dataset) if job else "unknown"  # a wrong job is told anyway
    if "quota" in deployment:
        deployment["quota"] = _object(deployment["quota"])
    settings, deployment_problems = deployment_settings.validate(deployment)
    problems += deployment_problems
    for key, check in _CHECKS.items():
        if key in known:
            problems += [Problem(key, message) for message in check(known[key])]
    if problems or job is None or settings is None:
        return None, problems
    return StackConfig(
        model_name=settings.model_name,
        dataset=job.dataset,
        model=job.model,
        learning_rate=job.learning_rate,
        epochs=job.epochs,
        batch_size=job.batch_size,
        seed=job.seed,
        stop_loss=job.stop_loss,
        training={snake_case(name): value for name, value in further.items()},
        timeout_seconds=deployment_settings.whole_number(known["timeoutSeconds"]) or 0,
        retrain_trigger=str(known["retrainTrigger"]),
        expose_metrics=_boolean(known["exposeMetrics"]) or False,
        store_url=str(known["storeUrl"]),
        retention=str(known["retention"]),
        rotation=str(known["rotation"]),
        recipients=tuple(_texts(known["recipients"])),
        registry=str(known["registry"]),
        base_image=str(known["baseImage"]),
        wheels=Path(environment.get("SEALIFT_WHEELS") or DEFAULT_WHEELS),
        platform=str(known["platform"]),
        replicas=settings.replicas,
        cpu_request=settings.pod.cpu_request.text,
        memory_request=settings.pod.memory_request.text,
        cpu_limit=settings.pod.cpu_limit.text,
        memory_limit=settings.pod.memory_limit.text,
        quota={key: str(value) for key, value in settings.quota.items()},
        exposure=settings.exposure,
        node_port=settings.node_port,
    ), []


def _further(value: object) -> tuple[dict[str, object], list[Problem]]:
    """The object `training`: inputs of TrainingRun that have no key of their own."""
    inputs = _object(value)
    allowed = [name for name in INPUTS if name not in JOB_KEYS]
    if not isinstance(inputs, Mapping):
        return {}, [Problem("training", f"is {value!r}; it must be an object of inputs: {', '.join(allowed)}")]
    unknown = sorted(inputs.keys() - set(allowed))
    problems = [Problem(f"training.{name}", f"is not an input here; allowed: {', '.join(allowed)}") for name in unknown]
    return {name: inputs[name] for name in allowed if name in inputs}, problems


def _path_in_config(property_path: str) -> str:
    return property_path if input_of(property_path) in JOB_KEYS else f"training.{property_path}"


def _key_problems(values: Mapping[str, Any]) -> list[Problem]:
    missing = "is not set, though Pulumi.yaml should give its default"
    problems = [Problem(key, missing) for key in KEYS if key not in values]
    for key in sorted(values.keys() - set(KEYS)):
        close = get_close_matches(key, KEYS, n=1)
        meant = f"did you mean '{close[0]}'?" if close else f"allowed: {', '.join(KEYS)}"
        problems.append(Problem(key, f"is not a key of this project; {meant}", f"`pulumi config rm {key}` removes it"))
    return problems


def _name_of(dataset: str) -> str:
    """A model's name after its data set's: what a path, URL or reference ends in, in letters that a name may have."""
    last = dataset.rpartition(":")[2].rpartition("/")[2].partition(".")[0]
    return re.sub("[^a-z0-9]+", "-", last.lower()).strip("-")[:63] or "model"


def _defaults(known: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, object]:
    """What the empty text of a key stands for; a model's name, which is the data set's, comes once that is checked."""
    meanings: Mapping[str, Any] = {
        "stopLoss": None,
        "registry": environment.get("SEALIFT_REGISTRY") or DEFAULT_REGISTRY,
        "baseImage": environment.get("SEALIFT_BASE_IMAGE", ""),
    }
    return {key: meaning for key, meaning in meanings.items() if known.get(key) == ""}


def _number(value: object) -> object:
    """Text of a number as that number; anything else as it is, for the check to quote."""
    if not isinstance(value, str) or not value.isascii() or "_" in value:
        return value
    for number in (int, float):
        try:
            return number(value)
        except ValueError:
            continue
    return value


def _object(value: object) -> object:
    """JSON of an object as that object; anything else as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def _timeout_messages(value: object) -> list[str]:
    seconds = deployment_settings.whole_number(value)
    if seconds is not None and seconds >= 0:
        return []
    return [f"is {value!r}; allowed: a whole number of seconds from 1, or 0 for no limit"]


def _store_messages(value: object) -> list[str]:
    try:
        open_store(str(value))
    except StoreError as error:
        return [f"is {value!r}; {error.message}; {error.hint}"]
    return []


def _texts(value: object) -> list[str]:
    items = _object(value)
    return [str(item) for item in items] if isinstance(items, list) else []


def _recipients_messages(value: object) -> list[str]:
    if not isinstance(_object(value), list):
        return [f"is {value!r}; allowed: a list of RSA-4096 public keys in PEM"]
    messages = []
    for index, pem in enumerate(_texts(value)):
        try:
            parse_recipient(pem)
        except SealingError as error:
            messages.append(f"has at [{index}] {pem[:40]!r}: {error.message}; {error.hint}")
    return messages


def _base_image_messages(value: object) -> list[str]:
    if isinstance(value, str) and is_reference(value):
        return []
    allowed = "an image with python3 3.11 or later, such as 'python:3.12-slim'"
    found = "; empty stands for what set-up has found: run `make setup`, then `source .tools/activate`"
    return [f"is {value!r}; allowed: {allowed}{found if value == '' else ''}"]


def _registry_messages(value: object) -> list[str]:
    if isinstance(value, str) and is_registry(value):
        return []
    return [f"is {value!r}; allowed: HOST[:PORT][/PATH] without a scheme, such as '{DEFAULT_REGISTRY}'"]


def _one_of(allowed: tuple[str, ...]) -> Callable[[object], list[str]]:
    return lambda value: [] if value in allowed else [f"is {value!r}; allowed: {', '.join(map(repr, allowed))}"]


_CHECKS: Final[Mapping[str, Callable[[object], list[str]]]] = {
    "timeoutSeconds": _timeout_messages,
    "exposeMetrics": lambda value: [f"is {value!r}; allowed: true, false"] if _boolean(value) is None else [],
    "storeUrl": _store_messages,
    "retention": _one_of(RETENTIONS),
    "recipients": _recipients_messages,
    "registry": _registry_messages,
    "baseImage": _base_image_messages,
    "platform": _one_of(PLATFORMS),
}
