"""`TrainingRun`: the program's side of the resource that trains and seals (components/plugin/training_run.py)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi

from components.property_names import camel_case, snake_case

OUTPUTS: Final = dict.fromkeys(
    (
        "run_id", "artifact_id", "payload_digest", "payload_size", "manifest", "content_id",
        "metrics", "example", "epochs_run", "stop_reason", "duration_seconds",
    )
)  # fmt: skip


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

    def __init__(
        self,
        resource_name: str,
        *,
        store_url: pulumi.Input[str],
        store_key: pulumi.Input[str],
        recipients: pulumi.Input[Sequence[pulumi.Input[str]]],
        dataset: pulumi.Input[str] = "diabetes",
        model: pulumi.Input[str] = "net",
        learning_rate: pulumi.Input[float] = 0.01,
        epochs: pulumi.Input[int] = 100,
        batch_size: pulumi.Input[int] = 32,
        seed: pulumi.Input[int] = 0,
        stop_loss: pulumi.Input[float] | None = None,
        timeout_seconds: pulumi.Input[float] = 0,
        retention: pulumi.Input[str] = "keep",
        expose_metrics: pulumi.Input[bool] = False,
        retrain_trigger: pulumi.Input[str] = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        :param store_url: where the artifact goes; a change replaces the run.
        :param store_key: base64 of the store's 32-byte key, for checkpoints and run results.
        :param recipients: PEM public keys, each of whose owners can open the artifact; at least one.
        :param dataset: "diabetes" (regression) or "digits" (classification), as scikit-learn ships them.
        :param model: "net": features → 20 (ReLU) → outputs.
        :param learning_rate: of SGD; above 0.
        :param epochs: passes over the training rows; from 1.
        :param batch_size: rows per step; from 1.
        :param seed: of the split, the shuffling and the initial weights; from 0.
        :param stop_loss: stop once the mean training loss of an epoch is at or below this; unset: never.
        :param timeout_seconds: cancel training after this long, keeping its checkpoint; 0: no limit.
        :param retention: "keep" (default) or "delete" the artifact when the run is deleted or replaced.
        :param expose_metrics: whether the metrics may be shown in the clear; default false.
        :param retrain_trigger: any text; a new text trains and seals anew.
        """
        props = {
            "store_url": store_url,
            "store_key": pulumi.Output.secret(store_key),
            "recipients": recipients,
            "dataset": dataset,
            "model": model,
            "learning_rate": learning_rate,
            "epochs": epochs,
            "batch_size": batch_size,
            "seed": seed,
            "stop_loss": stop_loss,
            "timeout_seconds": timeout_seconds,
            "retention": retention,
            "expose_metrics": expose_metrics,
            "retrain_trigger": retrain_trigger,
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["example"])
        super().__init__(
            "sealift:index:TrainingRun", resource_name, OUTPUTS | props, pulumi.ResourceOptions.merge(secret, opts)
        )

    def translate_input_property(self, prop: str) -> str:
        """The engine speaks camelCase."""
        return camel_case(prop)

    def translate_output_property(self, prop: str) -> str:
        """Back again; names inside an output, such as a metric's, are data and stay."""
        name = snake_case(prop)
        return name if name in self.__annotations__ else prop
