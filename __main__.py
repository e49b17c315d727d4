"""The stack on one screen: config → store → training run → image → deployment (or container) → outputs."""

import pulumi

from components import EncryptedArtifactStore, ModelContainer, ModelDeployment, ModelImage, TrainingRun, config_or_exit
from components.args import ServedModelArgs
from components.run_signature import run_signature

config = config_or_exit(pulumi.Config())

store = EncryptedArtifactStore("store", config.store)

run = TrainingRun(
    "training",
    {
        **config.training,
        "storeUrl": store.url,
        "keysUrl": store.keys_url,
        "storeKey": store.store_key,
        "recipients": store.recipients,
        "privateKey": store.private_key,
        "openingKeys": store.opening_keys,
        "retention": store.retention,
        "retainCount": store.retain_count,
        "retainDays": store.retain_days,
        "reseal": store.reseal,
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

signature = run_signature(
    "model",
    store_url=store.url,
    artifact_id=run.artifact_id,
    payload_digest=run.payload_digest,
    signing_key=config.store.get("signingKey"),
    required=bool(config.served.get("requireSignature")),
)
private_key = store.private_key
if config.store.get("key") or config.store.get("keysUrl"):
    private_key = pulumi.Output.all(run.data_key, store.private_key).apply(lambda keys: str(keys[0] or keys[1]))
served: ServedModelArgs = {
    "image": image.ref,
    "manifest": run.manifest,
    "privateKey": private_key,
    "artifactId": run.artifact_id,
    "payloadDigest": run.payload_digest,
}
if signature is not None:
    served["signature"] = signature
service: ModelContainer | ModelDeployment
if config.target == "docker":
    service = ModelContainer("model", {**config.container, **served})
    pulumi.export("container", service.container)
else:
    service = ModelDeployment("model", {**config.deployment, **served})
    pulumi.export("namespace", service.namespace)
    pulumi.export("service", service.service)

pulumi.export("modelName", config.served["modelName"])
pulumi.export("url", service.url)
if config.served.get("grpc"):
    pulumi.export("grpcAddress", service.grpc_address)
pulumi.export("apiKeys", service.api_keys)
pulumi.export("image", image.ref)
pulumi.export("artifactId", run.artifact_id)
pulumi.export("payloadDigest", run.payload_digest)
pulumi.export("metrics", run.metrics)
report = {"storeUrl": store.url, "artifactId": run.report_artifact_id, "payloadDigest": run.report_payload_digest}
if config.store.get("keysUrl"):
    report["keysUrl"] = store.keys_url
pulumi.export("report", report)
pulumi.export("privateKey", store.private_key)
pulumi.export("example", run.example)
