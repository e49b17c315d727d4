"""What is typed of the documents' commands, what must then be seen, and which are not typed, with the reason.

tests/unit/test_typed_commands.py holds this to the documents: a new command is in one of the tables, or that fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

RUN: Final = "TrainingRun training"
IMAGE: Final = "docker:index:Image"
ROLL: Final = "kubernetes:apps/v1:Deployment"


@dataclass(frozen=True)
class Step:
    """One line: what it says and does not say, and what is there afterwards."""

    says: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    """Commands that make what the document takes for granted."""
    put: Mapping[str, str] = field(default_factory=dict)
    """What stands for a reader's own values."""
    instead: str = ""
    """What is typed for a command that the text does not say in full."""
    then: str = ""
    """A command that must succeed afterwards, such as a preview of a setting."""
    fails: bool = False
    answers: bool = False
    """The model that is deployed now gives its example row the answer that training recorded."""
    makes: str = ""
    """A file that then has content."""


ANY: Final = Step()
NO_TRAINING: Final = Step(without=(RUN, IMAGE))
NO_ROLL: Final = Step(says=("Secret model-access",), without=(RUN, IMAGE, ROLL))
TRAINS: Final = Step(says=(RUN, IMAGE, ROLL), answers=True)
ROTATES: Final = Step(says=(ROLL,), without=("epoch ", IMAGE), answers=True)
PREVIEWS: Final = Step(then="pulumi preview", says=("Previewing update",))
TAKEN_BACK: Final = Step(then="pulumi config rm --path store.url")
"""The bucket is the reader's."""
NOT_IN_A_JOB: Final = Step(then="pulumi config rm --path training.compute")
"""The image is the reader's."""
PROD: Final = Step(before=("pulumi stack select prod",))

WRITE_KEY: Final = "(umask 077; pulumi stack output privateKey --show-secrets > .sealift/private-key.pem)"

NO_TRAINING_SETTINGS: Final = (
    "pulumi config rm training",
    "pulumi config set --path training.exposeMetrics true",
)
CERTIFICATE: Final = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    " -keyout server-key.pem -out server.pem 2>/dev/null"
)

README: Final[Mapping[str, Mapping[str, Step]]] = {
    "The fastest look": {
        "python3 -m venv .venv && . .venv/bin/activate && pip install --upgrade pip": ANY,
        "pip install --group train": Step(instead="python -m pip install --dry-run --group train"),
        "python -m training --dataset digits": ANY,
    },
    "Change one setting": {
        "pulumi config set --path deployment.replicas 3 && pulumi up": Step(says=(ROLL,), without=(RUN, IMAGE)),
        "pulumi config set --path training.learningRate 0.02 && pulumi up": TRAINS,
        "pulumi config set --path training.dataset digits && pulumi up": TRAINS,
    },
    "Your own data": {
        "pulumi config set --path training.dataset data/churn.csv": ANY,
        "pulumi config set --path training.data.target churned": ANY,
        "pulumi config set --path training.masking.email.method drop": ANY,
        "pulumi config set --path training.gates.metrics.auroc.minimum 0.8": ANY,
        "pulumi up": TRAINS,
    },
    "Your own model": {"pulumi config set --path training.model nets:Wide && pulumi up": TRAINS},
}
HOW_TO: Final[Mapping[str, Mapping[str, Mapping[str, Step]]]] = {
    "docs/how-to/install.md": {
        "The library alone": {
            'pip install ".[serve]"': Step(
                instead=".venv/bin/pip install --quiet --no-deps . && .venv/bin/sealift --version", says=("0.",)
            ),
            "sealift serve --artifact STORE/ID --key private-key.pem": Step(
                instead="python -m sealift serve --help", says=("--artifact STORE/ID", "--key FILE")
            ),
        },
    },
    "docs/how-to/keys-and-access.md": {
        "Keys and access": {"pulumi stack output apiKeys --show-secrets": Step(says=('"default"', "sealift_"))},
        "One key for each client": {
            "pulumi config set --path 'deployment.apiKeys.dashboard.scopes[0]' metrics": ANY,
            "pulumi up": NO_ROLL,
        },
        "Rotating an API key": {
            "pulumi config set --path deployment.apiKeys.default.rotation 2027 && pulumi up": NO_ROLL,
            "pulumi config set --path deployment.apiKeys.default.overlap false && pulumi up": NO_ROLL,
        },
        "Revoking an API key": {
            "pulumi config set --path deployment.apiKeys.dashboard.revoked true && pulumi up": NO_ROLL,
        },
        "Tokens of your identity provider": {
            "pulumi config set --path deployment.auth jwt": ANY,
            "pulumi config set --path deployment.jwt.issuer https://login.example.com/": ANY,
            "pulumi config set --path 'deployment.jwt.audience[0]' models": ANY,
            "pulumi config set --path deployment.jwt.jwksUrl https://login.example.com/keys.json": PREVIEWS,
        },
        "Web pages of other origins": {
            "pulumi config set --path 'deployment.corsOrigins[0]' https://app.example.com": PREVIEWS
        },
        "Rotating the keys of the store": {
            "pulumi config set --path store.rotation 2028-01 && pulumi up": ROTATES,
        },
        "After a compromise": {
            "pulumi config set --path store.rotation 2028-02": ANY,
            "pulumi config set --path store.reseal 2028-02 && pulumi up": Step(
                says=(IMAGE, ROLL), without=("epoch ",), answers=True
            ),
        },
        "What a rotation does with running pods": {
            "pulumi config set kubernetes:enableSecretMutable true": Step(
                instead="pulumi config set kubernetes:enableSecretMutable true && "
                "pulumi config set --path deployment.apiKeys.default.rotation 2028 && pulumi up",
                says=NO_ROLL.says,
                without=NO_ROLL.without,
            ),
        },
        "Opening an artifact by hand": {
            "(umask 077; pulumi stack output privateKey --show-secrets > .sealift/private-key.pem)": Step(
                makes=".sealift/private-key.pem"
            ),
            "python -m sealift list --store file://~/.sealift/store": Step(says=("kB",)),
            "python -m sealift verify $(pulumi stack output artifactId) --store file://~/.sealift/store"
            " -i .sealift/private-key.pem": Step(says=("intact and authentic",)),
            "python -m sealift open $(pulumi stack output artifactId) --store file://~/.sealift/store"
            " -i .sealift/private-key.pem --payload-digest $(pulumi stack output payloadDigest) -o model.onnx": Step(
                says=("wrote model.onnx",), makes="model.onnx"
            ),
        },
    },
    "docs/how-to/erasure.md": {
        "Erasing a model": {"pulumi stack output image": Step(says=("@sha256:",))},
        "A key for each artifact": {
            "pulumi config set --path store.keysUrl 's3://example-keys/prod?region=eu-west-1'": Step(
                then="pulumi config rm --path store.keysUrl"
            ),
        },
    },
    "docs/how-to/provenance.md": {
        "Where a model comes from": {
            "python -m sealift provenance $(pulumi stack output artifactId) --store file://~/.sealift/store"
            " -i .sealift/private-key.pem -o .sealift/model.slsa.json": Step(
                before=(WRITE_KEY,), says=("wrote",), makes=".sealift/model.slsa.json"
            ),
            "python -m sealift provenance $(pulumi stack output artifactId) --store file://~/.sealift/store"
            " -i .sealift/private-key.pem --format cyclonedx -o .sealift/model.cdx.json": Step(
                says=("wrote",), makes=".sealift/model.cdx.json"
            ),
            "python -m sealift verify $(pulumi stack output artifactId) --store file://~/.sealift/store"
            " -i .sealift/private-key.pem --provenance .sealift/model.slsa.json": Step(
                says=("intact and authentic",),
                then="rm .sealift/model.slsa.json .sealift/model.cdx.json",
            ),
        },
    },
    "docs/how-to/audit-log.md": {
        "The audit log of a store": {
            "python -m sealift list --audit --store file://~/.sealift/store": Step(says=("  seal  ", "  done")),
        },
        "Checking it": {
            "python -m sealift verify --audit --store file://~/.sealift/store": Step(
                says=("audit log intact: ", "head: ")
            ),
            "python -m sealift verify --audit --store file://~/.sealift/store --audit-head LINES:DIGEST": Step(
                instead="python -m sealift verify --audit --store file://~/.sealift/store --audit-head"
                " $(python -m sealift verify --audit --store file://~/.sealift/store | sed -n 's/^head: //p')",
                says=("audit log intact: ",),
            ),
        },
    },
    "docs/how-to/observability.md": {
        "A key for Prometheus": {
            "pulumi config set --path 'deployment.apiKeys.prometheus.scopes[0]' metrics": ANY,
            "pulumi up": NO_ROLL,
            "pulumi stack output apiKeys --show-secrets | jq -r .prometheus > key": Step(makes="key"),
        },
        "Traces": {
            "pulumi config set --path deployment.tracing.otlpEndpoint http://collector.observability:4318": ANY,
            "pulumi config set --path deployment.tracing.ratio 0.01": ANY,
            "pulumi up": Step(says=(ROLL,), without=(RUN, IMAGE), answers=True),
        },
    },
    "docs/tutorial.md": {
        "1. Start": {
            "source .tools/activate": Step(instead="source .tools/activate && pulumi stack --show-name", says=("dev",))
        },
        "2. Data": {
            "python data/wine.py": Step(makes="data/wine.csv"),
            "python -m training --dataset data/wine.csv --target cultivar": Step(says=("accuracy          0.9",)),
        },
        "3. A model of your data": {
            "pulumi config set --path training.dataset data/wine.csv": Step(before=NO_TRAINING_SETTINGS),
            "pulumi config set --path training.data.target cultivar": ANY,
            "pulumi config set --path training.gates.metrics.accuracy.minimum 0.9": ANY,
            "pulumi preview": Step(says=("will train", "because")),
            "pulumi up": TRAINS,
        },
        "5. The first change": {
            "pulumi config set --path training.model mlp": ANY,
            "pulumi up": TRAINS,
            "make report": Step(says=("accuracy",)),
        },
        "6. A change for the worse": {
            "pulumi config set --path training.learningRate 0.000001": ANY,
            "pulumi up": Step(fails=True, says=("accuracy", "0.9")),
        },
        "7. The way back": {
            "pulumi config rm --path training.learningRate": ANY,
            "pulumi up": Step(without=("epoch ", IMAGE, ROLL), answers=True),
        },
    },
    "docs/operations.md": {
        "Scaling": {
            "pulumi config rm --path deployment.replicas": ANY,
            "pulumi config set --path deployment.autoscaling.minReplicas 2": ANY,
            "pulumi config set --path deployment.autoscaling.maxReplicas 6": ANY,
            "pulumi config set --path deployment.autoscaling.maxReplicas 2": ANY,
            "pulumi config rm --path deployment.autoscaling": ANY,
            "pulumi config set --path deployment.replicas 2": ANY,
            # tests/cluster/test_main_job.py updates a stack with these settings, under load
            "pulumi up": Step(instead="pulumi preview", says=("Previewing update",), without=(RUN, IMAGE)),
        },
        "Drift": {
            "pulumi refresh": Step(says=("unchanged",)),
            "pulumi config set kubernetes:enablePatchForce true": ANY,
            "pulumi up": Step(without=(RUN, IMAGE)),
            "pulumi config rm kubernetes:enablePatchForce": ANY,
        },
        "The report": {
            "make report": Step(says=("Held-out metrics",)),
            "make report HTML=report.html": Step(makes="report.html"),
        },
    },
    "docs/how-to/other-languages.md": {
        "Programs in other languages": {
            "pulumi package get-schema ./components/plugin/pulumi-resource-sealift": Step(
                says=('"sealift:index:TrainingRun"', '"sealift:index:EncryptedArtifactStore"')
            ),
        }
    },
    "docs/how-to/own-data.md": {
        "Your own data": {
            "pulumi config set --path training.dataset data/churn.csv": ANY,
            "pulumi config set --path training.data.target churned": ANY,
            "pulumi preview": Step(says=("unchanged",), without=(RUN,)),
        },
        "Held-out rows": {
            "pulumi config set --path training.data.timeColumn signed_up": Step(
                instead="pulumi config set --path training.data.timeColumn signed_up && pulumi preview",
                says=("will train", "because"),
            )
        },
        "Quality checks": {
            "pulumi config set --path training.quality.schema.age whole": ANY,
            "pulumi config set --path 'training.quality.ranges.age[0]' 18": ANY,
            "pulumi config set --path 'training.quality.ranges.age[1]' 99": ANY,
            "pulumi config set --path training.quality.maximumMissing 0.05": PREVIEWS,
        },
        "Personal data": {"pulumi config set --path training.masking.email.method drop": ANY},
        "Gates": {
            "pulumi config set --path training.gates.metrics.auroc.minimum 0.8": ANY,
            "pulumi up": ANY,
            "make report HTML=report.html": Step(makes="report.html"),
        },
        "Images": {
            "pulumi config set --path training.data.image.column photo": ANY,
            "pulumi config set --path training.data.image.height 64": ANY,
            "pulumi config set --path training.data.image.width 64": ANY,
            "pulumi config set --path training.model cnn": ANY,
        },
        "Trying settings without a stack": {
            "python -m training --dataset digits --set earlyStopping.metric=accuracy": ANY,
        },
    },
    "docs/how-to/own-model.md": {
        "Your own model": {
            "pulumi config set --path training.model nets:Wide": ANY,
            "pulumi config set --path training.modelArguments.width 128": ANY,
            "pulumi up": TRAINS,
        },
        "Training settings": {
            "pulumi config set --path training.momentum 0.9": ANY,
            "pulumi config set --path training.weightDecay 0.0001": ANY,
            "pulumi config set --path training.schedule.kind cosine": ANY,
            "pulumi config set --path training.earlyStopping.patience 10": ANY,
            "pulumi up": TRAINS,
        },
        "Hyperparameter search": {
            "pulumi config set --path training.search.trials 10": ANY,
            "pulumi config set --path training.search.parameters.learningRate.low 0.001": ANY,
            "pulumi config set --path training.search.parameters.learningRate.high 0.1": PREVIEWS,
        },
        "Privacy": {
            "pulumi config set --path training.privacy.epsilon 3": ANY,
            "pulumi config set --path 'training.quality.ranges.age[0]' 18": ANY,
            "pulumi config set --path 'training.quality.ranges.age[1]' 99": ANY,
        },
        "Models from elsewhere": {
            "pulumi config set --path training.source onnx": ANY,
            "pulumi config set --path training.model models/churn.onnx": ANY,
        },
    },
    "docs/how-to/production.md": {
        "A stack for each environment": {
            "pulumi stack init prod --secrets-provider awskms://…": Step(put={"awskms://…": "passphrase"}),
            "pulumi config set --path image.registry registry.example.com/models": PROD,
            "pulumi config set --path store.url file:///srv/sealift": PROD,
        },
        "A recovery key": {
            "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out recovery.pem": Step(
                makes="recovery.pem"
            ),
            "pulumi config set --path 'store.recipients[0]' -- \"$(openssl pkey -in recovery.pem -pubout)\"": Step(
                before=("pulumi stack select dev",)
            ),
        },
        "Rotating the sealing key": {"pulumi config set --path store.rotation 2027-01 && pulumi up": ROTATES},
        "Going back to an earlier model": {
            "pulumi config set --path store.retainCount 3": ANY,
            "pulumi config set --path store.retainDays 30": ANY,
        },
    },
    "docs/how-to/object-storage.md": {
        "Object storage": {
            "pulumi config set --path store.url 's3://example-models/prod?region=eu-west-1'": TAKEN_BACK,
        },
        "Other servers with S3's API": {
            "pulumi config set --path store.url 's3://example-models/prod?endpoint=https://s3.example.com'": TAKEN_BACK,
        },
    },
    "docs/how-to/training-on-kubernetes.md": {
        "Training on Kubernetes": {
            f"pulumi config set --path training.compute.{name} {value}": NOT_IN_A_JOB
            for name, value in {
                "kind": "job",
                "image": "ghcr.io/acme/training@sha256:0123…",
                "namespace": "training",
                "cpu": "4",
                "memory": "16Gi",
            }.items()
        },
        "Several pods": {
            "pulumi config set --path training.compute.processes 4": NOT_IN_A_JOB,
            "pulumi config set --path training.compute.nodes 2": NOT_IN_A_JOB,
        },
    },
    "docs/how-to/kms.md": {
        "An existing stack": {"pulumi config set --path store.rotation 2029-01 && pulumi up": ROTATES},
    },
    "docs/how-to/tls.md": {
        "TLS": {
            'pulumi config set --path deployment.tlsCertificate -- "$(cat server.pem)"': Step(before=(CERTIFICATE,)),
            "pulumi config set --path --secret deployment.tlsPrivateKey < server-key.pem": ANY,
            "pulumi up": Step(
                instead="pulumi preview && pulumi config rm --path deployment.tlsCertificate"
                " && pulumi config rm --path deployment.tlsPrivateKey",
                says=("model-tls",),
                without=(RUN, IMAGE),
            ),
        }
    },
    "docs/how-to/without-kubernetes.md": {
        "In a Docker container": {
            "pulumi config set target docker --stack NAME": Step(
                before=("pulumi stack init --no-select elsewhere",), put={"NAME": "elsewhere"}
            ),
        },
        "As a local process": {
            "(umask 077; pulumi stack output privateKey --show-secrets > .sealift/private-key.pem)": Step(
                makes=".sealift/private-key.pem"
            ),
        },
    },
}
EXAMPLES: Final = ("language", "recommendation", "vision", "voice")
TYPED: Final[Mapping[str, Mapping[str, Mapping[str, Step]]]] = {"README.md": README, **HOW_TO}
"""Lines of code blocks: by document, section and line."""

IN_EXAMPLES: Final[Mapping[str, Step]] = {
    **{f"pulumi -C examples/{name} stack init dev": ANY for name in EXAMPLES},
    **{f"pulumi -C examples/{name} up": Step(says=(RUN, ROLL)) for name in EXAMPLES},
}

OF_THE_NAMESPACE: Final = '--namespace "$(pulumi stack output namespace)"'
MENTIONED: Final[Mapping[str, Step]] = {
    "pulumi stack output url": Step(says=("http://127.0.0.1:",)),
    "pulumi stack output apiKeys --show-secrets": Step(says=('"default"', "sealift_")),
    "pulumi stack select NAME": Step(put={"NAME": "dev"}),
    "cp Pulumi.dev.yaml Pulumi.NAME.yaml": Step(put={"NAME": "copy"}, makes="Pulumi.copy.yaml"),
    "pulumi config set --path deployment.auth none": Step(
        before=("cp Pulumi.dev.yaml kept.yaml", "pulumi config rm --path deployment.apiKeys"),
        then="pulumi preview && mv kept.yaml Pulumi.dev.yaml",
        says=("auth is 'none'",),
    ),
    "pulumi preview": Step(says=("unchanged",)),
    "source .tools/activate": Step(instead="source .tools/activate && pulumi stack --show-name", says=("dev",)),
    "pulumi up": Step(says=("unchanged",), without=("updated", "replaced")),
    "pulumi cancel": ANY,
    "pulumi refresh --clear-pending-creates": ANY,
    "pulumi package get-schema ./components/plugin/pulumi-resource-sealift": Step(
        says=('"sealift:index:TrainingRun"', '"sealift:index:EncryptedArtifactStore"')
    ),
    "pulumi config set --path training.learningRate 0.02": ANY,
    "pulumi config set --path training.nesterov true": ANY,
    "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096": Step(says=("BEGIN PRIVATE KEY",)),
    "openssl genpkey -algorithm X25519": Step(says=("BEGIN PRIVATE KEY",)),
    "pulumi stack export --show-secrets": Step(says=('"privateKey"', '"openingKeys"', "BEGIN PRIVATE KEY")),
    "kubectl describe pod": Step(instead=f"kubectl describe pod {OF_THE_NAMESPACE}", says=("Status:",)),
    "kubectl rollout undo": Step(
        instead=f"kubectl rollout undo {OF_THE_NAMESPACE} deployment", fails=True, says=("no rollout history found",)
    ),
}
"""Commands within the text, in any document."""

SERVES: Final = (
    "python -m sealift.serving --artifact ~/.sealift/store/$(pulumi stack output artifactId)"
    " --key .sealift/private-key.pem"
)
SET_UP: Final = "sets a machine up, or takes it down; what it does beyond that is the first step of the typed documents"
LONG: Final = "takes minutes, and runs in CI"
SMALL_MACHINES: Final = "measures for minutes, beside peers that are not here; its options are asked of --help"
ERASES: Final = "would destroy what the other documents need; tests/unit/command/test_gc_and_erase.py types it"
SCALED: Final = "needs an autoscaled stack under load; tests/cluster/test_main_job.py reads the same object"
SIGNS: Final = "needs the reader's store; tests/unit/command/test_sign.py types it"
REFUSES: Final = "needs the reader's signer; tests/unit/components/test_require_signature.py has the setting"
NOT_TYPED: Final[Mapping[str, str]] = {
    "make up": SET_UP,
    "make setup": SET_UP,
    "make down": SET_UP,
    "make setup TORCH=cpu": SET_UP,
    "make up STORE=s3": SET_UP,
    "make up STORE=file": SET_UP,
    "make down STACK=laptop": SET_UP,
    "make status": SET_UP,
    "make up STACK=laptop": "tests/cluster/test_docker_target.py runs this stack",
    "make up STACK=prod": "needs the reader's registry and store",
    "make up STACK=NAME": SET_UP,
    "pulumi config rm --path deployment.apiKeys": "would end the keys that the other documents name",
    "make test": "would run itself",
    "make report DEPLOYED=1": "tests/unit/bootstrap/commands/test_report.py; the other form is typed",
    "kubectl get hpa --all-namespaces": SCALED,
    "kubectl get events --all-namespaces --field-selector reason=SuccessfulRescale": SCALED,
    "kubectl scale": "tests/cluster/test_scaled_by_hand.py scales a Deployment",
    "pulumi destroy": "ends the stack that the other documents need; every stack of the tests ends by it",
    "python -m training": "typed with its options",
    "python -m sealift": "typed with its commands",
    "python -m sealift erase ARTIFACT-ID --store s3://example-models/prod --reason 'request 17' -i key.pem": ERASES,
    "python -m sealift erase ARTIFACT-ID --store s3://example-models/prod --reason 'request 17' --yes": ERASES,
    "python -m sealift erase ARTIFACT-ID --store s3://example-models/prod --keys s3://example-keys/prod"
    " --reason 'request 17' --yes": ERASES,
    "python -m sealift erase ARTIFACT-ID --store s3://example-models/prod --reason 'request 17' --yes"
    " --image ghcr.io/acme/sealift-model": ERASES,
    "python -m sealift gc --store s3://example-models/prod": ERASES,
    "python -m sealift keygen --signing -o signer.pem": SIGNS,
    "pulumi config set --path --secret store.signingKey < signer.pem": REFUSES,
    'pulumi config set --path deployment.requireSignature[0] -- "$(cat signer.pem.pub)"': REFUSES,
    "python -m sealift sign ARTIFACT-ID --store s3://example-models/prod --key signer.pem": SIGNS,
    "python -m sealift verify ARTIFACT-ID --store s3://example-models/prod --signer signer.pem.pub": SIGNS,
    "pulumi config set --path store.key hashivault://sealift && pulumi up": (
        "needs a Vault; tests/engine/test_key_in_kms.py does it with a real OpenBao"
    ),
    "make check": LONG,
    "make audit": "needs a service of the internet; tests/unit/bootstrap/commands/test_audit.py reads its answers",
    "make faults": LONG,
    "make docs": "writes into the checkout; a test compares what it would write",
    "source sealift/.tools/activate": "tests/engine/test_automation.py runs the page's program in it",
    "curl --cacert authority.pem https://models.example.com:30080/v2/health/ready": (
        "needs the reader's name and authority; tests/process/test_serving_tls.py asks a server over TLS"
    ),
    "pulumi package add": "writes an SDK for another language, whose language host is not part of set-up",
    "python -m sealift.serving": "tests/process type it with all its options",
    "python -m sealift.serving --artifact": "measured for minutes; the README's line is typed",
    "python -m sealift.serving --otlp-endpoint URL --trace-ratio 0.01": "test_tracing.py does, with a collector",
    "python -m benchmarks.training": SMALL_MACHINES,
    "python -m benchmarks.serving": SMALL_MACHINES,
    "python -m benchmarks.serving --peers FOLDER": SMALL_MACHINES,
    "python -m benchmarks.serving --overload --seconds 5": SMALL_MACHINES,
    "python -m benchmarks.sealing": SMALL_MACHINES,
    "python -m benchmarks.sealing --rounds 3": SMALL_MACHINES,
    "python -m benchmarks.large_model": SMALL_MACHINES,
    "python -m benchmarks.large_model --gigabytes 3": SMALL_MACHINES,
    "pip wheel .": "tests/unit/test_structure.py builds the wheel",
    "docker restart": "was measured, not asked for",
    "python -m tests.conformance --install FOLDER": "tests/process/test_clients.py installs and runs the same",
    "pip install tritonclient[http,grpc]": "tests/process/test_clients.py installs it",
    "pip install kserve": "hundreds of packages for one request; what it sends is Triton's protocol, which is tried",
}

SHOWN: Final[Mapping[str, Mapping[str, str]]] = {
    "README.md": {
        "✓ Python environment": "compared with what `make up` prints: tests/cluster/test_documents.py",
        "# models/nets.py": "the file that the typed commands after it train",
    },
    "docs/how-to/training-on-kubernetes.md": {
        "will train net on data/churn.csv": "tests/cluster/test_training_job.py reads such a preview",
        "  FROM python": "builds an image of 7 GB; tests/cluster/test_training_job.py mounts the same packages",
        "error: processor changed": "tests/process/test_pod.py",
    },
    "docs/how-to/signing.md": {
        "model_signing verify key": "tests/unit/signing/test_official.py runs the official program",
    },
    "docs/how-to/kms.md": {
        "vault secrets enable": "tests/openbao.py makes such keys, and tokens with this policy",
        "aws kms create-key": "needs an AWS account; test_awskms.py asks a stand-in",
        "az keyvault key create": "needs an Azure account; test_azurekeyvault.py asks a stand-in",
    },
    "docs/how-to/other-languages.md": {"name: my-models": "tests/engine/test_yaml.py"},
    "docs/tutorial.md": {"# data/wine.py": "the typed commands run it"},
    "docs/explanation/architecture.md": {"config → EncryptedArtifactStore": "the order of __main__.py"},
    "docs/how-to/own-model.md": {"# models/nets.py": "the README's, which the typed commands train"},
    "docs/how-to/production.md": {
        "error: the stack's config cannot be used:": "compared: tests/cluster/test_documents.py",
    },
    "docs/how-to/automation-api.md": {"import sys": "tests/engine/test_automation.py"},
    "docs/reference/configuration.md": {"config:": "tests/unit/test_typed_commands.py reads it as a stack's config"},
    "docs/reference/format-v1.md": {
        "header (40 bytes)": "a layout, which tests/unit/sealing is written from",
        "magic (8 bytes)": "a layout, which tests/unit/contents is written from",
        "payloads/<artifact id>": "compared with a store's folders: tests/cluster/test_documents.py",
        "keys/<artifact id>": "compared with a store of keys: tests/unit/stores/test_artifact_keys.py",
    },
    "docs/reference/protocol.md": {
        "import os": "tests/process/test_serving_document.py",
        "import asyncio, os": "KServe's client, which is not installed here: see NOT_TYPED",
        '{"model_name": "tiny"': "tests/process/test_serving_document.py",
    },
    **{f"examples/{name}/README.md": {"training:": "tests/unit/test_typed_commands.py"} for name in EXAMPLES},
}
"""Code blocks that are not for a shell: by document and how they begin, and what holds them."""
BY_A_PROCESS: Final = ("docs/reference/protocol.md",)
"""Documents whose commands need a server alone: tests/process/test_serving_document.py."""


def step_of(document: str, section: str, line: str) -> Step | None:
    """What is known of a line of a code block."""
    return TYPED.get(document, {}).get(section, {}).get(line) or IN_EXAMPLES.get(line)
