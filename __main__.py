"""The stack on one screen: config → store → training run → image → deployment → outputs."""

import pulumi

from components import EncryptedArtifactStore, ModelDeployment, ModelImage, TrainingRun, config_or_exit

config = config_or_exit(pulumi.Config())

store = EncryptedArtifactStore(
    "store",
    url=config.store_url,
    retention=config.retention,
    rotation=config.rotation,
    recipients=config.recipients,
)

run = TrainingRun(
    "training",
    store_url=store.url,
    store_key=store.store_key,
    recipients=store.recipients,
    opening_keys=store.opening_keys,
    retention=store.retention,
    dataset=config.dataset,
    model=config.model,
    learning_rate=config.learning_rate,
    epochs=config.epochs,
    batch_size=config.batch_size,
    seed=config.seed,
    stop_loss=config.stop_loss,
    **config.training,
    timeout_seconds=config.timeout_seconds,
    expose_metrics=config.expose_metrics,
    retrain_trigger=config.retrain_trigger,
)

image = ModelImage(
    "model",
    artifact_id=run.artifact_id,
    payload_digest=run.payload_digest,
    store_url=store.url,
    registry=config.registry,
    base_image=config.base_image,
    wheels=config.wheels,
    platform=config.platform,
)

service = ModelDeployment(
    "model",
    image=image.ref,
    manifest=run.manifest,
    private_key=store.private_key,
    artifact_id=run.artifact_id,
    payload_digest=run.payload_digest,
    model_name=config.model_name,
    replicas=config.replicas,
    cpu_request=config.cpu_request,
    memory_request=config.memory_request,
    cpu_limit=config.cpu_limit,
    memory_limit=config.memory_limit,
    quota=config.quota,
    exposure=config.exposure,
    node_port=config.node_port,
)

pulumi.export("url", service.url)
pulumi.export("namespace", service.namespace)
pulumi.export("service", service.service)
pulumi.export("modelName", config.model_name)
pulumi.export("image", image.ref)
pulumi.export("artifactId", run.artifact_id)
pulumi.export("metrics", run.metrics)
report = {"storeUrl": store.url, "artifactId": run.report_artifact_id, "payloadDigest": run.report_payload_digest}
pulumi.export("report", report)
pulumi.export("privateKey", store.private_key)
pulumi.export("example", run.example)
