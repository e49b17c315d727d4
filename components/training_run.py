"""`TrainingRun`: the program's side of the resource that trains and seals (components/plugin/training_run.py)."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import pulumi

from settings.names import camel_case, snake_case

OUTPUTS: Final = dict.fromkeys(
    (
        "run_id", "artifact_id", "payload_digest", "payload_size", "manifest", "content_id",
        "metrics", "example", "epochs_run", "stop_reason", "duration_seconds", "model_bytes", "report_artifact_id",
        "report_payload_digest", "report_manifest", "epsilon", "delta", "energy_joules", "energy_source",
    )
)  # fmt: skip


Options: TypeAlias = pulumi.Input[Mapping[str, Any]]


class TrainingRun(pulumi.CustomResource):
    """One run of gradient descent, sealed into a store. Unchanged inputs train nothing; a preview never trains."""

    run_id: pulumi.Output[str]
    """Keyed identity of the run: all that shapes the artifact, and nothing that would confirm a thief's guess."""
    artifact_id: pulumi.Output[str]
    """The sealed artifact's id, 32 hex digits."""
    payload_digest: pulumi.Output[str]
    """Digest of the sealed payload, 64 hex digits (docs/format-v1.md)."""
    payload_size: pulumi.Output[int]
    """Size of the sealed payload in bytes."""
    manifest: pulumi.Output[str]
    """The artifact's manifest: canonical JSON, with all that tells which model it is encrypted."""
    content_id: pulumi.Output[str]
    """Keyed digest of the plain model: equal for bit-for-bit equal models sealed into one store."""
    metrics: pulumi.Output[Mapping[str, float]]
    """Metrics on held-out rows. Secret unless `expose_metrics`."""
    example: pulumi.Output[Mapping[str, Any]]
    """One held-out row and the model's answer to it: {"inputs": [[…]], "expected": [[…]]}. Secret."""
    epochs_run: pulumi.Output[int]
    """Epochs done when training stopped."""
    stop_reason: pulumi.Output[str]
    """Why training stopped."""
    duration_seconds: pulumi.Output[float]
    """Wall-clock time of the training process."""
    model_bytes: pulumi.Output[int]
    """Size of the plain ONNX file."""
    report_artifact_id: pulumi.Output[str]
    """The report, sealed beside the model: `python -m training report` shows it."""
    report_payload_digest: pulumi.Output[str]
    """Digest of the report's sealed payload."""
    report_manifest: pulumi.Output[str]
    """The report's manifest."""
    epsilon: pulumi.Output[float | None]
    """What differentially private training spent, with `delta`; none without `privacy`."""
    delta: pulumi.Output[float | None]
    """The probability with which that bound may not hold."""
    energy_joules: pulumi.Output[float]
    """Of the training process; `energy_source` says whether it was measured or estimated."""
    energy_source: pulumi.Output[str]
    """How the energy was come by."""

    def __init__(
        self,
        resource_name: str,
        *,
        store_url: pulumi.Input[str],
        store_key: pulumi.Input[str],
        recipients: pulumi.Input[Sequence[pulumi.Input[str]]],
        dataset: pulumi.Input[str] = "diabetes",
        data: Options | None = None,
        source: pulumi.Input[str] = "training",
        model: pulumi.Input[str] = "net",
        model_arguments: Options | None = None,
        loss: pulumi.Input[str] | None = None,
        learning_rate: pulumi.Input[float] = 0.01,
        momentum: pulumi.Input[float] = 0,
        nesterov: pulumi.Input[bool] = False,
        weight_decay: pulumi.Input[float] = 0,
        gradient_clip: pulumi.Input[float] | None = None,
        schedule: Options | None = None,
        epochs: pulumi.Input[int] = 100,
        batch_size: pulumi.Input[int] = 32,
        seed: pulumi.Input[int] = 0,
        stop_loss: pulumi.Input[float] | None = None,
        early_stopping: Options | None = None,
        init_from: Options | None = None,
        private_key: pulumi.Input[str] | None = None,
        opening_keys: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        freeze: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        augment: pulumi.Input[str] | None = None,
        folds: pulumi.Input[int] = 0,
        search: Options | None = None,
        deterministic: pulumi.Input[bool] = True,
        privacy: Options | None = None,
        masking: Options | None = None,
        quality: Options | None = None,
        gates: Options | None = None,
        compress: Options | None = None,
        compute: Options | None = None,
        device: pulumi.Input[str] = "cpu",
        precision: pulumi.Input[str] = "fp32",
        model_card: Options | None = None,
        threads: pulumi.Input[int] = 1,
        timeout_seconds: pulumi.Input[float] = 0,
        checkpoint_seconds: pulumi.Input[float] = 30,
        retention: pulumi.Input[str] = "keep",
        expose_metrics: pulumi.Input[bool] = False,
        retrain_trigger: pulumi.Input[str] = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Objects among the inputs are given as dicts, with names in camelCase as here; docs/training.md has them all.

        :param store_url: where the artifact goes; a change replaces the run.
        :param store_key: base64 of the store's 32-byte key, for checkpoints and run results.
        :param recipients: PEM public keys, each of whose owners can open the artifact; at least one.
        :param dataset: a set that scikit-learn ships ("diabetes", "digits", "iris", "wine", "breast_cancer"), the path
            or URL of a CSV, TSV, Parquet or NPZ file, or `package.module:function`.
        :param data: target, features, task, delimiter, text, heldOut, validation, memoryBytes, arguments.
        :param source: "training", or "onnx": `model` is an ONNX file, trained elsewhere, which is measured, gated and
            sealed.
        :param model: "net", "mlp", "cnn", "textClassifier", "recommender", "audioCnn", or `package.module:Class`.
        :param model_arguments: keyword arguments of the model's constructor.
        :param loss: "mse", "mae", "huber", "crossEntropy" or "bce"; unset: the task's.
        :param learning_rate: of SGD; above 0.
        :param momentum: from 0, below 1.
        :param nesterov: whether the gradient is taken ahead of the momentum (Nesterov).
        :param weight_decay: L2 penalty, added to the gradient.
        :param gradient_clip: largest norm of all gradients together; unset: any.
        :param schedule: kind ("constant", "step", "cosine"), warmupEpochs, stepEpochs, factor, minimum.
        :param epochs: passes over the training rows; from 1.
        :param batch_size: rows per step; from 1.
        :param seed: of the split, the shuffling and the initial weights; from 0.
        :param stop_loss: stop once the mean training loss of an epoch is at or below this; unset: never.
        :param early_stopping: metric, patience, minimumChange: stop when validation rows no longer get better.
        :param init_from: artifactId, payloadDigest of a sealed artifact in the same store, whose weights come first.
        :param private_key: PEM; opens that artifact. Only needed with `init_from`.
        :param opening_keys: PEM private keys that may open the artifact, and stay in the plugin: with them, other
            recipients get its key wrapped for them; without, the run is trained and sealed anew.
        :param freeze: beginnings of the names of parameters that are left as they are.
        :param augment: `package.module:function`, called with a batch's features and a generator.
        :param folds: of a cross-validation before the run, 2 to 20; 0: none.
        :param search: trials, metric, parameters: settings to look for; the best trial's are trained with.
        :param deterministic: refuse what cannot be repeated bit for bit; default true.
        :param privacy: epsilon or noiseMultiplier, delta, maxGradientNorm: differentially private SGD.
        :param masking: by column: method ("drop", "hash", "generalise", "redact"), step.
        :param quality: maximumMissing, minimumClassShare, ranges, allow: what the data may be.
        :param gates: metrics, noWorseThanDeployed, tolerance, maximumBytes: what a model must be.
        :param compress: method ("dynamicInt8", "staticInt8", "prune"), sparsity, metric, maximumLoss.
        :param compute: kind, processes: how many processes share the work.
        :param device: "cpu", "cuda", or "auto".
        :param precision: "fp32" or "bf16".
        :param model_card: intendedUse, limitations, licence, dataLicence, contact, for the report.
        :param threads: of torch, 1 to 64.
        :param timeout_seconds: cancel training after this long, keeping its checkpoint; 0: no limit.
        :param checkpoint_seconds: time between two checkpoints.
        :param retention: "keep" (default) or "delete" the artifact when the run is deleted or replaced.
        :param expose_metrics: whether the metrics may be shown in the clear; default false.
        :param retrain_trigger: any text; a new text trains and seals anew.
        """
        given = locals()
        props = {
            camel_case(name): given[name]
            for name in inspect.signature(TrainingRun.__init__).parameters
            if name not in ("self", "resource_name", "opts", "store_key", "private_key", "opening_keys")
        }
        props["storeKey"] = pulumi.Output.secret(store_key)
        props["privateKey"] = None if private_key is None else pulumi.Output.secret(private_key)
        props["openingKeys"] = None if opening_keys is None else pulumi.Output.secret(opening_keys)
        secret = pulumi.ResourceOptions(additional_secret_outputs=["example", "privateKey", "openingKeys"])
        super().__init__(
            "sealift:index:TrainingRun", resource_name, OUTPUTS | props, pulumi.ResourceOptions.merge(secret, opts)
        )

    def translate_input_property(self, prop: str) -> str:
        """As it is: the inputs above are camelCase already, and names inside them are the user's."""
        return prop

    def translate_output_property(self, prop: str) -> str:
        """Back again; names inside an output, such as a metric's, are data and stay."""
        name = snake_case(prop)
        return name if name in self.__annotations__ else prop
