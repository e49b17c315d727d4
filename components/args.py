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
    """Opens it, whatever its kind. The server has it as a file. Allowed: text. Secret."""

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
    """Opens it, whatever its kind. The server has it as a file. Allowed: text. Secret."""

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
    config, none is where set-up has put them. Allowed: text. Default: .tools/wheels.
    """

    platform: NotRequired[pulumi.Input[str]]
    """Of the image. Allowed: "linux/amd64", "linux/arm64". Default: linux/amd64."""

    artifactId: pulumi.Input[str]
    """Of the sealed artifact that the image carries. Allowed: text."""

    payloadDigest: pulumi.Input[str]
    """Of its payload; another payload is refused. Allowed: text."""

    storeUrl: pulumi.Input[str]
    """Where the payload is. Allowed: text."""


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
    """Origin of the model. With "onnx", `model` is the path or URL of an ONNX file trained elsewhere, with the files of
    its weights beside it. Allowed: "training", "onnx". Default: training.
    """

    dataset: NotRequired[pulumi.Input[str]]
    """Data set to train on: one that scikit-learn ships (diabetes, digits, iris, wine, breast_cancer, linnerud), the
    path or URL of a CSV, TSV, Parquet or NPZ file, or `package.module:function`. A URL may be a secret: its
    password, query and fragment are never shown or kept in the clear. Allowed: text. Default: diabetes.
    """

    data: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Instructions for reading the data set."""

    model: NotRequired[pulumi.Input[str]]
    """Network to train: `net`, `mlp`, `cnn`, `textClassifier`, `recommender`, `audioCnn`, or `package.module:Class` for
    a torch module of the program's folder or of an installed package. Allowed: text. Default: net.
    """

    modelArguments: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Keyword arguments of the model's constructor. Allowed: keyword arguments by name."""

    modelPath: NotRequired[pulumi.Input[str]]
    """Folder of your modules (model, augment, a data set's function), relative to the program's folder. If not set,
    `models` and then the program's own folder. Allowed: text.
    """

    loss: NotRequired[pulumi.Input[str]]
    """Loss function to minimise. If not set, mse for a regression and crossEntropy for a classification. Allowed:
    "mse", "mae", "huber", "crossEntropy", "bce".
    """

    classWeights: NotRequired[pulumi.Input[Any]]
    """Weight of each class in the losses crossEntropy and bce, which are then weighted means. A class that is not named
    has the weight 1. "balanced" makes weights inverse to the classes' shares of the training rows. Metrics count
    every row alike. Allowed: "balanced", or weights above 0 by class.
    """

    learningRate: NotRequired[pulumi.Input[float]]
    """Learning rate of stochastic gradient descent (SGD). Allowed: above 0, at most 1,000,000. Default: 0.01."""

    momentum: NotRequired[pulumi.Input[float]]
    """Momentum of SGD: the share of each step that is added to the following step. Allowed: from 0 to below 1. Default:
    0.0.
    """

    nesterov: NotRequired[pulumi.Input[bool]]
    """Whether the momentum is Nesterov's (1983), as in torch.optim.SGD. Default: false."""

    weightDecay: NotRequired[pulumi.Input[float]]
    """L2 penalty added to the gradient (weight decay): this times the weight. Allowed: from 0 to 1e+06. Default: 0.0."""

    gradientClip: NotRequired[pulumi.Input[float]]
    """Largest norm of all gradients together. Longer gradients are scaled down to it. If not set, there is no limit.
    Allowed: above 0, at most 1,000,000,000.
    """

    schedule: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Schedule of the learning rate over the epochs."""

    epochs: NotRequired[pulumi.Input[int]]
    """Largest number of passes over the training rows. Allowed: from 1 to 10,000,000. Default: 100."""

    batchSize: NotRequired[pulumi.Input[int]]
    """Training rows per batch. If there are fewer, each batch has all of them. Allowed: from 1 to 1,000,000. Default:
    32.
    """

    accumulateSteps: NotRequired[pulumi.Input[int]]
    """Number of batches whose gradients are averaged before each step (gradient accumulation): the step of a larger
    batch, in the memory of one. The average is weighted by rows, or by their `classWeights`. With 0 or 1, each batch
    is a step. Allowed: from 0 to 10,000. Default: 0.
    """

    seed: NotRequired[pulumi.Input[int]]
    """Seed of the random split, the initial weights and the shuffling. Allowed: from 0 to 9,007,199,254,740,991.
    Default: 0.
    """

    stopLoss: NotRequired[pulumi.Input[float]]
    """Mean training loss of an epoch at or below which training ends. If not set, the loss never ends it. It is the
    loss that progress shows, on a standardised target. Allowed: above 0, at most 1,000,000.
    """

    earlyStopping: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Early stopping by a metric of the validation rows. If not set, all epochs run."""

    initFrom: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Weights that training starts from. If not set, they are random."""

    freeze: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Prefixes of the names of parameters that training does not change, such as `body.`. Allowed: a list of texts."""

    augment: NotRequired[pulumi.Input[str]]
    """Data augmentation: a function that gets a step's features and a seeded generator, and returns other features.
    Allowed: `package.module:name`.
    """

    folds: NotRequired[pulumi.Input[int]]
    """Number of folds of a cross-validation before the run, or 0 for no cross-validation. With `data.timeColumn`, each
    fold trains on earlier rows than those it is measured on. Allowed: from 2 to 20, or 0. Default: 0.
    """

    search: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Hyperparameter search before the run. If not set, none runs."""

    deterministic: NotRequired[pulumi.Input[bool]]
    """Whether operations are refused whose result cannot be repeated bit for bit. Default: true."""

    privacy: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Differentially private training. If not set, training is not private."""

    masking: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Masking of columns, by the column's name."""

    quality: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Quality checks that the data set must pass."""

    gates: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Quality gates that the model must pass to be sealed."""

    compress: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Compression of the trained model. If not set, the model stays as trained."""

    compute: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Number of processes that share the work, and their place."""

    device: NotRequired[pulumi.Input[str]]
    """Device that trains the model. "auto" means cuda if a GPU is present, else cpu. Allowed: "auto", "cpu", "cuda".
    Default: cpu.
    """

    precision: NotRequired[pulumi.Input[str]]
    """Precision of the training. With "bf16", matrix products are in bfloat16 and weights in FP32. Allowed: "fp32",
    "bf16". Default: fp32.
    """

    modelCard: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Model card: statements of the makers that the report shows."""

    threads: NotRequired[pulumi.Input[int]]
    """Number of torch's threads. Another number can change the model's last bits, so it retrains the model. Allowed:
    from 1 to 64. Default: 1.
    """

    timeoutSeconds: NotRequired[pulumi.Input[float]]
    """Cancel training after this long, keeping its checkpoint; 0: no limit. Allowed: from 0. Default: 0."""

    checkpointSeconds: NotRequired[pulumi.Input[float]]
    """Time between two checkpoints. Allowed: from 0. Default: 30."""

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
    """Opens the artifact that `initFrom` names; only needed with its artifactId. Allowed: text. Secret."""

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
    """Opens it, whatever its kind. The server has it as a file. Allowed: text. Secret."""

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
    """Origin of the model. With "onnx", `model` is the path or URL of an ONNX file trained elsewhere, with the files of
    its weights beside it. Allowed: "training", "onnx". Default: training.
    """

    dataset: NotRequired[pulumi.Input[str]]
    """Data set to train on: one that scikit-learn ships (diabetes, digits, iris, wine, breast_cancer, linnerud), the
    path or URL of a CSV, TSV, Parquet or NPZ file, or `package.module:function`. A URL may be a secret: its
    password, query and fragment are never shown or kept in the clear. Allowed: text. Default: diabetes.
    """

    data: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Instructions for reading the data set."""

    model: NotRequired[pulumi.Input[str]]
    """Network to train: `net`, `mlp`, `cnn`, `textClassifier`, `recommender`, `audioCnn`, or `package.module:Class` for
    a torch module of the program's folder or of an installed package. Allowed: text. Default: net.
    """

    modelArguments: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Keyword arguments of the model's constructor. Allowed: keyword arguments by name."""

    modelPath: NotRequired[pulumi.Input[str]]
    """Folder of your modules (model, augment, a data set's function), relative to the program's folder. If not set,
    `models` and then the program's own folder. Allowed: text.
    """

    loss: NotRequired[pulumi.Input[str]]
    """Loss function to minimise. If not set, mse for a regression and crossEntropy for a classification. Allowed:
    "mse", "mae", "huber", "crossEntropy", "bce".
    """

    classWeights: NotRequired[pulumi.Input[Any]]
    """Weight of each class in the losses crossEntropy and bce, which are then weighted means. A class that is not named
    has the weight 1. "balanced" makes weights inverse to the classes' shares of the training rows. Metrics count
    every row alike. Allowed: "balanced", or weights above 0 by class.
    """

    learningRate: NotRequired[pulumi.Input[float]]
    """Learning rate of stochastic gradient descent (SGD). Allowed: above 0, at most 1,000,000. Default: 0.01."""

    momentum: NotRequired[pulumi.Input[float]]
    """Momentum of SGD: the share of each step that is added to the following step. Allowed: from 0 to below 1. Default:
    0.0.
    """

    nesterov: NotRequired[pulumi.Input[bool]]
    """Whether the momentum is Nesterov's (1983), as in torch.optim.SGD. Default: false."""

    weightDecay: NotRequired[pulumi.Input[float]]
    """L2 penalty added to the gradient (weight decay): this times the weight. Allowed: from 0 to 1e+06. Default: 0.0."""

    gradientClip: NotRequired[pulumi.Input[float]]
    """Largest norm of all gradients together. Longer gradients are scaled down to it. If not set, there is no limit.
    Allowed: above 0, at most 1,000,000,000.
    """

    schedule: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Schedule of the learning rate over the epochs."""

    epochs: NotRequired[pulumi.Input[int]]
    """Largest number of passes over the training rows. Allowed: from 1 to 10,000,000. Default: 100."""

    batchSize: NotRequired[pulumi.Input[int]]
    """Training rows per batch. If there are fewer, each batch has all of them. Allowed: from 1 to 1,000,000. Default:
    32.
    """

    accumulateSteps: NotRequired[pulumi.Input[int]]
    """Number of batches whose gradients are averaged before each step (gradient accumulation): the step of a larger
    batch, in the memory of one. The average is weighted by rows, or by their `classWeights`. With 0 or 1, each batch
    is a step. Allowed: from 0 to 10,000. Default: 0.
    """

    seed: NotRequired[pulumi.Input[int]]
    """Seed of the random split, the initial weights and the shuffling. Allowed: from 0 to 9,007,199,254,740,991.
    Default: 0.
    """

    stopLoss: NotRequired[pulumi.Input[float]]
    """Mean training loss of an epoch at or below which training ends. If not set, the loss never ends it. It is the
    loss that progress shows, on a standardised target. Allowed: above 0, at most 1,000,000.
    """

    earlyStopping: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Early stopping by a metric of the validation rows. If not set, all epochs run."""

    initFrom: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Weights that training starts from. If not set, they are random."""

    freeze: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Prefixes of the names of parameters that training does not change, such as `body.`. Allowed: a list of texts."""

    augment: NotRequired[pulumi.Input[str]]
    """Data augmentation: a function that gets a step's features and a seeded generator, and returns other features.
    Allowed: `package.module:name`.
    """

    folds: NotRequired[pulumi.Input[int]]
    """Number of folds of a cross-validation before the run, or 0 for no cross-validation. With `data.timeColumn`, each
    fold trains on earlier rows than those it is measured on. Allowed: from 2 to 20, or 0. Default: 0.
    """

    search: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Hyperparameter search before the run. If not set, none runs."""

    deterministic: NotRequired[pulumi.Input[bool]]
    """Whether operations are refused whose result cannot be repeated bit for bit. Default: true."""

    privacy: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Differentially private training. If not set, training is not private."""

    masking: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Masking of columns, by the column's name."""

    quality: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Quality checks that the data set must pass."""

    gates: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Quality gates that the model must pass to be sealed."""

    compress: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Compression of the trained model. If not set, the model stays as trained."""

    compute: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Number of processes that share the work, and their place."""

    device: NotRequired[pulumi.Input[str]]
    """Device that trains the model. "auto" means cuda if a GPU is present, else cpu. Allowed: "auto", "cpu", "cuda".
    Default: cpu.
    """

    precision: NotRequired[pulumi.Input[str]]
    """Precision of the training. With "bf16", matrix products are in bfloat16 and weights in FP32. Allowed: "fp32",
    "bf16". Default: fp32.
    """

    modelCard: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Model card: statements of the makers that the report shows."""

    threads: NotRequired[pulumi.Input[int]]
    """Number of torch's threads. Another number can change the model's last bits, so it retrains the model. Allowed:
    from 1 to 64. Default: 1.
    """

    timeoutSeconds: NotRequired[pulumi.Input[float]]
    """Cancel training after this long, keeping its checkpoint; 0: no limit. Allowed: from 0. Default: 0."""

    checkpointSeconds: NotRequired[pulumi.Input[float]]
    """Time between two checkpoints. Allowed: from 0. Default: 30."""

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
    config, none is where set-up has put them. Allowed: text. Default: .tools/wheels.
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
