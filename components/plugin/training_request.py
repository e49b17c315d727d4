"""A TrainingRun's inputs → the request of one run. The request contains only the run's own keys; keys that open
anything else stay here.
"""

from collections.abc import Mapping

from components.plugin.training_inputs import find_store, list_of
from sealift.own_keys import unwrap_with
from sealift.provider import Value
from sealift.sealing import mask_key, parse_identity, record_key
from sealift.stores import get_manifest
from training.job import Job
from training.request import RunRequest


def make_request(
    job: Job, inputs: Mapping[str, Value], store_key: bytes, run_id: str, deployed_metrics: Value
) -> RunRequest:
    """Makes the request. `inputs` are plain values without secret marks. `deployed_metrics` are the metrics of the
    stack's current model.

    Raises SealingError, StoreError.
    """
    return RunRequest(
        job=job,
        store_url=str(inputs["storeUrl"]),
        keys_url=None if inputs.get("keysUrl") is None else str(inputs["keysUrl"]),
        run_id=run_id,
        run_key=record_key(store_key, run_id),
        mask_key=mask_key(store_key) if job.hashes else b"",
        init_key=_init_key(job, inputs),
        recipients=tuple(map(str, list_of(inputs["recipients"]))),
        data_digest=str(inputs["dataDigest"]),
        code_digest=str(inputs["codeDigest"]),
        libraries=str(inputs["libraries"]),
        processor=str(inputs["processor"]),
        checkpoint_seconds=float(str(inputs["checkpointSeconds"])),
        deployed_metrics=read_metrics(deployed_metrics),
        expose_metrics=bool(inputs["exposeMetrics"]),
    )


def _init_key(job: Job, inputs: Mapping[str, Value]) -> bytes | None:
    """Returns the data key of the artifact that the run starts from, so that the private key stays here."""
    if job.init_from is None or job.init_from.path is not None:
        return None
    store = find_store(inputs)
    manifest = get_manifest(store, job.init_from.artifact_id)
    return unwrap_with(manifest, [parse_identity(str(inputs["privateKey"]))], store.keys)


def read_metrics(value: Value) -> Mapping[str, float] | None:
    """Reads metrics from the stack's state. Returns None if it has none."""
    if not isinstance(value, Mapping):
        return None
    return {name: float(one) for name, one in value.items() if isinstance(one, int | float)}
