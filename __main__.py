"""The stack on one screen: config → store → training run → image → deployment → outputs."""

import pulumi

from components import EncryptedArtifactStore, ModelDeployment, ModelImage, TrainingRun, config_or_exit

config = config_or_exit(pulumi.Config())

store = EncryptedArtifactStore("store", config.store)

run = TrainingRun(
    "training",
    {
        **config.training,
        "storeUrl": store.url,
        "storeKey": store.store_key,
        "recipients": store.recipients,
        "privateKey": store.private_key,
        "openingKeys": store.opening_keys,
        "retention": store.retention,
    },
)

image = ModelImage(
    "model",
    {
        **config.image,
        "artifactId": run.artifact_id,
        "payloadDigest": run.payload_digest,
        "storeUrl": store.url,
    },
)

service = ModelDeployment(
    "model",
    {
        **config.deployment,
        "image": image.ref,
        "manifest": run.manifest,
        "privateKey": store.private_key,
        "artifactId": run.artifact_id,
        "payloadDigest": run.payload_digest,
    },
)

pulumi.export("url", service.url)
pulumi.export("namespace", service.namespace)
pulumi.export("service", service.service)
pulumi.export("apiKeys", service.api_keys)
pulumi.export("modelName", config.deployment["modelName"])
pulumi.export("image", image.ref)
pulumi.export("artifactId", run.artifact_id)
pulumi.export("metrics", run.metrics)
report = {"storeUrl": store.url, "artifactId": run.report_artifact_id, "payloadDigest": run.report_payload_digest}
pulumi.export("report", report)
pulumi.export("privateKey", store.private_key)
pulumi.export("example", run.example)
