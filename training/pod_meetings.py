"""Meetings of a run's pods: the first one listens, and tells the others its address through an encrypted file in the
store.

No name service is needed, and nobody without the run's key can send the pods elsewhere. Each attempt has a new meeting,
so that pods that lost each other do not meet where one of them is gone.
"""

import json
import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from typing import Final

from sealift.sealing.errors import ArtifactCorrupt
from sealift.sealing.record import open_record, seal_record
from training import signed_files
from training.cancellation import Cancellation, CancelledError
from training.distributed import Address, Seat
from training.errors import TrainingError

FILE_BYTES: Final = 4096
LOOK_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 900.0
"""Time in which the first pod must come."""
NAME: Final = "{}/meeting"


@dataclass
class PodMeetings:
    """See distributed.Meetings. `node` is this pod's number, and `host` its address."""

    processes: int
    nodes: int
    node: int
    host: str
    get_url: str = field(repr=False)
    put_url: str = field(repr=False)
    run_key: bytes = field(repr=False)
    run_id: str
    cancellation: Cancellation
    _last: str = ""

    def seats(self) -> list[Seat]:
        """See distributed.Meetings. Raises StoreUnwritable, CancelledError, or TrainingError if the first pod does not
        come.
        """
        meeting = self._announce() if self.node == 0 else self._wait()
        here = self.processes // self.nodes
        ranks = range(self.node * here, (self.node + 1) * here)
        return [Seat(rank, self.processes, meeting, os.getpid()) for rank in ranks]

    def _announce(self) -> Address:
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as trial:
            trial.bind((self.host, 0))
            port = int(trial.getsockname()[1])
        said = json.dumps({"host": self.host, "port": port, "attempt": secrets.token_hex(8)}).encode()
        signed_files.write(self.put_url, seal_record(self.run_key, NAME.format(self.run_id), said))
        return Address(self.host, port)

    def _wait(self) -> Address:
        latest = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < latest:
            if self.cancellation.requested:
                raise CancelledError("cancelled; the first pod keeps the checkpoint")
            found = signed_files.read(self.get_url, FILE_BYTES)
            if found is not None:
                try:
                    said = json.loads(bytes(open_record(self.run_key, NAME.format(self.run_id), found.content)))
                except ArtifactCorrupt:
                    raise TrainingError(
                        "the file with the first pod's address was altered", "find out by whom"
                    ) from None
                if said["attempt"] != self._last:
                    self._last = said["attempt"]
                    return Address(said["host"], said["port"])
            time.sleep(LOOK_SECONDS)
        raise TrainingError(
            f"the first pod of the run has not started in {LONGEST_SECONDS:.0f} seconds", "run `pulumi up` again"
        )
