"""Sealing of an artifact again after a compromise: another id, another data key and another payload of the same model.

Wrapping the key for other recipients does not help against a thief who kept the data key, or the old manifest and a
private key. A resealed artifact has nothing in common with the old one, which is then deleted. Nothing is trained.

The new id follows from the old one and from the name of the change, and the run's record names it only once the new
artifact is complete. So an attempt that was killed is done again, and leaves nothing.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sealift.own_keys import unwrap_with
from sealift.sealing import (
    Identity,
    ManifestInvalid,
    Recipient,
    Sealed,
    is_authentic,
    named_payload_digest,
    open_artifact,
    record_key,
    seal_into,
    under_key,
)
from sealift.stores import PAYLOADS, Fence, Store, audited, get_manifest, hold_lease, open_payload, remake_artifact
from training.checkpoint import Records, SealedRecord
from training.errors import CheckpointError

CONTEXT: Final = b"sealift/v1/reseal\0"
ID_HEX_DIGITS: Final = 32


@dataclass(frozen=True)
class OldArtifact:
    """An artifact to seal again: its pins, and its manifest as the stack's state has it."""

    artifact_id: str
    payload_digest: str
    manifest: bytes


@dataclass(frozen=True)
class Resealing:
    """One change of the data keys, named `name`, of the run `run_id`."""

    store: Store
    store_key: bytes
    run_id: str
    name: str

    def reseal(
        self,
        model: OldArtifact,
        report: OldArtifact | None,
        keys: Sequence[Identity],
        recipients: Sequence[Recipient],
    ) -> tuple[Sealed, Sealed | None]:
        """Seals the model and its report again, and records the new artifacts as the run's. The old ones stay. Does
        only what an earlier attempt has not recorded.

        Raises WrongKey if no key opens them, the other errors of sealing, and the store's.
        """
        with hold_lease(self.store, self.run_id) as fence:
            records = Records(self.store, record_key(self.store_key, self.run_id), self.run_id, fence)
            record = _load(records)
            done = {} if record is None else _digests(record)

            def seal(old: OldArtifact, description: Mapping[str, object]) -> Sealed:
                digest = done.get(self.new_id(old.artifact_id))
                if digest is not None:
                    return self._find(self.new_id(old.artifact_id), digest, keys)
                return self._seal(fence, old, keys, recipients, description)

            of = {"of": self.new_id(model.artifact_id)}
            new_report = None if report is None else seal(report, of)
            new_model = seal(model, {})
            if record is not None and record.result["artifact_id"] == model.artifact_id:
                records.save(_with(record, new_model, report, new_report))
        return new_model, new_report

    def new_id(self, artifact_id: str) -> str:
        """The id that this change gives to an artifact. Only holders of the store key can tell it."""
        change = CONTEXT + bytes.fromhex(artifact_id) + self.name.encode()
        return hmac.digest(self.store_key, change, hashlib.sha256).hex()[:ID_HEX_DIGITS]

    def _seal(
        self,
        fence: Fence,
        old: OldArtifact,
        keys: Sequence[Identity],
        recipients: Sequence[Recipient],
        description: Mapping[str, object],
    ) -> Sealed:
        with audited(self.store, "open", old.artifact_id) as entry:
            data_key = unwrap_with(old.manifest, keys, self.store.keys)
            entry.begin(old.payload_digest)
            with open_payload(self.store, old.artifact_id) as payload:
                opened = open_artifact(
                    old.manifest, payload, data_key, artifact_id=old.artifact_id, payload_digest=old.payload_digest
                )
        new_id = self.new_id(old.artifact_id)
        told = {**opened.description, **description}
        return remake_artifact(
            fence,
            new_id,
            lambda write, kek: seal_into(write, opened.model, told, under_key(recipients, kek), new_id),
        )

    def _find(self, artifact_id: str, digest: str, keys: Sequence[Identity]) -> Sealed:
        """Returns an artifact that an earlier attempt has sealed and recorded."""
        manifest = get_manifest(self.store, artifact_id)
        data_key = unwrap_with(manifest, keys, self.store.keys)
        if not is_authentic(manifest, data_key) or named_payload_digest(manifest) != digest:
            raise ManifestInvalid(
                f"the manifest of artifact {artifact_id} in the store was altered",
                "find out who can write to the store, then set retrainTrigger to train and seal the model again",
            )
        return Sealed(artifact_id, digest, self.store.stat(PAYLOADS, artifact_id).size_bytes, manifest)


def _load(records: Records) -> SealedRecord | None:
    """Returns the record of a sealed run. A damaged one names nothing."""
    try:
        record = records.load()
    except CheckpointError:
        return None
    return record if isinstance(record, SealedRecord) else None


def _digests(record: SealedRecord) -> dict[str, str]:
    """Returns the payload digests of the artifacts that the record names, by id."""
    model = {str(record.result["artifact_id"]): str(record.result["payload_digest"])}
    return model | {artifact_id: digest for artifact_id, digest in record.reports.values() if digest}


def _with(
    record: SealedRecord, new_model: Sealed, report: OldArtifact | None, new_report: Sealed | None
) -> SealedRecord:
    result = {
        **record.result,
        "artifact_id": new_model.artifact_id,
        "payload_digest": new_model.payload_digest,
        "payload_size": new_model.payload_size,
    }
    reports = dict(record.reports)
    for key, (artifact_id, _) in record.reports.items():
        if report and new_report and artifact_id == report.artifact_id:
            reports[key] = (new_report.artifact_id, new_report.payload_digest)
    return replace(record, result=result, reports=reports)
