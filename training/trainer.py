"""One training of a sealed run: from its record to a trained model, which is recorded before anything is sealed.

It runs in one process or in each of several, since worker.py calls it too.
"""

from pathlib import Path
from typing import Final

from sealift.contents.description import write_description
from sealift.sealing.artifact import new_artifact_id, open_artifact
from sealift.stores import Store, audited, get_manifest, open_payload
from training import provenance, sources, user_code
from training.cancellation import Cancellation
from training.checkpoint import RecordKeeper, TrainedRecord, TrainingRecord
from training.errors import RunRequestError, TrainingError
from training.events import EventStream
from training.job import Job, read_files
from training.process import import_large_libraries
from training.recipe.callback import Progress
from training.report.energy import Meter
from training.request import RunRequest
from training.run_callback import Clock, RunCallback
from training.uncounted import Reading

LARGEST_WEIGHTS: Final = 2**31 - 1
"""Largest size in bytes of a weights file, as of the ONNX file that the weights end up in."""
UNCOUNTED: Final = (
    "the model's code reads {}, which no digest covers: if only that changes, the model is not trained again. Name it "
    "in the code: as an import, or as a text with its path from the program's folder or the module's folder. Or change "
    "retrainTrigger"
)
MOST_NAMED: Final = 5
"""Largest number of files that a message names."""


def train(
    request: RunRequest,
    records: RecordKeeper,
    record: TrainingRecord | None,
    events: EventStream,
    cancellation: Cancellation,
    clock: Clock,
    artifacts: Store | None,
) -> TrainedRecord:
    """Trains, continuing from the record if there is one. Draws the artifacts' ids, so that they are recorded before an
    artifact has them. `artifacts` is the store of the artifact that the job starts from, if this machine reaches it.

    Each of several workers calls it. Only the first one keeps checkpoints and the result. Raises TrainingError,
    SealingError, StoreError and CancelledError.
    """
    folder = Path.cwd()  # the user's code may change it
    made_from = _find_planned_provenance(request, folder)
    init = _read_initial_model(request, artifacts, folder)
    events.phase("load", "loading torch")
    with import_large_libraries():
        from training.evidence import gather_evidence  # seconds of imports that a reused run does not need
        from training.fit import fit
        from training.highlights import list_highlights
        from training.recipe.make import Inputs

    progress = Progress()
    if record is not None:
        progress = Progress(record.study, tuple(record.folds), record.state, record.tensors)
        events.log("info", _describe_start(progress, request.job))
    inputs = Inputs(
        folder,
        request.run_key,
        request.mask_key,
        find_device(request.job),
        init,
        made_from,
    )
    reading = Reading(request.job.roots(folder))
    gpus = (0,) if inputs.device == "cuda" else ()
    joules_before = record.joules if record else 0.0
    with user_code.blame(request.job.model), Meter(gpus, joules_before) as meter:
        callback = RunCallback(request, records, events, cancellation, clock, meter, progress)
        result = fit(request.job, inputs, progress, callback)
        for line in list_highlights(result, shown=request.expose_metrics):
            events.log("info", line)
        if _find_planned_provenance(request, folder) != made_from:
            raise TrainingError("the data or the code changed during the run", "run `pulumi up` again")
        uncounted = reading.find_uncounted(read_files(request.job, folder))
        if uncounted:
            events.log("warning", UNCOUNTED.format(", ".join(uncounted[:MOST_NAMED])))
        callback.phase("report", "writing the report")
        energy = meter.energy()
        evidence = gather_evidence(result, energy, callback.durations(), inputs.provenance, inputs.device)
        outcome = {**result.outcome, "energy_joules": energy.joules, "energy_source": energy.method}
        trained = TrainedRecord(
            new_artifact_id(), new_artifact_id(), write_description(result.description), outcome, clock.seconds(),
            (request.job.model_path or "") if uncounted else None, result.model, evidence.encode(),
        )  # fmt: skip
        records.save(trained)
    return trained


def _describe_start(progress: Progress, job: Job) -> str:
    if progress.state is not None:
        return f"continuing after epoch {progress.state.epoch} of {job.epochs}"
    return "continuing with the finished trials and folds" if progress.study or progress.folds else "starting"


def find_device(job: Job) -> str:
    """Returns the job's device by torch's name. Raises TrainingError if it does not exist."""
    import torch

    if job.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("device is 'cuda', but torch finds no GPU on this machine", "allowed: 'cpu', 'auto'")
    return "cuda" if job.device != "cpu" and torch.cuda.is_available() else "cpu"


def _read_initial_model(request: RunRequest, store: Store | None, folder: Path) -> bytes | None:
    """Returns the safetensors file that the job starts from, or its artifact's plain ONNX file. Raises TrainingError,
    SealingError, StoreError.
    """
    init = request.job.init_from
    if init is None:
        return None
    if init.path is not None:
        return read_weights_file(init.path, folder)
    if store is None:
        raise RunRequestError(
            "initFrom names an artifact, and the machine that trains does not reach the store",
            "give initFrom.path, or set compute.kind to 'local'",
        )
    if request.init_key is None:
        raise RunRequestError(
            "initFrom names an artifact, and the request has no key that opens it",
            "give TrainingRun a private_key that opens it",
        )
    with audited(store, "open", init.artifact_id) as entry, open_payload(store, init.artifact_id) as payload:
        entry.begin(init.payload_digest)
        opened = open_artifact(
            get_manifest(store, init.artifact_id),
            payload,
            request.init_key,
            artifact_id=init.artifact_id,
            payload_digest=init.payload_digest,
        )
    return bytes(opened.model)


def read_weights_file(path: str, folder: Path) -> bytes:
    """Returns the safetensors file that a job starts from. Raises DataError."""
    return sources.read(path, folder, LARGEST_WEIGHTS)


def _find_planned_provenance(request: RunRequest, folder: Path) -> dict[str, str]:
    """Returns the digests of all that the model is made from. Raises TrainingError if they differ from the planned
    ones.
    """
    actual = provenance.find_provenance(request.job, folder)
    for name, value in actual.items():
        planned = getattr(request, name)
        if planned not in (None, value):
            hint = "run `pulumi up` again"
            if name == "processor" and request.job.compute.kind != "local":
                hint = f"set compute.processor to {value!r}, or choose nodes of the planned kind"
            raise TrainingError(f"{name} changed since the run was planned, from {planned} to {value}", hint)
    return actual
