"""What a run keeps in the store, sealed under the store's key, so that it can be killed at any point and go on.

    TrainingRecord  the loop's state after some epoch          → goes on from there, bit for bit
    TrainedRecord   the model, and the id it will be sealed as → sealed under that id, so no kill leaves an orphan
    SealedRecord    the result                                 → told again, if the artifact is still there

A record is one line of JSON and then bytes: tensors as safetensors (never pickle, which runs code), or the ONNX file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sealing.errors import ArtifactCorrupt
from sealing.record import open_record, seal_record
from sealing.store import ArtifactStore
from training.errors import CheckpointError

VERSION: Final = 1


@dataclass(frozen=True)
class TrainingRecord:
    """The loop after `epoch` epochs, `loss` the last one's; `seconds` of training lie behind it."""

    epoch: int
    loss: float
    seconds: float
    tensors: bytes
    """safetensors: the parameters and the shuffling's random state."""


@dataclass(frozen=True)
class TrainedRecord:
    """A finished model. `description` goes into the artifact's manifest, `outcome` into the result."""

    artifact_id: str
    description: Mapping[str, object]
    outcome: Mapping[str, object]
    seconds: float
    model: bytes
    """The ONNX file."""


@dataclass(frozen=True)
class SealedRecord:
    """The artifact is in the store. `result` is the result event without the manifest, which a rewrap may change."""

    result: Mapping[str, object]


Record = TrainingRecord | TrainedRecord | SealedRecord
PHASES: Final[Mapping[str, type[Record]]] = {
    "training": TrainingRecord,
    "trained": TrainedRecord,
    "sealed": SealedRecord,
}
BODIES: Final = {"training": "tensors", "trained": "model"}
"""The field of each phase that follows the line of JSON."""


@dataclass(frozen=True)
class Records:
    """The one record of the run `run_id` in `store`. The caller holds the record's lock."""

    store: ArtifactStore
    store_key: bytes
    run_id: str

    def load(self) -> Record | None:
        """None if there is none. Raises CheckpointError if it is damaged, and the store's errors."""
        sealed = self.store.get_record(self.run_id)
        if sealed is None:
            return None
        try:
            return decode(bytes(open_record(self.store_key, self.run_id, sealed)))
        except ArtifactCorrupt as error:
            raise CheckpointError(f"the record of run {self.run_id} is damaged: {error.message}") from error

    def save(self, record: Record) -> None:
        """Replaces the record atomically. Raises the store's errors."""
        self.store.put_record(self.run_id, seal_record(self.store_key, self.run_id, encode(record)))


def encode(record: Record) -> bytes:
    """The record's plaintext."""
    phase = next(name for name, kind in PHASES.items() if isinstance(record, kind))
    fields = dict(vars(record))
    body: bytes = fields.pop(BODIES[phase]) if phase in BODIES else b""
    return json.dumps({"version": VERSION, "phase": phase, **fields}, allow_nan=False).encode() + b"\n" + body


def decode(plaintext: bytes) -> Record:
    """The record again. Raises CheckpointError, saying what is wrong, for anything that `encode` does not write."""
    head, line_break, body = plaintext.partition(b"\n")
    try:
        fields = json.loads(head)
        if not line_break or fields.pop("version") != VERSION:
            raise CheckpointError(f"the run's record is not of version {VERSION}")
        phase = fields.pop("phase")
        if phase in BODIES:
            fields[BODIES[phase]] = body
        return PHASES[phase](**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"the run's record cannot be read: {type(error).__name__}: {error}") from error
