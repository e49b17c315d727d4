"""The settings of each section grouped by task, an example for each, and the effect of a change.

tests/unit/test_settings_by_task.py checks that every declared setting is in exactly one group, that the config accepts
each example, and that a change has the effect that its page states.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from components.sections import SECTIONS
from sealift.settings.declare import Setting, declarations

Example = str | tuple[str, ...]
"""Value of the setting, or `[0] VALUE` for a list and `.NAME VALUE` for a map. A tuple has whole lines `PATH VALUE`,
for settings that need others beside them.
"""
Groups = Mapping[str, Mapping[str, Example]]
"""Examples by path, by the group's title."""

NAMES: Final = {
    "apiKeys.NAME": "apiKeys.app",
    "gates.metrics.NAME": "gates.metrics.accuracy",
    "masking.NAME": "masking.birthYear",
    "search.parameters.NAME": "search.parameters.learningRate",
}
"""Names in the examples for objects whose name the user chooses."""


class Effect(Enum):
    """Effect of a change on the next `pulumi up`."""

    TRAINS = "retrains the model, then builds its image and rolls the pods"
    CHECKS = "checks the sealed model again and rewrites its report; nothing restarts"
    WRAPS = "wraps the artifact's key again and rolls the pods; nothing is trained or built"
    RESEALS = "seals the same model again, then builds its image and rolls the pods; nothing is trained"
    BUILDS = "builds the image and rolls the pods"
    ROLLS = "rolls the pods"
    RECREATES = "replaces the container, and requests fail for some seconds"
    NOTHING = "nothing restarts"


@dataclass(frozen=True)
class Declared:
    """One declared setting at its path within a section, such as `schedule.kind`."""

    section: str
    path: str
    setting: Setting
    shapes: bool
    """Whether the model depends on it, and on all objects around it."""

    @property
    def full_path(self) -> str:
        """Path in a stack's config."""
        return f"{self.section}.{self.path}"


IN_A_JOB: Final = ("compute.kind job", "compute.image ghcr.io/acme/training:1")
TRAINING: Final[Groups] = {
    "Data set": {
        "dataset": "data/churn.csv",
        "data.target": "churned",
        "data.features": "[0] age",
        "data.exclude": "[0] customerId",
        "data.categorical": "[0] postalCode",
        "data.task": "classification",
        "data.encoding": "windows-1252",
        "data.missing": "[0] unknown",
        "data.dropMissingTarget": "true",
        "data.delimiter": "';'",
        "data.text": "review",
        "data.image.column": "photo",
        "data.image.channels": "1",
        "data.image.height": ("data.image.height 64", "data.image.width 64"),
        "data.image.width": ("data.image.height 64", "data.image.width 64"),
        "data.heldOut": "0.3",
        "data.validation": "0.1",
        "data.split.column": "part",
        "data.split.heldOut": "[0] 2024",
        "data.split.validation": "[0] 2023",
        "data.timeColumn": "signedUp",
        "data.memoryBytes": "8589934592",
        "data.arguments": ".year 2024",
    },
    "Network": {
        "source": "onnx",
        "model": "mlp",
        "modelArguments": ".width 128",
        "modelPath": "networks",
    },
    "Optimisation": {
        "loss": "huber",
        "classWeights": "balanced",
        "learningRate": "0.02",
        "momentum": "0.9",
        "nesterov": "true",
        "weightDecay": "0.0001",
        "gradientClip": "1",
        "batchSize": "64",
        "accumulateSteps": "4",
        "freeze": "[0] body.",
        "augment": "nets:flip",
        "precision": "bf16",
    },
    "Schedule and stopping": {
        "epochs": "200",
        "stopLoss": "0.05",
        "schedule.kind": "cosine",
        "schedule.warmupEpochs": "5",
        "schedule.stepEpochs": "20",
        "schedule.factor": "0.5",
        "schedule.minimum": "0.0001",
        "earlyStopping.metric": "accuracy",
        "earlyStopping.patience": "5",
        "earlyStopping.minimumChange": "0.001",
        "timeoutSeconds": "3600",
        "checkpointSeconds": "60",
    },
    "Search and cross-validation": {
        "folds": "5",
        "search.trials": "50",
        "search.metric": "accuracy",
        "search.parameters.NAME.low": "0.001",
        "search.parameters.NAME.high": "0.1",
        "search.parameters.NAME.log": "true",
        "search.parameters.NAME.choices": (
            "search.parameters.batchSize.choices[0] 16",
            "search.parameters.batchSize.choices[1] 64",
        ),
    },
    "Starting weights": {
        "initFrom.artifactId": "0123456789abcdef0123456789abcdef",
        "initFrom.payloadDigest": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "initFrom.path": "weights/body.safetensors",
        "initFrom.leaveOut": "[0] head.",
    },
    "Privacy and masking": {
        "privacy.epsilon": "3",
        "privacy.noiseMultiplier": "1.1",
        "privacy.delta": "0.000001",
        "privacy.maxGradientNorm": "0.5",
        "masking.NAME.method": "hash",
        "masking.NAME.step": ("masking.birthYear.method generalise", "masking.birthYear.step 10"),
        "exposeMetrics": "true",
    },
    "Data quality and gates": {
        "quality.maximumMissing": "0.05",
        "quality.minimumClassShare": "0.05",
        "quality.schema": ".age whole",
        "quality.ranges": ("quality.ranges.age[0] 18", "quality.ranges.age[1] 99"),
        "quality.allow": "[0] imbalance",
        "gates.metrics.NAME.minimum": "0.9",
        "gates.metrics.NAME.maximum": "0.999",
        "gates.noWorseThanDeployed": "accuracy",
        "gates.tolerance": "0.01",
        "gates.maximumBytes": "10000000",
    },
    "Compression": {
        "compress.method": "staticInt8",
        "compress.sparsity": "0.8",
        "compress.metric": "accuracy",
        "compress.maximumLoss": "0.02",
    },
    "Machine": {
        "device": "cuda",
        "threads": "4",
        "compute.kind": IN_A_JOB,
        "compute.image": IN_A_JOB,
        "compute.namespace": (*IN_A_JOB, "compute.namespace training"),
        "compute.context": (*IN_A_JOB, "compute.context production"),
        "compute.cpu": (*IN_A_JOB, "compute.cpu 4"),
        "compute.memory": (*IN_A_JOB, "compute.memory 16Gi"),
        "compute.gpus": (*IN_A_JOB, "compute.gpus 1", "device cuda"),
        "compute.packagesClaim": (*IN_A_JOB, "compute.packagesClaim python"),
        "compute.packagesPath": (*IN_A_JOB, "compute.packagesClaim python", "compute.packagesPath site-packages"),
        "compute.processor": "'AuthenticAMD x86-64-v3'",
        "compute.processes": "2",
        "compute.nodes": (*IN_A_JOB, "compute.processes 4", "compute.nodes 2"),
        "deterministic": "false",
    },
    "Run and report": {
        "seed": "1",
        "retrainTrigger": "2027-01",
        "modelCard.intendedUse": "'Ranking customers for a call'",
        "modelCard.limitations": "'Customers of the first month'",
        "modelCard.ethicalConsiderations": "'Age is a feature; errors were compared by age group'",
        "modelCard.licence": "Apache-2.0",
        "modelCard.dataLicence": "CC-BY-4.0",
        "modelCard.contact": "ml@example.com",
    },
}
CERTIFICATES: Final[Mapping[str, Example]] = dict.fromkeys(
    ("tlsCertificate", "tlsPrivateKey"),
    ('tlsCertificate -- "$(cat server.pem)"', "--secret tlsPrivateKey < server-key.pem"),
)
MODEL_AND_ACCESS: Final[Mapping[str, Example]] = {
    "modelName": "churn",
    "explain": "true",
    "requireSignature": '[0] -- "$(cat signer.pem.pub)"',
    "auth": "none",
    "apiKeys.NAME.rotation": "2027-01",
    "apiKeys.NAME.overlap": "false",
    "apiKeys.NAME.scopes": "[0] predict",
    "apiKeys.NAME.expires": "2028-01-01T00:00:00Z",
    "apiKeys.NAME.requestsPerSecond": "100",
    "apiKeys.NAME.burst": ("apiKeys.app.requestsPerSecond 100", "apiKeys.app.burst 200"),
    "apiKeys.NAME.revoked": "true",
    "jwt.issuer": "https://login.example.com/",
    "jwt.audience": "[0] models",
    "jwt.algorithms": "[0] EdDSA",
    "jwt.jwksUrl": "https://login.example.com/keys.json",
    "jwt.jwks": '"$(cat keys.json)"',
    "jwt.scopeClaim": "permissions",
    "jwt.leewaySeconds": "60",
}
OBSERVABILITY: Final[Mapping[str, Example]] = {
    "accessLog": "all",
    "tracing.otlpEndpoint": "http://collector.observability:4318",
    "tracing.ratio": "0.01",
    "labels": ".team churn",
}
GROUPS: Final[Mapping[str, Groups]] = {
    "store": {
        "Place": {"url": "file:///srv/sealift", "retention": "delete", "retainCount": "3", "retainDays": "30"},
        "Keys": {
            "key": "hashivault://sealift",
            "keysUrl": "s3://my-keys/prod",
            "rotation": "2027-01",
            "reseal": "2027-01",
            "signingKey": ("--secret signingKey < signer.pem",),
            "recipients": '[0] -- "$(openssl pkey -in recovery.pem -pubout)"',
        },
    },
    "training": TRAINING,
    "image": {
        "Place": {"registry": "registry.example.com/models"},
        "Content": {"baseImage": "python:3.12-slim", "wheels": "build/wheels", "platform": "linux/arm64"},
    },
    "deployment": {
        "Model and access": MODEL_AND_ACCESS,
        "Size and scale": {
            "replicas": "5",
            "cpuRequest": "250m",
            "cpuLimit": "2",
            "memoryRequest": "800Mi",
            "memoryLimit": "2Gi",
            "quota": ".pods 8",
        },
        "Scaling by load": {
            "autoscaling.minReplicas": ("autoscaling.minReplicas 3", "autoscaling.maxReplicas 10"),
            "autoscaling.maxReplicas": "10",
            "autoscaling.cpu": ("autoscaling.maxReplicas 10", "autoscaling.cpu 50"),
            "autoscaling.requestsPerSecond": ("autoscaling.maxReplicas 10", "autoscaling.requestsPerSecond 200"),
            "autoscaling.latencySeconds": ("autoscaling.maxReplicas 10", "autoscaling.latencySeconds 0.05"),
            "autoscaling.scaleDownSeconds": ("autoscaling.maxReplicas 10", "autoscaling.scaleDownSeconds 60"),
        },
        "Network": {
            "exposure": "nodePort",
            "nodePort": ("exposure nodePort", "nodePort 30080"),
            "grpc": "true",
            "corsOrigins": "[0] https://app.example.com",
        },
        "Certificates": CERTIFICATES,
        "Observability": OBSERVABILITY,
    },
    "container": {
        "Model and access": MODEL_AND_ACCESS,
        "Size": {"cpuLimit": "2", "memoryLimit": "2Gi"},
        "Network": {
            "address": "192.168.1.10",
            "port": "80",
            "grpc": "true",
            "grpcPort": ("grpc true", "grpcPort 9001"),
            "metricsPort": "9090",
            "corsOrigins": "[0] https://app.example.com",
        },
        "Certificates": CERTIFICATES,
        "Observability": OBSERVABILITY,
    },
}

EFFECTS: Final[Mapping[str, Effect]] = {
    "store.url": Effect.TRAINS,
    "store.keysUrl": Effect.NOTHING,
    "store.retention": Effect.NOTHING,
    "store.retainCount": Effect.NOTHING,
    "store.retainDays": Effect.NOTHING,
    "store.reseal": Effect.RESEALS,
    "store.signingKey": Effect.NOTHING,
    "store": Effect.WRAPS,
    "training.timeoutSeconds": Effect.NOTHING,
    "training.checkpointSeconds": Effect.NOTHING,
    "training.exposeMetrics": Effect.NOTHING,
    "training.compute": Effect.NOTHING,
    "training.compute.processes": Effect.TRAINS,
    "training.compute.processor": Effect.TRAINS,
    "image": Effect.BUILDS,
    "deployment.replicas": Effect.NOTHING,
    "deployment.autoscaling": Effect.NOTHING,
    "deployment.quota": Effect.NOTHING,
    "deployment.exposure": Effect.NOTHING,
    "deployment.nodePort": Effect.NOTHING,
    "deployment.apiKeys": Effect.NOTHING,
    "deployment.jwt": Effect.NOTHING,
    "deployment.requireSignature": Effect.NOTHING,
    "deployment": Effect.ROLLS,
    "container.memoryLimit": Effect.NOTHING,
    "container.requireSignature": Effect.NOTHING,
    "container": Effect.RECREATES,
}
"""Effects by full path, or by the path of an object around it: the longest one counts. The other settings of `training`
declare theirs.
"""
REMARKS: Final = {
    "deployment.auth": 'A change between "apiKey" and "jwt" restarts nothing.',
    "deployment.replicas": "Pods are added or removed.",
    "deployment.tlsCertificate": "A renewed certificate restarts nothing.",
    "deployment.tlsPrivateKey": "A renewed certificate restarts nothing.",
}
"""Sentences that follow the effect, by full path."""


def declared(section: str) -> Iterator[Declared]:
    """Yields every declaration of a section: settings, and objects of settings before their own."""
    yield from _declared(section, "", SECTIONS[section], shapes=True)


def _declared(section: str, above: str, of: type[Any], *, shapes: bool) -> Iterator[Declared]:
    for one in declarations(of):
        found = Declared(section, above + one.name, one, shapes and one.shapes)
        yield found
        if one.of is not None:
            inside = f"{found.path}.NAME." if one.many else f"{found.path}."
            yield from _declared(section, inside, one.of, shapes=found.shapes)


def effect(one: Declared) -> Effect:
    """Returns the effect of a change of the setting."""
    parts = one.full_path.split(".")
    for length in range(len(parts), 0, -1):
        known = EFFECTS.get(".".join(parts[:length]))
        if known is not None:
            return known
    return Effect.TRAINS if one.shapes else Effect.CHECKS


def commands(section: str, path: str, example: Example) -> list[str]:
    """Returns the example as commands, one for each line of it."""
    lines = [_line(path, example)] if isinstance(example, str) else example
    return [_command(section, line) for line in lines]


def _line(path: str, value: str) -> str:
    for of_all, named in NAMES.items():
        path = path.replace(of_all, named)
    return f"{path}{value}" if value[0] in "[." else f"{path} {value}"


def _command(section: str, line: str) -> str:
    options = "--path --secret" if line.startswith("--secret ") else "--path"
    path, _, value = line.removeprefix("--secret ").partition(" ")
    full = f"{section}.{path}"
    return f"pulumi config set {options} {full if '[' not in full else repr(full)} {value}"
