"""What a run keeps in the store, sealed under a key of its own, so that it can be killed at any point and go on.

    TrainingRecord  search, folds, and the loop's state       → goes on from there, bit for bit
    TrainedRecord   model and evidence, and the ids that model
                    and report will be sealed as              → judged, and sealed under those: no kill leaves an orphan
    SealedRecord    the result and the evidence               → judged and told again, if the artifact is still there

A record is one line of JSON and then bytes: tensors as safetensors (never pickle, which runs code), the ONNX file, the
evidence (judgement.py).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sealift.sealing.errors import ArtifactCorrupt
from sealift.sealing.record import open_record, seal_record
from sealift.stores import RECORDS, Conflict, Fence, Store, get_record, version_of
from training.errors import CheckpointError
from training.job import Job
from training.recipe.trainer_state import TrainerState

VERSION: Final = 5


@dataclass(frozen=True)
class TrainingRecord:
    """A run that is under way; so many seconds and joules lie behind it. The other fields are `Progress`'s."""

    seconds: float
    joules: float
    study: str | None
    folds: Sequence[Mapping[str, float]]
    state: TrainerState | None
    tensors: bytes
    """safetensors."""


@dataclass(frozen=True)
class TrainedRecord:
    """A finished model. `description` goes into the artifact's manifest, `outcome` into the result."""

    artifact_id: str
    report_id: str
    description: Mapping[str, object]
    outcome: Mapping[str, object]
    seconds: float
    code_place: str | None
    """The job's modelPath ("": none), where the model's code read files that no digest counts: in another place the
    same code may make another model. None: all that it read is counted."""
    model: bytes
    """The ONNX file."""
    evidence: bytes
    """Of judgement.Evidence."""


@dataclass(frozen=True)
class SealedRecord:
    """The artifact is in the store. `result` is the result event without the report's part, which other requirements
    may change, and without the manifest, which a rewrap may.
    """

    result: Mapping[str, object]
    reports: Mapping[str, Sequence[str]]
    """By `Judgement.report_key`: artifact id and payload digest; the latter is empty until the report is sealed."""
    evidence: bytes
    """Of judgement.Evidence."""
    code_place: str | None = None
    """As in a TrainedRecord."""


Record = TrainingRecord | TrainedRecord | SealedRecord
PHASES: Final[Mapping[str, type[Record]]] = {
    "training": TrainingRecord,
    "trained": TrainedRecord,
    "sealed": SealedRecord,
}
BODIES: Final = {"training": ("tensors",), "trained": ("model", "evidence"), "sealed": ("evidence",)}
"""The fields of each phase that follow the line of JSON, which has their sizes."""


def is_of_other_code(record: TrainedRecord | SealedRecord, job: Job) -> bool:
    """Whether another modelPath than the record's may lead to other files, which no digest counts."""
    return record.code_place is not None and record.code_place != (job.model_path or "")


@dataclass
class Records:
    """The one record of the run `run_id` in `store`, for whoever holds the run's lease or works for its holder."""

    store: Store
    run_key: bytes
    run_id: str
    fence: Fence
    version: str | None = None

    def load(self) -> Record | None:
        """None if there is none. Raises CheckpointError if it is damaged, and the store's errors."""
        found = get_record(self.store, self.run_id)
        if found is None:
            return None
        self.version = found.version
        try:
            return decode(bytes(open_record(self.run_key, self.run_id, found.content)))
        except ArtifactCorrupt as error:
            raise CheckpointError(f"the record of run {self.run_id} is damaged: {error.message}") from error

    def save(self, record: Record) -> None:
        """Replaces the record atomically. Raises LeaseLost, with nothing saved, and the store's other errors."""
        sealed = seal_record(self.run_key, self.run_id, encode(record))
        while True:
            self.fence.check()
            try:
                self.version = self.store.swap(RECORDS, self.run_id, sealed, self.version)
            except Conflict:  # with the lease still ours: by one who had lost it, and was stopped after its check
                self.version = version_of(self.store, RECORDS, self.run_id)
            else:
                return


def encode(record: Record) -> bytes:
    """The record's plaintext."""
    phase = next(name for name, kind in PHASES.items() if isinstance(record, kind))
    fields = dict(vars(record))
    if isinstance(record, TrainingRecord) and record.state is not None:
        fields["state"] = asdict(record.state)
    bodies: list[bytes] = [fields.pop(name) for name in BODIES[phase]]
    head = {"version": VERSION, "phase": phase, "sizes": list(map(len, bodies)), **fields}
    return b"".join((json.dumps(head, allow_nan=False).encode(), b"\n", *bodies))


def decode(plaintext: bytes) -> Record:
    """The record again. Raises CheckpointError, saying what is wrong, for anything that `encode` does not write."""
    head, _, rest = plaintext.partition(b"\n")
    try:
        fields = json.loads(head)
        if fields.pop("version") != VERSION:
            raise CheckpointError(f"the run's record has another version than {VERSION}")
        phase, sizes = fields.pop("phase"), fields.pop("sizes")
        if sum(sizes) != len(rest) or min(sizes, default=0) < 0:
            raise CheckpointError(f"the run's record has {len(rest)} bytes after its head instead of {sum(sizes)}")
        for name, size in zip(BODIES[phase], sizes, strict=True):
            fields[name], rest = rest[:size], rest[size:]
        if fields.get("state") is not None:
            fields["state"] = TrainerState(**fields["state"])
        return PHASES[phase](**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"the run's record cannot be read: {type(error).__name__}: {error}") from error
