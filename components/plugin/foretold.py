"""Predictions of a preview about a run: that its artifact is already sealed, or that the run would fail.

Nothing here writes, trains or uses the network.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from components.plugin.training_inputs import find_job_inputs, find_run_ids, find_shared_run_id, find_store
from components.plugin.training_request import read_metrics
from components.settings.run import store_key_of
from sealift.provider import PluginError, Value, has_unknown, reveal_all
from sealift.sealing import ArtifactCorrupt, open_record, record_key
from sealift.stores import Store, get_record, has_artifact
from training import gates
from training.checkpoint import SealedRecord, decode, find_largest_bytes, is_of_other_code
from training.errors import CheckpointError, TrainingError
from training.job import Job
from training.judgement import Evidence, judge

GPUS: Final = ("nvidia[0-9]*", "dxg", "kfd")
"""Devices below /dev that a GPU's driver makes: NVIDIA's, that of Windows' Linux subsystem, AMD's."""


def foretell(inputs: Mapping[str, Value], deployed_metrics: Value = None, devices: Path = Path("/dev")) -> str | None:
    """Returns the id of the artifact that is already sealed for this run. Returns None if the run will train, or if
    this is unknown.

    `deployed_metrics` are the metrics of the stack's current model. Raises PluginError if the gates refuse the sealed
    model or this machine cannot train the run, and StoreError if the store cannot be reached or written.
    """
    plain, job, store_key = _read(inputs)
    store = None if "storeUrl" not in plain else find_store(plain)
    if job is not None and store is not None and store_key is not None:
        record = _find_record(store, job, store_key, find_shared_run_id(job, plain, store_key))
        if record is not None:
            _check_gates(job, record, deployed_metrics, shown=bool(plain.get("exposeMetrics")))
            return str(record.result["artifact_id"])
    here = job is not None and job.compute.kind == "local"
    if here and job is not None and job.device == "cuda" and not any(any(devices.glob(pattern)) for pattern in GPUS):
        raise PluginError(
            "device is 'cuda', but this machine has no GPU device, such as /dev/nvidia0",
            "set device to 'auto', which uses the CPU if no GPU is available, or install the GPU's driver",
        )
    for place in (store, None if store is None else store.keys):
        if place is not None:
            place.check_writable()
    return None


def is_run(inputs: Mapping[str, Value], run_id: Value) -> bool:
    """Whether these inputs belong to the run `run_id`, whatever its gates and other requirements are."""
    plain, job, store_key = _read(inputs)
    if job is None or store_key is None:
        return False
    if "recipients" not in plain:  # a rotation makes new ones
        return run_id == find_shared_run_id(job, plain, store_key)
    return run_id in find_run_ids(job, plain, store_key)


def _read(inputs: Mapping[str, Value]) -> tuple[dict[str, Value], Job | None, bytes | None]:
    """Returns the known inputs, and the job and the store key if the inputs determine them."""
    plain = {name: value for name, value in reveal_all(inputs).items() if not has_unknown(value)}
    job, _ = Job.validate(find_job_inputs(plain))
    return plain, job, store_key_of(plain["storeKey"]) if "storeKey" in plain else None


def _find_record(store: Store, job: Job, store_key: bytes, run_id: str) -> SealedRecord | None:
    """Returns the record of a sealed model that the store still has."""
    found = get_record(store, run_id, find_largest_bytes())
    if found is None:
        return None
    try:
        record = decode(open_record(record_key(store_key, run_id), run_id, found.content))
    except (ArtifactCorrupt, CheckpointError):
        return None
    if not isinstance(record, SealedRecord):
        return None
    is_there = has_artifact(store, str(record.result["artifact_id"])) and not is_of_other_code(record, job)
    return record if is_there else None


def _check_gates(job: Job, record: SealedRecord, deployed_metrics: Value, *, shown: bool) -> None:
    """Raises PluginError with the run's own message if a gate refuses the model."""
    try:
        judgement = judge(job, Evidence.decode(record.evidence), read_metrics(deployed_metrics))
        gates.enforce(judgement.gates, judgement.report.metrics or {}, shown=shown)
    except CheckpointError:  # the run reports it
        return
    except TrainingError as error:
        raise PluginError(error.message, error.hint) from None
