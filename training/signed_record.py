"""The record of a run, on a machine that has only signed URLs of it. checkpoint.py has the form of records.

Each save replaces the version that this process read or wrote last. So a pod that was cut off and comes back cannot
overwrite the work of its successor.
"""

from dataclasses import dataclass, field
from typing import Final

from sealift.sealing.record import open_record, seal_record
from sealift.stores import LeaseLost
from training import signed_files
from training.checkpoint import Record, decode, encode, find_largest_bytes, refuse_damage

LOST: Final = "another process has taken over the work on this run"


@dataclass
class SignedRecord:
    """See checkpoint.RecordKeeper."""

    get_url: str = field(repr=False)
    put_url: str = field(repr=False)
    run_key: bytes = field(repr=False)
    run_id: str
    version: str | None = None

    def load(self) -> Record | None:
        """See checkpoint.RecordKeeper. Raises CheckpointError or StoreUnwritable."""
        found = signed_files.read(self.get_url, find_largest_bytes())
        if found is None:
            return None
        self.version = found.version
        with refuse_damage(self.run_id):
            opened = open_record(self.run_key, self.run_id, found.content)
            del found  # as in Records
            return decode(opened)

    def save(self, record: Record) -> None:
        """See checkpoint.RecordKeeper. Raises LeaseLost or StoreUnwritable."""
        sealed = bytes(seal_record(self.run_key, self.run_id, *encode(record)))
        try:
            self.version = signed_files.replace(self.put_url, sealed, self.version)
        except signed_files.OtherVersion:
            stored = signed_files.read(self.get_url, find_largest_bytes())
            if stored is None or stored.content != sealed:
                raise LeaseLost(LOST, "run `pulumi up` again") from None
            self.version = stored.version  # the answer to our own write was lost
