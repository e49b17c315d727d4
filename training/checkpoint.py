"""The record of a run in the store, sealed with its own key, so that a run can be killed at any point and continue.

    TrainingRecord  search, folds, and the loop's state       → continues from there, bit for bit
    TrainedRecord   model and evidence, and the ids that model
                    and report will be sealed as              → checked and sealed with those ids, so no kill leaves an
                                                                orphan
    SealedRecord    the result and the evidence               → checked and returned again, if the artifact exists

A record is one line of JSON followed by bytes: tensors as safetensors (never pickle, which runs code), the ONNX file,
the evidence (judgement.py).
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Final, Protocol

from sealift.names import counted
from sealift.sealing.errors import ArtifactCorrupt
from sealift.sealing.record import open_record, seal_record
from sealift.stores import RECORDS, Conflict, Fence, Store, get_record, version_of
from training.errors import CheckpointError
from training.job import Job
from training.recipe.trainer_state import TrainerState

VERSION: Final = 5
LINE_PIECE_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class TrainingRecord:
    """A run in progress, with the seconds and joules it has used so far. The other fields are those of `Progress`."""

    seconds: float
    joules: float
    study: str | None
    folds: Sequence[Mapping[str, float]]
    state: TrainerState | None
    tensors: bytes
    """Tensors of the loop's state, as safetensors."""


@dataclass(frozen=True)
class TrainedRecord:
    """A trained model. `description` goes into the artifact's manifest, `outcome` into the result."""

    artifact_id: str
    report_id: str
    description: Mapping[str, object]
    outcome: Mapping[str, object]
    seconds: float
    code_place: str | None
    """The job's modelPath ("" if not set) if the model's code read files that no digest covers, since the same code may
    make another model in another place. None if the digests cover all that it read.
    """
    model: bytes
    """The model as an ONNX file."""
    evidence: bytes
    """The encoded judgement.Evidence."""


@dataclass(frozen=True)
class SealedRecord:
    """A run whose artifact is in the store. `result` is the result event without the report's part, which other
    requirements may change, and without the manifest, which a rewrap may change.
    """

    result: Mapping[str, object]
    reports: Mapping[str, Sequence[str]]
    """Artifact id and payload digest of each report, by `Judgement.report_key`. The digest is empty until the report is
    sealed.
    """
    evidence: bytes
    """The encoded judgement.Evidence."""
    code_place: str | None = None
    """The same as in a TrainedRecord."""


Record = TrainingRecord | TrainedRecord | SealedRecord
PHASES: Final[Mapping[str, type[Record]]] = {
    "training": TrainingRecord,
    "trained": TrainedRecord,
    "sealed": SealedRecord,
}
BODIES: Final = {"training": ("tensors",), "trained": ("model", "evidence"), "sealed": ("evidence",)}
"""Fields of each phase that follow the line of JSON, which has their sizes."""


def is_of_other_code(record: TrainedRecord | SealedRecord, job: Job) -> bool:
    """Returns whether another modelPath than the record's may lead to other files that no digest covers."""
    return record.code_place is not None and record.code_place != (job.model_path or "")


def find_largest_bytes() -> int:
    """Limit on the size of a run's record: this machine's memory. A run saves nothing that it could not hold."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def refuse_damage(run_id: str) -> Iterator[None]:
    """Raises CheckpointError if the block opens a damaged record."""
    try:
        yield
    except ArtifactCorrupt as error:
        raise CheckpointError(f"the record of run {run_id} is damaged: {error.message}") from error


class RecordKeeper(Protocol):
    """Access to the single record of a run."""

    def load(self) -> Record | None:
        """Returns the record, or None if the run has no record. Raises CheckpointError if it is damaged, and the
        store's errors.
        """

    def save(self, record: Record) -> None:
        """Replaces the record atomically. Raises LeaseLost, with nothing saved, and the store's other errors."""


@dataclass
class Records:
    """The single record of the run `run_id` in `store`. Only the holder of the run's lease, or a process that works for
    it, may use it.
    """

    store: Store
    run_key: bytes
    run_id: str
    fence: Fence
    version: str | None = None

    def load(self) -> Record | None:
        """See RecordKeeper."""
        found = get_record(self.store, self.run_id, find_largest_bytes())
        if found is None:
            return None
        self.version = found.version
        with refuse_damage(self.run_id):
            opened = open_record(self.run_key, self.run_id, found.content)
            del found  # a model may be large: at most two copies exist at any time
            return decode(opened)

    def save(self, record: Record) -> None:
        """See RecordKeeper."""
        sealed = seal_record(self.run_key, self.run_id, *encode(record))
        while True:
            self.fence.check()
            try:
                self.version = self.store.swap(RECORDS, self.run_id, sealed, self.version)
            except Conflict:  # our lease still holds: the writer had lost it, and was stopped after its check
                self.version = version_of(self.store, RECORDS, self.run_id)
            else:
                return


def encode(record: Record) -> list[bytes]:
    """Returns the pieces of the record's plaintext. Its large fields are among them, not copied."""
    phase = next(name for name, kind in PHASES.items() if isinstance(record, kind))
    fields = dict(vars(record))
    if isinstance(record, TrainingRecord) and record.state is not None:
        fields["state"] = asdict(record.state)
    bodies: list[bytes] = [fields.pop(name) for name in BODIES[phase]]
    head = {"version": VERSION, "phase": phase, "sizes": list(map(len, bodies)), **fields}
    return [json.dumps(head, allow_nan=False).encode() + b"\n", *bodies]


def decode(plaintext: bytes | memoryview) -> Record:
    """Returns the record of a plaintext. Raises CheckpointError, with the reason, for anything that `encode` does not
    write.
    """
    head = _read_line(plaintext)
    rest = memoryview(plaintext)[len(head) + 1 :]
    try:
        fields = json.loads(head)
        if fields.pop("version") != VERSION:
            raise CheckpointError(f"the run's record has another version than {VERSION}")
        phase, sizes = fields.pop("phase"), fields.pop("sizes")
        if sum(sizes) != len(rest) or min(sizes, default=0) < 0:
            raise CheckpointError(
                f"the run's record has {counted(len(rest), 'byte')} after its head instead of {sum(sizes):,}"
            )
        for name, size in zip(BODIES[phase], sizes, strict=True):
            fields[name], rest = bytes(rest[:size]), rest[size:]
        if fields.get("state") is not None:
            fields["state"] = TrainerState(**fields["state"])
        return PHASES[phase](**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"the run's record cannot be read: {type(error).__name__}: {error}") from error


def _read_line(plaintext: bytes | memoryview) -> bytes:
    """Returns the first line, without a copy of what follows it."""
    line = bytearray()
    for start in range(0, len(plaintext), LINE_PIECE_BYTES):
        piece, end, _ = bytes(plaintext[start : start + LINE_PIECE_BYTES]).partition(b"\n")
        line += piece
        if end:
            break
    return bytes(line)
