"""Leases: one process at a time works under a name, and a process that lost its lease notices before it commits.

A lease is a small record that its holder rewrites every few seconds by compare-and-swap. So every backend supports
leases, and clocks of other machines do not matter. A waiting process takes the lease over once it has seen no change
for EXPIRY_SECONDS of its own time, or at once if the holder was a process of this machine that has ended.

    holder killed, this machine       the next process continues at once
    holder killed, another machine    the next process continues after EXPIRY_SECONDS
    holder alive                      keeps the lease: its thread renews it six times before it expires
    holder stopped or cut off         loses the lease after EXPIRY_SECONDS; its next `check` raises LeaseLost

A check is not a lock: a process may also be stopped between the check and the commit. So commits under a lease are
swaps and conditional deletions, which fail if another holder has changed the file.
"""

import hashlib
import os
import random
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sealift.processes import find_start, read_boot_id
from sealift.stores.errors import ArtifactMissing, Conflict, LeaseLost, StoreError
from sealift.stores.store import LEASES, Store, Versioned

EXPIRY_SECONDS: Final = 60.0
"""Long enough that a holder on a busy machine still renews in time. Only the death of another machine waits for it."""
RENEWALS: Final = 6
"""Renewals within one expiry."""
POLL_SECONDS: Final = 0.2
LEASE_BYTES: Final = 1000
LOOKED_AT: Final = 16
"""Other leases that a new holder reads to find dead ones: few, because each is a request. Chosen by chance, so that in
the end each is looked at."""


@dataclass(frozen=True)
class Fence:
    """The check that a lease is still held, for its holder and for processes that work for it. Can be pickled."""

    store: Store
    name: str
    holder: str

    def check(self) -> None:
        """Raises LeaseLost if another process has taken the lease over."""
        found = _find_lease(self.store, self.name)
        if found is None or _Term.parse(found.content).holder != self.holder:
            raise LeaseLost(
                f"another process has taken over the work on {self.name}, because this one was suspended for too long",
                "wait until the other process has finished, then run `pulumi up` again",
            )


@contextmanager
def hold_lease(store: Store, name: str, expiry_seconds: float = EXPIRY_SECONDS) -> Iterator[Fence]:
    """Waits until no other process has the lease `name`, then holds it until the end of the block."""
    heart = _Heart(store, name, _Term.new(), expiry_seconds)
    heart.acquire()
    heart.start()
    others, since = _remove_dead_leases(store, name), time.monotonic()
    try:
        yield Fence(store, name, heart.term.holder)
    finally:
        if time.monotonic() - since >= expiry_seconds:
            _remove(store, others)
        heart.stop()


@dataclass(frozen=True)
class _Term:
    """The content of a lease: its holder, and a count that shows that the holder is alive."""

    holder: str
    machine: str
    pid: int
    started: int
    beat: int

    @classmethod
    def new(cls) -> "_Term":
        return cls(secrets.token_hex(8), _machine(), os.getpid(), find_start(os.getpid()) or 0, 0)

    @classmethod
    def parse(cls, content: bytes) -> "_Term":
        """Parses a lease. An unreadable one has no holder, so it expires."""
        try:
            holder, machine, pid, started, beat = content.decode("ascii").split()
            return cls(holder, machine, int(pid), int(started), int(beat))
        except ValueError:
            return cls("", "", 0, 0, 0)

    def encode(self) -> bytes:
        return f"{self.holder} {self.machine} {self.pid} {self.started} {self.beat}\n".encode("ascii")

    def is_dead(self) -> bool:
        """Whether the holder was a process of this machine that has ended. Unknown for other machines, so False."""
        return self.machine != "-" and self.machine == _machine() and find_start(self.pid) != self.started


class _Heart:
    """Acquires the lease, renews it in a thread, and releases it."""

    def __init__(self, store: Store, name: str, term: _Term, expiry_seconds: float) -> None:
        self._store, self._name, self._expiry = store, name, expiry_seconds
        self.term = term
        self._version = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {name[:16]}", daemon=True)

    def acquire(self) -> None:
        """Polls until the lease is free, or its holder is dead or has not renewed it for an expiry."""
        seen, since = "", time.monotonic()
        while True:
            found = _find_lease(self._store, self._name)
            if found is not None and found.version != seen:
                seen, since = found.version, time.monotonic()
            if found is None or time.monotonic() - since >= self._expiry or _Term.parse(found.content).is_dead():
                with suppress(Conflict):  # another process was quicker, or the holder has come back
                    self._swap(found.version if found else None)
                    return
            time.sleep(min(POLL_SECONDS, self._expiry / RENEWALS))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Releases the lease if this process still holds it. A lease that cannot be released expires."""
        self._stopping.set()
        self._thread.join()
        with suppress(StoreError):
            self._store.delete(LEASES, self._name, expected=self._version)

    def _beat(self) -> None:
        while not self._stopping.wait(self._expiry / RENEWALS):
            self.term = replace(self.term, beat=self.term.beat + 1)
            try:
                self._swap(self._version)
            except Conflict:
                return  # lost: the next check reports it
            except StoreError:
                continue  # the store is away for a moment; if it stays away, no commit succeeds

    def _swap(self, expected: str | None) -> None:
        self._version = self._store.swap(LEASES, self._name, self.term.encode(), expected)


def _remove_dead_leases(store: Store, own: str) -> dict[str, str]:
    """Removes the other leases whose holders are dead. Returns the versions of the remaining ones by name."""
    left: dict[str, str] = {}
    dead: dict[str, str] = {}
    with suppress(StoreError):
        others = [name for name in store.names(LEASES) if name != own]
        for name in random.sample(others, min(len(others), LOOKED_AT)):
            found = _find_lease(store, name)
            if found is not None:
                (dead if _Term.parse(found.content).is_dead() else left)[name] = found.version
    _remove(store, dead)
    return left


def _remove(store: Store, leases: dict[str, str]) -> None:
    """Removes the leases that were not renewed since their versions were read."""
    for name, version in leases.items():
        with suppress(StoreError):
            store.delete(LEASES, name, expected=version)


def _find_lease(store: Store, name: str) -> Versioned | None:
    try:
        return store.read(LEASES, name, LEASE_BYTES)
    except ArtifactMissing:
        return None


def _machine() -> str:
    """A hash that identifies this boot of this machine and its PID namespace; "-" if unknown."""
    try:
        boot = read_boot_id()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return "-"
    return hashlib.sha256(f"{boot}{space}".encode()).hexdigest()[:16]
