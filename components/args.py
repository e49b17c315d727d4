"""Arguments (`args`) of components and resources, and the sections of a stack's config. `make docs` generates this file
from the declarations of their settings.

No `from __future__ import annotations`, no unions and no Literal: the SDK's component analyzer reads these classes.
"""

# ruff: noqa: E501 (one line for each key)

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi


class ApiKeyArgs(TypedDict):
    """Inputs of an ApiKey resource."""

    rotation: NotRequired[pulumi.Input[str]]
    """Name of the key's current version, such as a date. Changing it makes a new key. The previous key stays valid
    while `overlap` is true. Allowed: any text.
    """

    overlap: NotRequired[pulumi.Input[bool]]
    """Whether the key before the last rotation stays valid. Set it to false when all clients use the new key. The old
    key is then forgotten. Default: true.
    """


class ArtifactSignatureArgs(TypedDict):
    """Inputs of an ArtifactSignature resource."""

    storeUrl: pulumi.Input[str]
    """URL of the store that has the artifact. Allowed: `file://` and a path: absolute, `~/…` or relative to the
    project's folder.
    """

    artifactId: pulumi.Input[str]
    """Id of the artifact to sign. Allowed: 32 hex digits, such as TrainingRun's output artifactId."""

    payloadDigest: pulumi.Input[str]
    """Payload digest of the artifact. An artifact with another payload is not signed. Allowed: 64 hex digits, such as
    TrainingRun's output payloadDigest.
    """

    signingKey: pulumi.Input[str]
    """Private key of the signer. Make one with `sealift keygen --signing -o signer.pem`. The state keeps it as a
    secret. Allowed: an ECDSA private key on the curve P-256 or P-384, in PEM, unencrypted. Secret.
    """


class EncryptedArtifactStoreArgs(TypedDict):
    """Store of sealed artifacts, and the keys that open them. Changing the keys trains and builds nothing again."""

    url: NotRequired[pulumi.Input[str]]
    """URL of the store for sealed artifacts. Allowed: `file://` and a path: absolute, `~/…` or relative to the
    project's folder. Default: file://~/.sealift/store.
    """

    keysUrl: NotRequired[pulumi.Input[str]]
    """URL of a second store, for a key-encryption key of each new artifact. `sealift erase` destroys that key, so that
    no copy of the artifact opens any more, backups included. Use a bucket of its own, without versioning,
    replication and backup. A change applies to new artifacts. Allowed: `file://` and a path: absolute, `~/…` or
    relative to the project's folder.
    """

    retention: NotRequired[pulumi.Input[str]]
    """Retention of an artifact whose run is deleted or replaced. Allowed: "keep", "delete". Default: keep."""

    retainCount: NotRequired[pulumi.Input[int]]
    """Number of replaced artifacts that stay with `retention: delete`, the newest first, for a return to earlier
    settings without training. An artifact goes once it is neither among them nor younger than `retainDays`. The
    current artifact is never counted and never deleted. Allowed: a whole number from 0 to 1,000.
    """

    retainDays: NotRequired[pulumi.Input[float]]
    """Days that a replaced artifact stays at least with `retention: delete`, whatever `retainCount` is. Each `pulumi
    up` that replaces an artifact or changes these settings deletes what goes, and `pulumi destroy` the rest.
    Allowed: a number of days from 0.
    """

    key: NotRequired[pulumi.Input[str]]
    """Private key in a key management service (KMS), instead of a key pair that the stack makes and keeps. The stack's
    state then holds no private key. The newest version of the key is used until `rotation` changes. Allowed: the
    address of a key in a KMS (awskms://, azurekeyvault://, gcpkms://, hashivault://).
    """

    rotation: NotRequired[pulumi.Input[str]]
    """Name of the key pair's current version, such as a date. Changing it makes a new key pair and wraps the artifacts'
    keys for it. Nothing is trained or built again. Allowed: any text.
    """

    reseal: NotRequired[pulumi.Input[str]]
    """Name of the artifacts' current data keys, such as a date. After a compromise, changing it seals the models again
    under new data keys and deletes the old artifacts, also those that `retention` or `retainCount` would keep. Image
    and pods follow, and nothing is trained. Allowed: any text.
    """

    signingKey: NotRequired[pulumi.Input[str]]
    """Private key that signs the run's artifact, such as from `sealift keygen --signing`. If not set, nothing is
    signed. Allowed: an ECDSA private key on the curve P-256 or P-384, in PEM, unencrypted. Secret.
    """

    recipients: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Additional public keys whose owners can open the artifacts too, such as a recovery key that outlives the stack.
    Make its private key with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096`. Allowed: a list, each a
    public key in PEM (RSA-4096 or X25519).
    """


class ModelContainerArgs(TypedDict):
    """Inputs of a ModelContainer: its settings and the model to serve."""

    modelName: pulumi.Input[str]
    """Name of the model in request paths such as /v2/models/NAME/infer. If not set in a stack's config, the data set's
    name. Allowed: 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123).
    """

    cpuLimit: NotRequired[pulumi.Input[str]]
    """CPU limit of one server (container resource limit). Allowed: a number of CPUs, such as `500m` or `1`. Default: 1."""

    memoryLimit: NotRequired[pulumi.Input[str]]
    """Memory limit of one server, in bytes. A server that exceeds it is killed. Allowed: a number of bytes, such as
    `500Mi` or `1Gi`. Default: 1Gi.
    """

    grpc: NotRequired[pulumi.Input[bool]]
    """Whether gRPC is served too, on port 8081. It takes about 15 MB of a server's memory. Default: false."""

    accessLog: NotRequired[pulumi.Input[str]]
    """Requests that get a line in the log: only those that were refused or failed, or all. Request bodies are never
    logged. Allowed: "errors", "all". Default: errors.
    """

    explain: NotRequired[pulumi.Input[bool]]
    """Whether the server explains predictions: the contribution of each feature, as Shapley values, at
    `/v2/models/NAME/explain` and on the model's page. One explanation can take seconds of CPU time. Default: false.
    """

    corsOrigins: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Origins of web pages that may send requests from a browser, such as `https://app.example.com`. `*` allows all
    origins. By default, only the server's own page may. Allowed: a list of origins such as
    'https://app.example.com', or '*' for all.
    """

    tracing: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Tracing of requests with OpenTelemetry. If not set, no request is traced."""

    auth: NotRequired[pulumi.Input[str]]
    """Authentication of clients. "apiKey": with an API key. "jwt": with a token of the issuer in `jwt`, or an API key
    of `apiKeys`. "none": anyone who reaches the service can send requests. Allowed: "apiKey", "jwt", "none".
    Default: apiKey.
    """

    apiKeys: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """API keys of clients, by name. With `auth: apiKey`, a key `default` exists too until you revoke it."""

    jwt: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Issuer of the tokens that the server accepts. Required with `auth: jwt`."""

    tlsCertificate: NotRequired[pulumi.Input[str]]
    """TLS certificate of the server, with its chain. If set, every port accepts TLS only. If not set, no port uses TLS.
    Allowed: text in PEM, which begins with -----BEGIN.
    """

    tlsPrivateKey: NotRequired[pulumi.Input[str]]
    """Private key of the TLS certificate, unencrypted. Allowed: text in PEM, which begins with -----BEGIN. Secret."""

    requireSignature: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Public keys of trusted signers. If set, an artifact that none of them signed is refused before anything changes:
    in the preview where it is known, otherwise in the update. Allowed: a list of ECDSA public keys on the curve
    P-256 or P-384, each in PEM.
    """

    labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Additional labels for every object that serves the model. Allowed: an object of texts by label key."""

    address: NotRequired[pulumi.Input[str]]
    """Address on which the ports are opened. By default, only this machine can connect. Allowed: an IPv4 address of the
    Docker engine's machine, or 0.0.0.0 for all of them. Default: 127.0.0.1.
    """

    port: NotRequired[pulumi.Input[int]]
    """Port of the machine for HTTP requests. Allowed: a whole number from 1 to 65535. Default: 8080."""

    grpcPort: NotRequired[pulumi.Input[int]]
    """Port of the machine for gRPC requests, if `grpc` is true. Allowed: a whole number from 1 to 65535. Default: 8081."""

    metricsPort: NotRequired[pulumi.Input[int]]
    """Port of the machine for Prometheus metrics. 0 keeps them inside the container. Allowed: a whole number from 0 to
    65535. Default: 0.
    """

    image: pulumi.Input[str]
    """Image to serve: ModelImage's output `ref`. Allowed: an image by its digest, REPOSITORY@sha256:<64 hex digits>."""

    manifest: pulumi.Input[str]
    """Manifest of the sealed artifact. The server gets it as a file. Allowed: TrainingRun's output `manifest`."""

    privateKey: pulumi.Input[str]
    """Private key that opens the artifact, of any kind, or its data key. The server gets it as a file. If the key is in
    a KMS, the server gets only the artifact's data key. Allowed: non-empty text. Secret.
    """

    artifactId: pulumi.Input[str]
    """Id of the sealed artifact. The server opens no other. Allowed: 32 hex digits, such as TrainingRun's output
    artifactId.
    """

    payloadDigest: pulumi.Input[str]
    """Digest of the artifact's payload. The server refuses any other payload. Allowed: 64 hex digits, such as
    TrainingRun's output payloadDigest.
    """

    signature: NotRequired[pulumi.Input[str]]
    """Signature of the artifact, such as ArtifactSignature's output `signature`. Required with `requireSignature`.
    Allowed: non-empty text.
    """


class ModelDeploymentArgs(TypedDict):
    """Inputs of a ModelDeployment: its settings and the model to serve."""

    modelName: pulumi.Input[str]
    """Name of the model in request paths such as /v2/models/NAME/infer. If not set in a stack's config, the data set's
    name. Allowed: 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123).
    """

    cpuLimit: NotRequired[pulumi.Input[str]]
    """CPU limit of one server (container resource limit). Allowed: a number of CPUs, such as `500m` or `1`. Default: 1."""

    memoryLimit: NotRequired[pulumi.Input[str]]
    """Memory limit of one server, in bytes. A server that exceeds it is killed. Allowed: a number of bytes, such as
    `500Mi` or `1Gi`. Default: 1Gi.
    """

    grpc: NotRequired[pulumi.Input[bool]]
    """Whether gRPC is served too, on port 8081. It takes about 15 MB of a server's memory. Default: false."""

    accessLog: NotRequired[pulumi.Input[str]]
    """Requests that get a line in the log: only those that were refused or failed, or all. Request bodies are never
    logged. Allowed: "errors", "all". Default: errors.
    """

    explain: NotRequired[pulumi.Input[bool]]
    """Whether the server explains predictions: the contribution of each feature, as Shapley values, at
    `/v2/models/NAME/explain` and on the model's page. One explanation can take seconds of CPU time. Default: false.
    """

    corsOrigins: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Origins of web pages that may send requests from a browser, such as `https://app.example.com`. `*` allows all
    origins. By default, only the server's own page may. Allowed: a list of origins such as
    'https://app.example.com', or '*' for all.
    """

    tracing: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Tracing of requests with OpenTelemetry. If not set, no request is traced."""

    auth: NotRequired[pulumi.Input[str]]
    """Authentication of clients. "apiKey": with an API key. "jwt": with a token of the issuer in `jwt`, or an API key
    of `apiKeys`. "none": anyone who reaches the service can send requests. Allowed: "apiKey", "jwt", "none".
    Default: apiKey.
    """

    apiKeys: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """API keys of clients, by name. With `auth: apiKey`, a key `default` exists too until you revoke it."""

    jwt: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Issuer of the tokens that the server accepts. Required with `auth: jwt`."""

    tlsCertificate: NotRequired[pulumi.Input[str]]
    """TLS certificate of the server, with its chain. If set, every port accepts TLS only. If not set, no port uses TLS.
    Allowed: text in PEM, which begins with -----BEGIN.
    """

    tlsPrivateKey: NotRequired[pulumi.Input[str]]
    """Private key of the TLS certificate, unencrypted. Allowed: text in PEM, which begins with -----BEGIN. Secret."""

    requireSignature: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Public keys of trusted signers. If set, an artifact that none of them signed is refused before anything changes:
    in the preview where it is known, otherwise in the update. Allowed: a list of ECDSA public keys on the curve
    P-256 or P-384, each in PEM.
    """

    labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Additional labels for every object that serves the model. Allowed: an object of texts by label key."""

    replicas: NotRequired[pulumi.Input[int]]
    """Number of pods that serve the model. If not set, 3, or the number that `autoscaling` chooses. Allowed: a whole
    number from 1 to 10000.
    """

    autoscaling: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Autoscaling of the pods by load. If not set, `replicas` is their number."""

    cpuRequest: NotRequired[pulumi.Input[str]]
    """CPUs reserved for each pod (resource request). Allowed: a number of CPUs, such as `500m` or `1`. Default: 500m."""

    memoryRequest: NotRequired[pulumi.Input[str]]
    """Memory reserved for each pod, in bytes (resource request). Allowed: a number of bytes, such as `500Mi` or `1Gi`.
    Default: 500Mi.
    """

    quota: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Quota of the namespace. Values you leave out are derived. A quota that you set must fit `replicas` (or
    `autoscaling.maxReplicas`) + 1 pods, for rolling updates. Allowed: an object of quantities by `requests.cpu`,
    `requests.memory`, `limits.cpu`, `limits.memory` and `pods`.
    """

    exposure: NotRequired[pulumi.Input[str]]
    """Network access to the service. "cluster": inside the cluster only. "nodePort": on a port of every node as well.
    Allowed: "cluster", "nodePort". Default: cluster.
    """

    nodePort: NotRequired[pulumi.Input[int]]
    """Node port for HTTP. Kubernetes picks the one for gRPC. Allowed: a whole number from 30000 to 32767, or 0 to let
    Kubernetes choose. Default: 0.
    """

    image: pulumi.Input[str]
    """Image to serve: ModelImage's output `ref`. Allowed: an image by its digest, REPOSITORY@sha256:<64 hex digits>."""

    manifest: pulumi.Input[str]
    """Manifest of the sealed artifact. The server gets it as a file. Allowed: TrainingRun's output `manifest`."""

    privateKey: pulumi.Input[str]
    """Private key that opens the artifact, of any kind, or its data key. The server gets it as a file. If the key is in
    a KMS, the server gets only the artifact's data key. Allowed: non-empty text. Secret.
    """

    artifactId: pulumi.Input[str]
    """Id of the sealed artifact. The server opens no other. Allowed: 32 hex digits, such as TrainingRun's output
    artifactId.
    """

    payloadDigest: pulumi.Input[str]
    """Digest of the artifact's payload. The server refuses any other payload. Allowed: 64 hex digits, such as
    TrainingRun's output payloadDigest.
    """

    signature: NotRequired[pulumi.Input[str]]
    """Signature of the artifact, such as ArtifactSignature's output `signature`. Required with `requireSignature`.
    Allowed: non-empty text.
    """


class ModelImageArgs(TypedDict):
    """Inputs of a ModelImage: its settings and the artifact to put in."""

    registry: NotRequired[pulumi.Input[str]]
    """Registry that images are pushed to. If not set in a stack's config, the registry that `make setup` found or
    started. Allowed: `HOST[:PORT][/PATH]`. Default: localhost:5000.
    """

    baseImage: pulumi.Input[str]
    """Base image of the server's image. If not set in a stack's config, the one that `make setup` found or built.
    Allowed: an image with python3 3.11 or later.
    """

    wheels: NotRequired[pulumi.Input[str]]
    """Folder of the Python packages that the server needs, unpacked from their wheels. If not set in a stack's config,
    the folder that `make setup` filled. Allowed: non-empty text. Default: .tools/wheels.
    """

    platform: NotRequired[pulumi.Input[str]]
    """Platform that the image is built for. Allowed: "linux/amd64", "linux/arm64". Default: linux/amd64."""

    artifactId: pulumi.Input[str]
    """Id of the sealed artifact that the image contains. Allowed: non-empty text."""

    payloadDigest: pulumi.Input[str]
    """Digest of the artifact's payload. A payload with another digest is refused. Allowed: non-empty text."""

    storeUrl: pulumi.Input[str]
    """URL of the store that holds the payload. Allowed: non-empty text."""


class SealingKeyArgs(TypedDict):
    """Inputs of a SealingKey resource."""

    algorithm: NotRequired[pulumi.Input[str]]
    """Algorithm of the sealing key pair. Allowed: "RSA-4096". Default: RSA-4096."""

    key: NotRequired[pulumi.Input[str]]
    """Private key in a key management service (KMS), instead of a generated key pair. Only its public key and its
    address are outputs. Allowed: the address of a key in a KMS (awskms://, azurekeyvault://, gcpkms://,
    hashivault://).
    """

    rotation: NotRequired[pulumi.Input[str]]
    """Name of the key pair's current version, such as a date. Changing it makes a new key pair and retires the old one.
    Allowed: any text.
    """

    storeUrl: NotRequired[pulumi.Input[str]]
    """URL of the store whose artifacts may still need retired keys. If not set, retired keys are kept indefinitely.
    Allowed: `file://` and a path: absolute, `~/…` or relative to the project's folder.
    """


class TrainingRunArgs(TypedDict):
    """Inputs of a TrainingRun: its settings, and the URL and keys of its store."""

    source: NotRequired[pulumi.Input[str]]
    """Origin of the model. With "onnx", `model` is the path or URL of an ONNX file trained elsewhere, with the files of
    its weights beside it. Allowed: "training", "onnx". Default: training.
    """

    dataset: NotRequired[pulumi.Input[str]]
    """Data set to train on: one that scikit-learn ships (diabetes, digits, iris, wine, breast_cancer, linnerud), the
    path or URL of a CSV, TSV, Parquet or NPZ file, or `package.module:function`. A URL may be a secret: its
    password, query and fragment are never shown or kept in the clear. Allowed: non-empty text. Default: diabetes.
    """

    data: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Instructions for reading the data set."""

    model: NotRequired[pulumi.Input[str]]
    """Network to train: `net`, `mlp`, `cnn`, `textClassifier`, `recommender`, `audioCnn`, or `package.module:Class` for
    a torch module of the program's folder or of an installed package. Allowed: non-empty text. Default: net.
    """

    modelArguments: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Keyword arguments of the model's constructor. Allowed: an object of keyword arguments by name."""

    modelPath: NotRequired[pulumi.Input[str]]
    """Folder of your modules (model, augment, a data set's function), relative to the program's folder. If not set,
    `models` and then the program's own folder. Allowed: non-empty text.
    """

    loss: NotRequired[pulumi.Input[str]]
    """Loss function to minimise. If not set, mse for a regression and crossEntropy for a classification. Allowed:
    "mse", "mae", "huber", "crossEntropy", "bce".
    """

    classWeights: NotRequired[pulumi.Input[Any]]
    """Weight of each class in the losses crossEntropy and bce, which are then weighted means. A class that is not named
    has the weight 1. "balanced" makes weights inverse to the classes' shares of the training rows. Metrics count
    every row alike. Allowed: "balanced", or an object of weights above 0 by class.
    """

    learningRate: NotRequired[pulumi.Input[float]]
    """Learning rate of SGD: the step size along the gradient. Allowed: a number above 0, at most 1,000,000. Default:
    0.01.
    """

    momentum: NotRequired[pulumi.Input[float]]
    """Momentum of SGD: the share of each step that is added to the following step. Allowed: a number from 0 to below 1.
    Default: 0.0.
    """

    nesterov: NotRequired[pulumi.Input[bool]]
    """Whether the momentum is Nesterov's (1983), as in torch.optim.SGD. Default: false."""

    weightDecay: NotRequired[pulumi.Input[float]]
    """L2 penalty added to the gradient (weight decay): this times the weight. Allowed: a number from 0 to 1,000,000.
    Default: 0.0.
    """

    gradientClip: NotRequired[pulumi.Input[float]]
    """Largest norm of all gradients together. Longer gradients are scaled down to it. If not set, there is no limit.
    Allowed: a number above 0, at most 1,000,000,000.
    """

    schedule: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Schedule of the learning rate over the epochs."""

    epochs: NotRequired[pulumi.Input[int]]
    """Largest number of passes over the training rows. Allowed: a whole number from 1 to 10,000,000. Default: 100."""

    batchSize: NotRequired[pulumi.Input[int]]
    """Training rows per batch. If there are fewer, each batch has all of them. Allowed: a whole number from 1 to
    1,000,000. Default: 32.
    """

    accumulateSteps: NotRequired[pulumi.Input[int]]
    """Number of batches whose gradients are averaged before each step (gradient accumulation): the step of a larger
    batch, in the memory of one. The average is weighted by rows, or by their `classWeights`. With 0 or 1, each batch
    is a step. Allowed: a whole number from 0 to 10,000. Default: 0.
    """

    seed: NotRequired[pulumi.Input[int]]
    """Seed of the random split, the initial weights and the shuffling. Allowed: a whole number from 0 to
    9,007,199,254,740,991. Default: 0.
    """

    stopLoss: NotRequired[pulumi.Input[float]]
    """Mean training loss of an epoch at or below which training ends. If not set, the loss never ends it. It is the
    loss that progress shows, on a standardised target. Allowed: a number above 0, at most 1,000,000.
    """

    earlyStopping: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Early stopping by a metric of the validation rows. If not set, all epochs run."""

    initFrom: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Weights that training starts from. If not set, they are random."""

    freeze: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Prefixes of the names of parameters that training does not change, such as `body.`. Allowed: a list of non-empty
    texts.
    """

    augment: NotRequired[pulumi.Input[str]]
    """Data augmentation: a function that gets a step's features and a seeded generator, and returns other features.
    Allowed: `package.module:name`.
    """

    folds: NotRequired[pulumi.Input[int]]
    """Number of folds of a cross-validation before the run. With `data.timeColumn`, each fold trains on earlier rows
    than those it is measured on. Allowed: a whole number from 2 to 20, or 0 for no cross-validation. Default: 0.
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
    """Number of torch's threads. Another number can change the model's last bits, so it retrains the model. Allowed: a
    whole number from 1 to 64. Default: 1.
    """

    timeoutSeconds: NotRequired[pulumi.Input[float]]
    """Time limit of training, in seconds. Training that exceeds it is cancelled and keeps its checkpoint. Allowed: a
    number of seconds from 0, where 0 means no limit. Default: 0.
    """

    checkpointSeconds: NotRequired[pulumi.Input[float]]
    """Time between two checkpoints, in seconds. Allowed: a number of seconds from 0. Default: 30."""

    exposeMetrics: NotRequired[pulumi.Input[bool]]
    """Whether the metrics on held-out rows are shown in plain text. Anyone who sees them can identify the model.
    Default: false.
    """

    retrainTrigger: NotRequired[pulumi.Input[str]]
    """Text such as a date. Changing it trains and seals the model again. Allowed: any text."""

    storeUrl: pulumi.Input[str]
    """URL of the store for the artifact. Changing it replaces the run. Allowed: `file://` and a path: absolute, `~/…`
    or relative to the project's folder.
    """

    keysUrl: NotRequired[pulumi.Input[str]]
    """URL of a second store, for a key-encryption key of each new artifact. `sealift erase` destroys that key, so that
    no copy of the artifact opens any more, backups included. Use a bucket of its own, without versioning,
    replication and backup. A change applies to new artifacts. Allowed: `file://` and a path: absolute, `~/…` or
    relative to the project's folder.
    """

    storeKey: pulumi.Input[str]
    """Store key. The keys that encrypt checkpoints and run results are derived from it. Allowed: 32 bytes in base64.
    Secret.
    """

    recipients: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Recipients of the artifact: at least one public key. Owners of their private keys can open it. Allowed: a list,
    each a public key in PEM (RSA-4096 or X25519).
    """

    reseal: NotRequired[pulumi.Input[str]]
    """Name of the artifact's current data key, such as a date. After a compromise, changing it seals the model again
    under a new data key and deletes the old artifact, and earlier ones that `retainCount` or `retainDays` would
    keep. Nothing is trained. Allowed: any text.
    """

    retention: NotRequired[pulumi.Input[str]]
    """Retention of the artifact when its run is deleted or replaced. Allowed: "keep", "delete". Default: keep."""

    retainCount: NotRequired[pulumi.Input[int]]
    """Number of replaced artifacts that stay with `retention: delete`, the newest first, for a return to earlier
    settings without training. An artifact goes once it is neither among them nor younger than `retainDays`. The
    current artifact is never counted and never deleted. Allowed: a whole number from 0 to 1,000.
    """

    retainDays: NotRequired[pulumi.Input[float]]
    """Days that a replaced artifact stays at least with `retention: delete`, whatever `retainCount` is. Each `pulumi
    up` that replaces an artifact or changes these settings deletes what goes, and `pulumi destroy` the rest.
    Allowed: a number of days from 0.
    """

    privateKey: NotRequired[pulumi.Input[str]]
    """Private key that opens the artifact named in `initFrom`. Needed only if `initFrom` sets `artifactId`. Allowed:
    non-empty text. Secret.
    """

    openingKeys: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Opening keys of the artifact, which stay in the plugin. With them, a change of recipients only wraps the
    artifact's key again. If not set, it trains and seals the model again. Allowed: a list, each an unencrypted
    private key in PEM (RSA-4096 or X25519) or the address of a key in a KMS (awskms://, azurekeyvault://, gcpkms://,
    hashivault://) (RSA-4096). Secret.
    """


class ServedModelArgs(TypedDict):
    """Model to serve: outputs of ModelImage and TrainingRun, and the private key of the store."""

    image: pulumi.Input[str]
    """Image to serve: ModelImage's output `ref`. Allowed: an image by its digest, REPOSITORY@sha256:<64 hex digits>."""

    manifest: pulumi.Input[str]
    """Manifest of the sealed artifact. The server gets it as a file. Allowed: TrainingRun's output `manifest`."""

    privateKey: pulumi.Input[str]
    """Private key that opens the artifact, of any kind, or its data key. The server gets it as a file. If the key is in
    a KMS, the server gets only the artifact's data key. Allowed: non-empty text. Secret.
    """

    artifactId: pulumi.Input[str]
    """Id of the sealed artifact. The server opens no other. Allowed: 32 hex digits, such as TrainingRun's output
    artifactId.
    """

    payloadDigest: pulumi.Input[str]
    """Digest of the artifact's payload. The server refuses any other payload. Allowed: 64 hex digits, such as
    TrainingRun's output payloadDigest.
    """

    signature: NotRequired[pulumi.Input[str]]
    """Signature of the artifact, such as ArtifactSignature's output `signature`. Required with `requireSignature`.
    Allowed: non-empty text.
    """


class TrainingSection(TypedDict):
    """Settings of training: the data, the network and how it is trained. Changing a setting retrains the model, with
    two exceptions. Changing `gates`, `modelCard`, `modelPath`, or the limits of data quality (`maximumMissing`,
    `minimumClassShare`, `allow`) checks the sealed model again and writes a new report. Changing `timeoutSeconds`,
    `checkpointSeconds` or `exposeMetrics` does neither.
    """

    source: NotRequired[pulumi.Input[str]]
    """Origin of the model. With "onnx", `model` is the path or URL of an ONNX file trained elsewhere, with the files of
    its weights beside it. Allowed: "training", "onnx". Default: training.
    """

    dataset: NotRequired[pulumi.Input[str]]
    """Data set to train on: one that scikit-learn ships (diabetes, digits, iris, wine, breast_cancer, linnerud), the
    path or URL of a CSV, TSV, Parquet or NPZ file, or `package.module:function`. A URL may be a secret: its
    password, query and fragment are never shown or kept in the clear. Allowed: non-empty text. Default: diabetes.
    """

    data: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Instructions for reading the data set."""

    model: NotRequired[pulumi.Input[str]]
    """Network to train: `net`, `mlp`, `cnn`, `textClassifier`, `recommender`, `audioCnn`, or `package.module:Class` for
    a torch module of the program's folder or of an installed package. Allowed: non-empty text. Default: net.
    """

    modelArguments: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Keyword arguments of the model's constructor. Allowed: an object of keyword arguments by name."""

    modelPath: NotRequired[pulumi.Input[str]]
    """Folder of your modules (model, augment, a data set's function), relative to the program's folder. If not set,
    `models` and then the program's own folder. Allowed: non-empty text.
    """

    loss: NotRequired[pulumi.Input[str]]
    """Loss function to minimise. If not set, mse for a regression and crossEntropy for a classification. Allowed:
    "mse", "mae", "huber", "crossEntropy", "bce".
    """

    classWeights: NotRequired[pulumi.Input[Any]]
    """Weight of each class in the losses crossEntropy and bce, which are then weighted means. A class that is not named
    has the weight 1. "balanced" makes weights inverse to the classes' shares of the training rows. Metrics count
    every row alike. Allowed: "balanced", or an object of weights above 0 by class.
    """

    learningRate: NotRequired[pulumi.Input[float]]
    """Learning rate of SGD: the step size along the gradient. Allowed: a number above 0, at most 1,000,000. Default:
    0.01.
    """

    momentum: NotRequired[pulumi.Input[float]]
    """Momentum of SGD: the share of each step that is added to the following step. Allowed: a number from 0 to below 1.
    Default: 0.0.
    """

    nesterov: NotRequired[pulumi.Input[bool]]
    """Whether the momentum is Nesterov's (1983), as in torch.optim.SGD. Default: false."""

    weightDecay: NotRequired[pulumi.Input[float]]
    """L2 penalty added to the gradient (weight decay): this times the weight. Allowed: a number from 0 to 1,000,000.
    Default: 0.0.
    """

    gradientClip: NotRequired[pulumi.Input[float]]
    """Largest norm of all gradients together. Longer gradients are scaled down to it. If not set, there is no limit.
    Allowed: a number above 0, at most 1,000,000,000.
    """

    schedule: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Schedule of the learning rate over the epochs."""

    epochs: NotRequired[pulumi.Input[int]]
    """Largest number of passes over the training rows. Allowed: a whole number from 1 to 10,000,000. Default: 100."""

    batchSize: NotRequired[pulumi.Input[int]]
    """Training rows per batch. If there are fewer, each batch has all of them. Allowed: a whole number from 1 to
    1,000,000. Default: 32.
    """

    accumulateSteps: NotRequired[pulumi.Input[int]]
    """Number of batches whose gradients are averaged before each step (gradient accumulation): the step of a larger
    batch, in the memory of one. The average is weighted by rows, or by their `classWeights`. With 0 or 1, each batch
    is a step. Allowed: a whole number from 0 to 10,000. Default: 0.
    """

    seed: NotRequired[pulumi.Input[int]]
    """Seed of the random split, the initial weights and the shuffling. Allowed: a whole number from 0 to
    9,007,199,254,740,991. Default: 0.
    """

    stopLoss: NotRequired[pulumi.Input[float]]
    """Mean training loss of an epoch at or below which training ends. If not set, the loss never ends it. It is the
    loss that progress shows, on a standardised target. Allowed: a number above 0, at most 1,000,000.
    """

    earlyStopping: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Early stopping by a metric of the validation rows. If not set, all epochs run."""

    initFrom: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Weights that training starts from. If not set, they are random."""

    freeze: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Prefixes of the names of parameters that training does not change, such as `body.`. Allowed: a list of non-empty
    texts.
    """

    augment: NotRequired[pulumi.Input[str]]
    """Data augmentation: a function that gets a step's features and a seeded generator, and returns other features.
    Allowed: `package.module:name`.
    """

    folds: NotRequired[pulumi.Input[int]]
    """Number of folds of a cross-validation before the run. With `data.timeColumn`, each fold trains on earlier rows
    than those it is measured on. Allowed: a whole number from 2 to 20, or 0 for no cross-validation. Default: 0.
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
    """Number of torch's threads. Another number can change the model's last bits, so it retrains the model. Allowed: a
    whole number from 1 to 64. Default: 1.
    """

    timeoutSeconds: NotRequired[pulumi.Input[float]]
    """Time limit of training, in seconds. Training that exceeds it is cancelled and keeps its checkpoint. Allowed: a
    number of seconds from 0, where 0 means no limit. Default: 0.
    """

    checkpointSeconds: NotRequired[pulumi.Input[float]]
    """Time between two checkpoints, in seconds. Allowed: a number of seconds from 0. Default: 30."""

    exposeMetrics: NotRequired[pulumi.Input[bool]]
    """Whether the metrics on held-out rows are shown in plain text. Anyone who sees them can identify the model.
    Default: false.
    """

    retrainTrigger: NotRequired[pulumi.Input[str]]
    """Text such as a date. Changing it trains and seals the model again. Allowed: any text."""


class ImageSection(TypedDict):
    """Image that contains the server and the sealed model."""

    registry: NotRequired[pulumi.Input[str]]
    """Registry that images are pushed to. If not set in a stack's config, the registry that `make setup` found or
    started. Allowed: `HOST[:PORT][/PATH]`. Default: localhost:5000.
    """

    baseImage: pulumi.Input[str]
    """Base image of the server's image. If not set in a stack's config, the one that `make setup` found or built.
    Allowed: an image with python3 3.11 or later.
    """

    wheels: NotRequired[pulumi.Input[str]]
    """Folder of the Python packages that the server needs, unpacked from their wheels. If not set in a stack's config,
    the folder that `make setup` filled. Allowed: non-empty text. Default: .tools/wheels.
    """

    platform: NotRequired[pulumi.Input[str]]
    """Platform that the image is built for. Allowed: "linux/amd64", "linux/arm64". Default: linux/amd64."""


class DeploymentSection(TypedDict):
    """Deployment of a model on Kubernetes. Each server runs in its own pod."""

    modelName: pulumi.Input[str]
    """Name of the model in request paths such as /v2/models/NAME/infer. If not set in a stack's config, the data set's
    name. Allowed: 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123).
    """

    cpuLimit: NotRequired[pulumi.Input[str]]
    """CPU limit of one server (container resource limit). Allowed: a number of CPUs, such as `500m` or `1`. Default: 1."""

    memoryLimit: NotRequired[pulumi.Input[str]]
    """Memory limit of one server, in bytes. A server that exceeds it is killed. Allowed: a number of bytes, such as
    `500Mi` or `1Gi`. Default: 1Gi.
    """

    grpc: NotRequired[pulumi.Input[bool]]
    """Whether gRPC is served too, on port 8081. It takes about 15 MB of a server's memory. Default: false."""

    accessLog: NotRequired[pulumi.Input[str]]
    """Requests that get a line in the log: only those that were refused or failed, or all. Request bodies are never
    logged. Allowed: "errors", "all". Default: errors.
    """

    explain: NotRequired[pulumi.Input[bool]]
    """Whether the server explains predictions: the contribution of each feature, as Shapley values, at
    `/v2/models/NAME/explain` and on the model's page. One explanation can take seconds of CPU time. Default: false.
    """

    corsOrigins: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Origins of web pages that may send requests from a browser, such as `https://app.example.com`. `*` allows all
    origins. By default, only the server's own page may. Allowed: a list of origins such as
    'https://app.example.com', or '*' for all.
    """

    tracing: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Tracing of requests with OpenTelemetry. If not set, no request is traced."""

    auth: NotRequired[pulumi.Input[str]]
    """Authentication of clients. "apiKey": with an API key. "jwt": with a token of the issuer in `jwt`, or an API key
    of `apiKeys`. "none": anyone who reaches the service can send requests. Allowed: "apiKey", "jwt", "none".
    Default: apiKey.
    """

    apiKeys: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """API keys of clients, by name. With `auth: apiKey`, a key `default` exists too until you revoke it."""

    jwt: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Issuer of the tokens that the server accepts. Required with `auth: jwt`."""

    tlsCertificate: NotRequired[pulumi.Input[str]]
    """TLS certificate of the server, with its chain. If set, every port accepts TLS only. If not set, no port uses TLS.
    Allowed: text in PEM, which begins with -----BEGIN.
    """

    tlsPrivateKey: NotRequired[pulumi.Input[str]]
    """Private key of the TLS certificate, unencrypted. Allowed: text in PEM, which begins with -----BEGIN. Secret."""

    requireSignature: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Public keys of trusted signers. If set, an artifact that none of them signed is refused before anything changes:
    in the preview where it is known, otherwise in the update. Allowed: a list of ECDSA public keys on the curve
    P-256 or P-384, each in PEM.
    """

    labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Additional labels for every object that serves the model. Allowed: an object of texts by label key."""

    replicas: NotRequired[pulumi.Input[int]]
    """Number of pods that serve the model. If not set, 3, or the number that `autoscaling` chooses. Allowed: a whole
    number from 1 to 10000.
    """

    autoscaling: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Autoscaling of the pods by load. If not set, `replicas` is their number."""

    cpuRequest: NotRequired[pulumi.Input[str]]
    """CPUs reserved for each pod (resource request). Allowed: a number of CPUs, such as `500m` or `1`. Default: 500m."""

    memoryRequest: NotRequired[pulumi.Input[str]]
    """Memory reserved for each pod, in bytes (resource request). Allowed: a number of bytes, such as `500Mi` or `1Gi`.
    Default: 500Mi.
    """

    quota: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Quota of the namespace. Values you leave out are derived. A quota that you set must fit `replicas` (or
    `autoscaling.maxReplicas`) + 1 pods, for rolling updates. Allowed: an object of quantities by `requests.cpu`,
    `requests.memory`, `limits.cpu`, `limits.memory` and `pods`.
    """

    exposure: NotRequired[pulumi.Input[str]]
    """Network access to the service. "cluster": inside the cluster only. "nodePort": on a port of every node as well.
    Allowed: "cluster", "nodePort". Default: cluster.
    """

    nodePort: NotRequired[pulumi.Input[int]]
    """Node port for HTTP. Kubernetes picks the one for gRPC. Allowed: a whole number from 30000 to 32767, or 0 to let
    Kubernetes choose. Default: 0.
    """


class ContainerSection(TypedDict):
    """Container of a Docker engine that serves a model, for machines without Kubernetes. Only one container at a time
    can use a port of the machine. Any change except of `memoryLimit` therefore stops the old container before the
    new one starts. For some seconds, requests fail.
    """

    modelName: pulumi.Input[str]
    """Name of the model in request paths such as /v2/models/NAME/infer. If not set in a stack's config, the data set's
    name. Allowed: 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123).
    """

    cpuLimit: NotRequired[pulumi.Input[str]]
    """CPU limit of one server (container resource limit). Allowed: a number of CPUs, such as `500m` or `1`. Default: 1."""

    memoryLimit: NotRequired[pulumi.Input[str]]
    """Memory limit of one server, in bytes. A server that exceeds it is killed. Allowed: a number of bytes, such as
    `500Mi` or `1Gi`. Default: 1Gi.
    """

    grpc: NotRequired[pulumi.Input[bool]]
    """Whether gRPC is served too, on port 8081. It takes about 15 MB of a server's memory. Default: false."""

    accessLog: NotRequired[pulumi.Input[str]]
    """Requests that get a line in the log: only those that were refused or failed, or all. Request bodies are never
    logged. Allowed: "errors", "all". Default: errors.
    """

    explain: NotRequired[pulumi.Input[bool]]
    """Whether the server explains predictions: the contribution of each feature, as Shapley values, at
    `/v2/models/NAME/explain` and on the model's page. One explanation can take seconds of CPU time. Default: false.
    """

    corsOrigins: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Origins of web pages that may send requests from a browser, such as `https://app.example.com`. `*` allows all
    origins. By default, only the server's own page may. Allowed: a list of origins such as
    'https://app.example.com', or '*' for all.
    """

    tracing: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Tracing of requests with OpenTelemetry. If not set, no request is traced."""

    auth: NotRequired[pulumi.Input[str]]
    """Authentication of clients. "apiKey": with an API key. "jwt": with a token of the issuer in `jwt`, or an API key
    of `apiKeys`. "none": anyone who reaches the service can send requests. Allowed: "apiKey", "jwt", "none".
    Default: apiKey.
    """

    apiKeys: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """API keys of clients, by name. With `auth: apiKey`, a key `default` exists too until you revoke it."""

    jwt: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """Issuer of the tokens that the server accepts. Required with `auth: jwt`."""

    tlsCertificate: NotRequired[pulumi.Input[str]]
    """TLS certificate of the server, with its chain. If set, every port accepts TLS only. If not set, no port uses TLS.
    Allowed: text in PEM, which begins with -----BEGIN.
    """

    tlsPrivateKey: NotRequired[pulumi.Input[str]]
    """Private key of the TLS certificate, unencrypted. Allowed: text in PEM, which begins with -----BEGIN. Secret."""

    requireSignature: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Public keys of trusted signers. If set, an artifact that none of them signed is refused before anything changes:
    in the preview where it is known, otherwise in the update. Allowed: a list of ECDSA public keys on the curve
    P-256 or P-384, each in PEM.
    """

    labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Additional labels for every object that serves the model. Allowed: an object of texts by label key."""

    address: NotRequired[pulumi.Input[str]]
    """Address on which the ports are opened. By default, only this machine can connect. Allowed: an IPv4 address of the
    Docker engine's machine, or 0.0.0.0 for all of them. Default: 127.0.0.1.
    """

    port: NotRequired[pulumi.Input[int]]
    """Port of the machine for HTTP requests. Allowed: a whole number from 1 to 65535. Default: 8080."""

    grpcPort: NotRequired[pulumi.Input[int]]
    """Port of the machine for gRPC requests, if `grpc` is true. Allowed: a whole number from 1 to 65535. Default: 8081."""

    metricsPort: NotRequired[pulumi.Input[int]]
    """Port of the machine for Prometheus metrics. 0 keeps them inside the container. Allowed: a whole number from 0 to
    65535. Default: 0.
    """
