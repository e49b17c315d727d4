"""What components and resources take as `args`, and the sections of a stack's config: from the declarations of their
settings, by `make docs`.

No `from __future__ import annotations`, no unions and no Literal: the SDK's component analyzer reads these classes.
"""

# ruff: noqa: E501 (one line for each key)

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi


class ApiKeyArgs(TypedDict):
    """All of an ApiKey's inputs."""

    rotation: NotRequired[pulumi.Input[str]]
    """A new text makes a new key; the one before it stays good as long as `overlap` says. Allowed: any text."""

    overlap: NotRequired[pulumi.Input[bool]]
    """Whether the key before the last rotation is still good. Once it was off, that key is forgotten. Default: true."""


class EncryptedArtifactStoreArgs(TypedDict):
    """Where sealed artifacts are kept, and who can open them. Nothing here trains or builds anything anew."""

    url: NotRequired[pulumi.Input[str]]
    """Where sealed artifacts are kept. Allowed: `file://` and a path: absolute, `~/…` or relative to the project's
    folder. Default: file://~/.sealift/store.
    """

    retention: NotRequired[pulumi.Input[str]]
    """What happens to an artifact whose run is deleted or replaced. Allowed: "keep", "delete". Default: keep."""

    rotation: NotRequired[pulumi.Input[str]]
    """A new text makes a new key, which artifacts are then wrapped for; it trains and builds nothing. Allowed: any
    text.
    """

    recipients: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Further keys whose owners can open the artifacts too: a recovery key that outlives the stack, made with `openssl
    genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096`. Allowed: a list, each a public key in PEM (RSA-4096 or
    X25519).
    """


class ModelContainerArgs(TypedDict):
    """All of a ModelContainer's inputs: its settings, and what is served."""

    modelName: pulumi.Input[str]
    """What clients ask for, /v2/models/NAME/infer. In a stack's config, none is the data set's name. Allowed: 1 to 63
    of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123).
    """

    cpuLimit: NotRequired[pulumi.Input[str]]
    """CPUs that a server may use at most. Allowed: CPUs, such as `500m` or `1`. Default: 1."""

    memoryLimit: NotRequired[pulumi.Input[str]]
    """Memory beyond which a server is killed. Allowed: bytes, such as `500Mi` or `1Gi`. Default: 1Gi."""

    grpc: NotRequired[pulumi.Input[bool]]
    """Whether gRPC is served too, on port 8081. It takes about 15 MB of a server's memory. Default: false."""

    accessLog: NotRequired[pulumi.Input[str]]
    """Which requests have a line in the log: those that were refused or failed, or all. Never what was sent. Allowed:
    "errors", "all". Default: errors.
    """

    explain: NotRequired[pulumi.Input[bool]]
    """Whether rows are explained too: how much each feature adds to an answer, as Shapley values, at
    `/v2/models/NAME/explain` and on the page. One explanation can take seconds of a server's processor. Default:
    false.
    """

    corsOrigins: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Origins whose pages may ask from a browser, such as `https://app.example.com`; `*` is all of them. Default: none
    but the server's own page. Allowed: a list of origins, such as 'https://app.example.com', or '*'.
    """

    tracing: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Which requests are traced, and where their spans go."""

    auth: NotRequired[pulumi.Input[str]]
    """Who may ask: clients with a key; those with a token of `jwt`, or a key of `apiKeys`; or, "none", anyone who
    reaches the service. Allowed: "apiKey", "jwt", "none". Default: apiKey.
    """

    apiKeys: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """API keys, by name. With `auth: apiKey` there is a key `default` beside them, until it is revoked."""

    jwt: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Whose tokens are taken."""

    tlsCertificate: NotRequired[pulumi.Input[str]]
    """The server's certificate and its chain; with it, all its ports speak TLS, and none speaks without. Allowed: text
    in PEM, which begins with -----BEGIN.
    """

    tlsPrivateKey: NotRequired[pulumi.Input[str]]
    """The certificate's private key, unencrypted. Allowed: text in PEM, which begins with -----BEGIN. Secret."""

    labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further labels for every object. Allowed: label keys and texts."""

    address: NotRequired[pulumi.Input[str]]
    """Where its ports are opened: by default for this machine alone. Allowed: an IPv4 address of the Docker engine's
    machine, or 0.0.0.0 for all of them. Default: 127.0.0.1.
    """

    port: NotRequired[pulumi.Input[int]]
    """Where it answers on that address. Allowed: a whole number from 1 to 65535. Default: 8080."""

    grpcPort: NotRequired[pulumi.Input[int]]
    """Where gRPC is, if it is served. Allowed: a whole number from 1 to 65535. Default: 8081."""

    metricsPort: NotRequired[pulumi.Input[int]]
    """Where Prometheus finds its metrics; 0: nowhere outside. Allowed: a whole number from 0 to 65535. Default: 0."""

    image: pulumi.Input[str]
    """ModelImage's output `ref`. Allowed: an image by its digest, REPOSITORY@sha256:<64 hex digits>."""

    manifest: pulumi.Input[str]
    """Of the sealed artifact. The server has it as a file. Allowed: TrainingRun's output `manifest`."""

    privateKey: pulumi.Input[str]
    """Opens it, whatever its kind. The server has it as a file. Allowed: non-empty text. Secret."""

    artifactId: pulumi.Input[str]
    """The only artifact that the server opens. Allowed: 32 hex digits, as TrainingRun's output artifactId."""

    payloadDigest: pulumi.Input[str]
    """Of its payload; the server refuses any other. Allowed: 64 hex digits, as TrainingRun's output payloadDigest."""


class ModelDeploymentArgs(TypedDict):
    """All of a ModelDeployment's inputs: its settings, and what is served."""

    modelName: pulumi.Input[str]
    """What clients ask for, /v2/models/NAME/infer. In a stack's config, none is the data set's name. Allowed: 1 to 63
    of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123).
    """

    cpuLimit: NotRequired[pulumi.Input[str]]
    """CPUs that a server may use at most. Allowed: CPUs, such as `500m` or `1`. Default: 1."""

    memoryLimit: NotRequired[pulumi.Input[str]]
    """Memory beyond which a server is killed. Allowed: bytes, such as `500Mi` or `1Gi`. Default: 1Gi."""

    grpc: NotRequired[pulumi.Input[bool]]
    """Whether gRPC is served too, on port 8081. It takes about 15 MB of a server's memory. Default: false."""

    accessLog: NotRequired[pulumi.Input[str]]
    """Which requests have a line in the log: those that were refused or failed, or all. Never what was sent. Allowed:
    "errors", "all". Default: errors.
    """

    explain: NotRequired[pulumi.Input[bool]]
    """Whether rows are explained too: how much each feature adds to an answer, as Shapley values, at
    `/v2/models/NAME/explain` and on the page. One explanation can take seconds of a server's processor. Default:
    false.
    """

    corsOrigins: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Origins whose pages may ask from a browser, such as `https://app.example.com`; `*` is all of them. Default: none
    but the server's own page. Allowed: a list of origins, such as 'https://app.example.com', or '*'.
    """

    tracing: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Which requests are traced, and where their spans go."""

    auth: NotRequired[pulumi.Input[str]]
    """Who may ask: clients with a key; those with a token of `jwt`, or a key of `apiKeys`; or, "none", anyone who
    reaches the service. Allowed: "apiKey", "jwt", "none". Default: apiKey.
    """

    apiKeys: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """API keys, by name. With `auth: apiKey` there is a key `default` beside them, until it is revoked."""

    jwt: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Whose tokens are taken."""

    tlsCertificate: NotRequired[pulumi.Input[str]]
    """The server's certificate and its chain; with it, all its ports speak TLS, and none speaks without. Allowed: text
    in PEM, which begins with -----BEGIN.
    """

    tlsPrivateKey: NotRequired[pulumi.Input[str]]
    """The certificate's private key, unencrypted. Allowed: text in PEM, which begins with -----BEGIN. Secret."""

    labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further labels for every object. Allowed: label keys and texts."""

    replicas: NotRequired[pulumi.Input[int]]
    """Pods that serve. Allowed: a whole number from 1 to 10000. Default: 3."""

    cpuRequest: NotRequired[pulumi.Input[str]]
    """CPUs set aside for each pod. Allowed: CPUs, such as `500m` or `1`. Default: 500m."""

    memoryRequest: NotRequired[pulumi.Input[str]]
    """Memory set aside for each pod. Allowed: bytes, such as `500Mi` or `1Gi`. Default: 500Mi."""

    quota: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Of the namespace. What is not given is derived. Refused if `replicas` plus one pod for rolling updates do not
    fit. Allowed: `requests.cpu`, `requests.memory`, `limits.cpu`, `limits.memory`, `pods`.
    """

    exposure: NotRequired[pulumi.Input[str]]
    """A Service inside the cluster, or a port on every node as well. Allowed: "cluster", "nodePort". Default: cluster."""

    nodePort: NotRequired[pulumi.Input[int]]
    """That port; one of gRPC is one that Kubernetes chooses. Allowed: a whole number from 30000 to 32767, or 0 to let
    Kubernetes choose. Default: 0.
    """

    image: pulumi.Input[str]
    """ModelImage's output `ref`. Allowed: an image by its digest, REPOSITORY@sha256:<64 hex digits>."""

    manifest: pulumi.Input[str]
    """Of the sealed artifact. The server has it as a file. Allowed: TrainingRun's output `manifest`."""

    privateKey: pulumi.Input[str]
    """Opens it, whatever its kind. The server has it as a file. Allowed: non-empty text. Secret."""

    artifactId: pulumi.Input[str]
    """The only artifact that the server opens. Allowed: 32 hex digits, as TrainingRun's output artifactId."""

    payloadDigest: pulumi.Input[str]
    """Of its payload; the server refuses any other. Allowed: 64 hex digits, as TrainingRun's output payloadDigest."""


class ModelImageArgs(TypedDict):
    """All of a ModelImage's inputs: its settings, and what is built."""

    registry: NotRequired[pulumi.Input[str]]
    """Where images are pushed. In a stack's config, none is what set-up has found. Allowed: `HOST[:PORT][/PATH]`.
    Default: localhost:5000.
    """

    baseImage: pulumi.Input[str]
    """What images are built on. In a stack's config, none is what set-up has found or made. Allowed: an image with
    python3 3.11 or later.
    """

    wheels: NotRequired[pulumi.Input[str]]
    """Folder of the packages that the server needs, as `make setup` unpacks them from their wheels. In a stack's
    config, none is where set-up has put them. Allowed: non-empty text. Default: .tools/wheels.
    """

    platform: NotRequired[pulumi.Input[str]]
    """Of the image. Allowed: "linux/amd64", "linux/arm64". Default: linux/amd64."""

    artifactId: pulumi.Input[str]
    """Of the sealed artifact that the image carries. Allowed: non-empty text."""

    payloadDigest: pulumi.Input[str]
    """Of its payload; another payload is refused. Allowed: non-empty text."""

    storeUrl: pulumi.Input[str]
    """Where the payload is. Allowed: non-empty text."""


class SealingKeyArgs(TypedDict):
    """All of a SealingKey's inputs."""

    algorithm: NotRequired[pulumi.Input[str]]
    """Of the key pair. Allowed: "RSA-4096". Default: RSA-4096."""

    rotation: NotRequired[pulumi.Input[str]]
    """A new text makes a new key pair and retires the old one. Allowed: any text."""

    storeUrl: NotRequired[pulumi.Input[str]]
    """Where retired keys may still be needed; none: they are kept for ever. Allowed: `file://` and a path: absolute,
    `~/…` or relative to the project's folder.
    """


class TrainingRunArgs(TypedDict):
    """All of a TrainingRun's inputs: its settings, and what its store gives."""

    source: NotRequired[pulumi.Input[str]]
    """"onnx": `model` is the path or URL of an ONNX file trained elsewhere; files of its weights lie beside it.
    Allowed: "training", "onnx". Default: training.
    """

    dataset: NotRequired[pulumi.Input[str]]
    """A set that scikit-learn ships (diabetes, digits, iris, wine, breast_cancer, linnerud); the path or URL of a CSV,
    TSV, Parquet or NPZ file; or `package.module:function`. A URL may be a secret: of its password, query and
    fragment nothing is shown or kept in the clear. Allowed: non-empty text. Default: diabetes.
    """

    data: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """How to read it."""

    model: NotRequired[pulumi.Input[str]]
    """One of `net`, `mlp`, `cnn`, `textClassifier`, `recommender`, `audioCnn`, or `package.module:Class`: a torch
    module of the program's folder or of an installed package. Allowed: non-empty text. Default: net.
    """

    modelArguments: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Of its constructor. Allowed: an object of keyword arguments by name."""

    modelPath: NotRequired[pulumi.Input[str]]
    """The folder, relative to the program's, of your modules: model, augment, a data set's function. None: `models`,
    and then the program's own folder. Allowed: non-empty text.
    """

    loss: NotRequired[pulumi.Input[str]]
    """None: mse for a regression, crossEntropy for classes. Allowed: "mse", "mae", "huber", "crossEntropy", "bce"."""

    classWeights: NotRequired[pulumi.Input[Any]]
    """How much a row of each class counts in crossEntropy and bce, which are then weighted means; a class that is not
    named counts 1. "balanced": inverse to its share of the training rows. Metrics count every row alike. Allowed:
    "balanced", or weights above 0 by class.
    """

    learningRate: NotRequired[pulumi.Input[float]]
    """Of SGD. Allowed: a number above 0, at most 1,000,000. Default: 0.01."""

    momentum: NotRequired[pulumi.Input[float]]
    """Share of each step that the next one keeps. Allowed: a number from 0 to below 1. Default: 0.0."""

    nesterov: NotRequired[pulumi.Input[bool]]
    """Look ahead along the momentum (Nesterov 1983), as torch.optim.SGD does. Default: false."""

    weightDecay: NotRequired[pulumi.Input[float]]
    """Share of a weight that is added to its gradient. Allowed: a number from 0 to 1e+06. Default: 0.0."""

    gradientClip: NotRequired[pulumi.Input[float]]
    """Largest norm that all gradients together may have; longer ones are scaled down to it. None: any. Allowed: a
    number above 0, at most 1,000,000,000.
    """

    schedule: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """The learning rate over time."""

    epochs: NotRequired[pulumi.Input[int]]
    """Passes over the training rows, at most. Allowed: a whole number from 1 to 10,000,000. Default: 100."""

    batchSize: NotRequired[pulumi.Input[int]]
    """Rows per step; more than there are means all of them. Allowed: a whole number from 1 to 1,000,000. Default: 32."""

    accumulateSteps: NotRequired[pulumi.Input[int]]
    """Batches whose gradients are averaged, weighed by their rows (or these rows' classWeights), before one step: that
    of a batch so many times as large, in the memory of one. 0 and 1: each batch is a step. Allowed: from 0 to
    10,000. Default: 0.
    """

    seed: NotRequired[pulumi.Input[int]]
    """Of the split, the initial weights and the shuffling. Allowed: a whole number from 0 to 9,007,199,254,740,991.
    Default: 0.
    """

    stopLoss: NotRequired[pulumi.Input[float]]
    """Stop after the epoch whose mean training loss is at or below this; none: never. The loss is the one that progress
    shows: the loss function's, on a standardised target. Allowed: a number above 0, at most 1,000,000.
    """

    earlyStopping: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Stop when validation rows get no better."""

    initFrom: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Weights to start from."""

    freeze: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Beginnings of the names of parameters that training leaves as they are. Allowed: a list of non-empty texts."""

    augment: NotRequired[pulumi.Input[str]]
    """Called with the features of a step's rows and a seeded generator; returns other features. Allowed:
    `package.module:name`.
    """

    folds: NotRequired[pulumi.Input[int]]
    """Of a cross-validation before the run; 0: none. With `data.timeColumn` each looks ahead only. Allowed: from 2 to
    20, or 0. Default: 0.
    """

    search: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """For good settings, before the run."""

    deterministic: NotRequired[pulumi.Input[bool]]
    """Refuse what cannot be repeated bit for bit. Default: true."""

    privacy: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Differentially private descent."""

    masking: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """By column."""

    quality: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """What the data may be."""

    gates: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """What the model must be."""

    compress: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """A smaller model."""

    compute: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """How many processes share the work."""

    device: NotRequired[pulumi.Input[str]]
    """"auto": cuda where there is one. Allowed: "auto", "cpu", "cuda". Default: cpu."""

    precision: NotRequired[pulumi.Input[str]]
    """"bf16": matrix products in bfloat16, weights in FP32. Allowed: "fp32", "bf16". Default: fp32."""

    modelCard: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """For the report."""

    threads: NotRequired[pulumi.Input[int]]
    """Of torch. Part of the run's identity: sums are split by thread, so it can change the last bit. Allowed: a whole
    number from 1 to 64. Default: 1.
    """

    timeoutSeconds: NotRequired[pulumi.Input[float]]
    """Cancel training after this long, keeping its checkpoint; 0: no limit. Allowed: a number of seconds, where 0 means
    no limit, from 0. Default: 0.
    """

    checkpointSeconds: NotRequired[pulumi.Input[float]]
    """Time between two checkpoints. Allowed: a number of seconds from 0. Default: 30."""

    exposeMetrics: NotRequired[pulumi.Input[bool]]
    """Whether the held-out metrics may be shown in the clear. They tell which model it is. Default: false."""

    retrainTrigger: NotRequired[pulumi.Input[str]]
    """A new text trains and seals anew. Allowed: any text."""

    storeUrl: pulumi.Input[str]
    """Where the artifact goes; a change replaces the run. Allowed: `file://` and a path: absolute, `~/…` or relative to
    the project's folder.
    """

    storeKey: pulumi.Input[str]
    """Of the store's records: checkpoints and run results. Allowed: 32 bytes in base64. Secret."""

    recipients: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Keys whose owners can open the artifact; at least one. Allowed: a list, each a public key in PEM (RSA-4096 or
    X25519).
    """

    retention: NotRequired[pulumi.Input[str]]
    """Of the artifact, when the run is deleted or replaced. Allowed: "keep", "delete". Default: keep."""

    privateKey: NotRequired[pulumi.Input[str]]
    """Opens the artifact that `initFrom` names; only needed with its artifactId. Allowed: non-empty text. Secret."""

    openingKeys: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Keys that may open the artifact, and stay in the plugin: with them, other recipients get its key wrapped for
    them; without, the run is trained and sealed anew. Allowed: a list, each an unencrypted private key in PEM
    (RSA-4096 or X25519). Secret.
    """


class ServedModelArgs(TypedDict):
    """What is served: ModelImage's and TrainingRun's outputs, and the store's key."""

    image: pulumi.Input[str]
    """ModelImage's output `ref`. Allowed: an image by its digest, REPOSITORY@sha256:<64 hex digits>."""

    manifest: pulumi.Input[str]
    """Of the sealed artifact. The server has it as a file. Allowed: TrainingRun's output `manifest`."""

    privateKey: pulumi.Input[str]
    """Opens it, whatever its kind. The server has it as a file. Allowed: non-empty text. Secret."""

    artifactId: pulumi.Input[str]
    """The only artifact that the server opens. Allowed: 32 hex digits, as TrainingRun's output artifactId."""

    payloadDigest: pulumi.Input[str]
    """Of its payload; the server refuses any other. Allowed: 64 hex digits, as TrainingRun's output payloadDigest."""


class TrainingSection(TypedDict):
    """What is learnt from what, and how. What shapes the model trains anew. Other gates, another model card, folder of
    modules, or limit of the data's quality (`maximumMissing`, `minimumClassShare`, `allow`) judge the sealed model
    and report it again; times, and whether metrics show, do neither.
    """

    source: NotRequired[pulumi.Input[str]]
    """"onnx": `model` is the path or URL of an ONNX file trained elsewhere; files of its weights lie beside it.
    Allowed: "training", "onnx". Default: training.
    """

    dataset: NotRequired[pulumi.Input[str]]
    """A set that scikit-learn ships (diabetes, digits, iris, wine, breast_cancer, linnerud); the path or URL of a CSV,
    TSV, Parquet or NPZ file; or `package.module:function`. A URL may be a secret: of its password, query and
    fragment nothing is shown or kept in the clear. Allowed: non-empty text. Default: diabetes.
    """

    data: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """How to read it."""

    model: NotRequired[pulumi.Input[str]]
    """One of `net`, `mlp`, `cnn`, `textClassifier`, `recommender`, `audioCnn`, or `package.module:Class`: a torch
    module of the program's folder or of an installed package. Allowed: non-empty text. Default: net.
    """

    modelArguments: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Of its constructor. Allowed: an object of keyword arguments by name."""

    modelPath: NotRequired[pulumi.Input[str]]
    """The folder, relative to the program's, of your modules: model, augment, a data set's function. None: `models`,
    and then the program's own folder. Allowed: non-empty text.
    """

    loss: NotRequired[pulumi.Input[str]]
    """None: mse for a regression, crossEntropy for classes. Allowed: "mse", "mae", "huber", "crossEntropy", "bce"."""

    classWeights: NotRequired[pulumi.Input[Any]]
    """How much a row of each class counts in crossEntropy and bce, which are then weighted means; a class that is not
    named counts 1. "balanced": inverse to its share of the training rows. Metrics count every row alike. Allowed:
    "balanced", or weights above 0 by class.
    """

    learningRate: NotRequired[pulumi.Input[float]]
    """Of SGD. Allowed: a number above 0, at most 1,000,000. Default: 0.01."""

    momentum: NotRequired[pulumi.Input[float]]
    """Share of each step that the next one keeps. Allowed: a number from 0 to below 1. Default: 0.0."""

    nesterov: NotRequired[pulumi.Input[bool]]
    """Look ahead along the momentum (Nesterov 1983), as torch.optim.SGD does. Default: false."""

    weightDecay: NotRequired[pulumi.Input[float]]
    """Share of a weight that is added to its gradient. Allowed: a number from 0 to 1e+06. Default: 0.0."""

    gradientClip: NotRequired[pulumi.Input[float]]
    """Largest norm that all gradients together may have; longer ones are scaled down to it. None: any. Allowed: a
    number above 0, at most 1,000,000,000.
    """

    schedule: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """The learning rate over time."""

    epochs: NotRequired[pulumi.Input[int]]
    """Passes over the training rows, at most. Allowed: a whole number from 1 to 10,000,000. Default: 100."""

    batchSize: NotRequired[pulumi.Input[int]]
    """Rows per step; more than there are means all of them. Allowed: a whole number from 1 to 1,000,000. Default: 32."""

    accumulateSteps: NotRequired[pulumi.Input[int]]
    """Batches whose gradients are averaged, weighed by their rows (or these rows' classWeights), before one step: that
    of a batch so many times as large, in the memory of one. 0 and 1: each batch is a step. Allowed: from 0 to
    10,000. Default: 0.
    """

    seed: NotRequired[pulumi.Input[int]]
    """Of the split, the initial weights and the shuffling. Allowed: a whole number from 0 to 9,007,199,254,740,991.
    Default: 0.
    """

    stopLoss: NotRequired[pulumi.Input[float]]
    """Stop after the epoch whose mean training loss is at or below this; none: never. The loss is the one that progress
    shows: the loss function's, on a standardised target. Allowed: a number above 0, at most 1,000,000.
    """

    earlyStopping: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Stop when validation rows get no better."""

    initFrom: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Weights to start from."""

    freeze: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Beginnings of the names of parameters that training leaves as they are. Allowed: a list of non-empty texts."""

    augment: NotRequired[pulumi.Input[str]]
    """Called with the features of a step's rows and a seeded generator; returns other features. Allowed:
    `package.module:name`.
    """

    folds: NotRequired[pulumi.Input[int]]
    """Of a cross-validation before the run; 0: none. With `data.timeColumn` each looks ahead only. Allowed: from 2 to
    20, or 0. Default: 0.
    """

    search: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """For good settings, before the run."""

    deterministic: NotRequired[pulumi.Input[bool]]
    """Refuse what cannot be repeated bit for bit. Default: true."""

    privacy: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Differentially private descent."""

    masking: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """By column."""

    quality: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """What the data may be."""

    gates: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """What the model must be."""

    compress: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """A smaller model."""

    compute: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """How many processes share the work."""

    device: NotRequired[pulumi.Input[str]]
    """"auto": cuda where there is one. Allowed: "auto", "cpu", "cuda". Default: cpu."""

    precision: NotRequired[pulumi.Input[str]]
    """"bf16": matrix products in bfloat16, weights in FP32. Allowed: "fp32", "bf16". Default: fp32."""

    modelCard: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """For the report."""

    threads: NotRequired[pulumi.Input[int]]
    """Of torch. Part of the run's identity: sums are split by thread, so it can change the last bit. Allowed: a whole
    number from 1 to 64. Default: 1.
    """

    timeoutSeconds: NotRequired[pulumi.Input[float]]
    """Cancel training after this long, keeping its checkpoint; 0: no limit. Allowed: a number of seconds, where 0 means
    no limit, from 0. Default: 0.
    """

    checkpointSeconds: NotRequired[pulumi.Input[float]]
    """Time between two checkpoints. Allowed: a number of seconds from 0. Default: 30."""

    exposeMetrics: NotRequired[pulumi.Input[bool]]
    """Whether the held-out metrics may be shown in the clear. They tell which model it is. Default: false."""

    retrainTrigger: NotRequired[pulumi.Input[str]]
    """A new text trains and seals anew. Allowed: any text."""


class ImageSection(TypedDict):
    """How the image of the server and the sealed model is built."""

    registry: NotRequired[pulumi.Input[str]]
    """Where images are pushed. In a stack's config, none is what set-up has found. Allowed: `HOST[:PORT][/PATH]`.
    Default: localhost:5000.
    """

    baseImage: pulumi.Input[str]
    """What images are built on. In a stack's config, none is what set-up has found or made. Allowed: an image with
    python3 3.11 or later.
    """

    wheels: NotRequired[pulumi.Input[str]]
    """Folder of the packages that the server needs, as `make setup` unpacks them from their wheels. In a stack's
    config, none is where set-up has put them. Allowed: non-empty text. Default: .tools/wheels.
    """

    platform: NotRequired[pulumi.Input[str]]
    """Of the image. Allowed: "linux/amd64", "linux/arm64". Default: linux/amd64."""


class DeploymentSection(TypedDict):
    """How a model is served on Kubernetes, each server in a pod. A quota that is given carries `replicas` pods and the
    rolling surge.
    """

    modelName: pulumi.Input[str]
    """What clients ask for, /v2/models/NAME/infer. In a stack's config, none is the data set's name. Allowed: 1 to 63
    of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123).
    """

    cpuLimit: NotRequired[pulumi.Input[str]]
    """CPUs that a server may use at most. Allowed: CPUs, such as `500m` or `1`. Default: 1."""

    memoryLimit: NotRequired[pulumi.Input[str]]
    """Memory beyond which a server is killed. Allowed: bytes, such as `500Mi` or `1Gi`. Default: 1Gi."""

    grpc: NotRequired[pulumi.Input[bool]]
    """Whether gRPC is served too, on port 8081. It takes about 15 MB of a server's memory. Default: false."""

    accessLog: NotRequired[pulumi.Input[str]]
    """Which requests have a line in the log: those that were refused or failed, or all. Never what was sent. Allowed:
    "errors", "all". Default: errors.
    """

    explain: NotRequired[pulumi.Input[bool]]
    """Whether rows are explained too: how much each feature adds to an answer, as Shapley values, at
    `/v2/models/NAME/explain` and on the page. One explanation can take seconds of a server's processor. Default:
    false.
    """

    corsOrigins: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Origins whose pages may ask from a browser, such as `https://app.example.com`; `*` is all of them. Default: none
    but the server's own page. Allowed: a list of origins, such as 'https://app.example.com', or '*'.
    """

    tracing: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Which requests are traced, and where their spans go."""

    auth: NotRequired[pulumi.Input[str]]
    """Who may ask: clients with a key; those with a token of `jwt`, or a key of `apiKeys`; or, "none", anyone who
    reaches the service. Allowed: "apiKey", "jwt", "none". Default: apiKey.
    """

    apiKeys: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """API keys, by name. With `auth: apiKey` there is a key `default` beside them, until it is revoked."""

    jwt: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Whose tokens are taken."""

    tlsCertificate: NotRequired[pulumi.Input[str]]
    """The server's certificate and its chain; with it, all its ports speak TLS, and none speaks without. Allowed: text
    in PEM, which begins with -----BEGIN.
    """

    tlsPrivateKey: NotRequired[pulumi.Input[str]]
    """The certificate's private key, unencrypted. Allowed: text in PEM, which begins with -----BEGIN. Secret."""

    labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further labels for every object. Allowed: label keys and texts."""

    replicas: NotRequired[pulumi.Input[int]]
    """Pods that serve. Allowed: a whole number from 1 to 10000. Default: 3."""

    cpuRequest: NotRequired[pulumi.Input[str]]
    """CPUs set aside for each pod. Allowed: CPUs, such as `500m` or `1`. Default: 500m."""

    memoryRequest: NotRequired[pulumi.Input[str]]
    """Memory set aside for each pod. Allowed: bytes, such as `500Mi` or `1Gi`. Default: 500Mi."""

    quota: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Of the namespace. What is not given is derived. Refused if `replicas` plus one pod for rolling updates do not
    fit. Allowed: `requests.cpu`, `requests.memory`, `limits.cpu`, `limits.memory`, `pods`.
    """

    exposure: NotRequired[pulumi.Input[str]]
    """A Service inside the cluster, or a port on every node as well. Allowed: "cluster", "nodePort". Default: cluster."""

    nodePort: NotRequired[pulumi.Input[int]]
    """That port; one of gRPC is one that Kubernetes chooses. Allowed: a whole number from 30000 to 32767, or 0 to let
    Kubernetes choose. Default: 0.
    """


class ContainerSection(TypedDict):
    """How a model is served in one container of a Docker engine, for those who have no Kubernetes. Only one container
    at a time can have a port of the machine: a new model, and any other change but of memoryLimit, ends the old
    container before the new one starts, and for some seconds nothing answers.
    """

    modelName: pulumi.Input[str]
    """What clients ask for, /v2/models/NAME/infer. In a stack's config, none is the data set's name. Allowed: 1 to 63
    of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123).
    """

    cpuLimit: NotRequired[pulumi.Input[str]]
    """CPUs that a server may use at most. Allowed: CPUs, such as `500m` or `1`. Default: 1."""

    memoryLimit: NotRequired[pulumi.Input[str]]
    """Memory beyond which a server is killed. Allowed: bytes, such as `500Mi` or `1Gi`. Default: 1Gi."""

    grpc: NotRequired[pulumi.Input[bool]]
    """Whether gRPC is served too, on port 8081. It takes about 15 MB of a server's memory. Default: false."""

    accessLog: NotRequired[pulumi.Input[str]]
    """Which requests have a line in the log: those that were refused or failed, or all. Never what was sent. Allowed:
    "errors", "all". Default: errors.
    """

    explain: NotRequired[pulumi.Input[bool]]
    """Whether rows are explained too: how much each feature adds to an answer, as Shapley values, at
    `/v2/models/NAME/explain` and on the page. One explanation can take seconds of a server's processor. Default:
    false.
    """

    corsOrigins: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Origins whose pages may ask from a browser, such as `https://app.example.com`; `*` is all of them. Default: none
    but the server's own page. Allowed: a list of origins, such as 'https://app.example.com', or '*'.
    """

    tracing: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Which requests are traced, and where their spans go."""

    auth: NotRequired[pulumi.Input[str]]
    """Who may ask: clients with a key; those with a token of `jwt`, or a key of `apiKeys`; or, "none", anyone who
    reaches the service. Allowed: "apiKey", "jwt", "none". Default: apiKey.
    """

    apiKeys: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """API keys, by name. With `auth: apiKey` there is a key `default` beside them, until it is revoked."""

    jwt: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Whose tokens are taken."""

    tlsCertificate: NotRequired[pulumi.Input[str]]
    """The server's certificate and its chain; with it, all its ports speak TLS, and none speaks without. Allowed: text
    in PEM, which begins with -----BEGIN.
    """

    tlsPrivateKey: NotRequired[pulumi.Input[str]]
    """The certificate's private key, unencrypted. Allowed: text in PEM, which begins with -----BEGIN. Secret."""

    labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further labels for every object. Allowed: label keys and texts."""

    address: NotRequired[pulumi.Input[str]]
    """Where its ports are opened: by default for this machine alone. Allowed: an IPv4 address of the Docker engine's
    machine, or 0.0.0.0 for all of them. Default: 127.0.0.1.
    """

    port: NotRequired[pulumi.Input[int]]
    """Where it answers on that address. Allowed: a whole number from 1 to 65535. Default: 8080."""

    grpcPort: NotRequired[pulumi.Input[int]]
    """Where gRPC is, if it is served. Allowed: a whole number from 1 to 65535. Default: 8081."""

    metricsPort: NotRequired[pulumi.Input[int]]
    """Where Prometheus finds its metrics; 0: nowhere outside. Allowed: a whole number from 0 to 65535. Default: 0."""
