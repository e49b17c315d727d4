"""The contract of an object storage service: whole objects by key, and conditional writes. One class per service.

object_store.py makes a store of it. A bucket retries what is idempotent, checks the length of what it reads, and maps
the service's errors to those of stores.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol, runtime_checkable

from sealift.stores.errors import StoreUnwritable
from sealift.stores.store import Entry

Method = Literal["GET", "PUT"]
ABSENT: Final = None
"""Condition of a write: no object has this key."""
Condition = str | None
"""Version that a write replaces, or ABSENT."""
CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})\Z")
"""RFC 9110, 14.4, of an object whose size is known."""
OTHER_RANGE: Final = "the answer is not the range that was asked for"
OTHER_RANGE_HINT: Final = "run it again; check what is between this machine and the service"


class ObjectMissing(Exception):
    """No object has this key."""


class ConditionFailed(Exception):
    """The stored object is not the one that a conditional write or deletion expects."""


class WriteUnclear(StoreUnwritable):
    """No answer says whether the service did a write with a condition. A bucket that repeats such writes itself never
    raises it."""


@dataclass(frozen=True)
class Head:
    """Size and version of an object, and the mark that its write carried."""

    size_bytes: int
    version: str
    mark: str


class Upload(Protocol):
    """A large object in parts. It exists, complete, once `commit` returns, and never before."""

    workers: int
    """Parts that may be sent at a time. 1 means that parts must arrive in order."""

    def put_part(self, number: int, content: bytes | bytearray) -> None:
        """Sends one part; the first is number 1. Raises StoreError."""

    def commit(self) -> str:
        """Creates the object from all parts and returns its version. Raises ConditionFailed if the key is taken, or
        WriteUnclear."""

    def abort(self) -> None:
        """Removes the parts. Does nothing if the service does not answer: it removes them itself, or a later writer
        does."""


class Bucket(Protocol):
    """Objects by key. Methods raise StoreError, besides what they name."""

    def reach(self) -> None:
        """Raises StoreUnwritable if the bucket does not exist or may not be used."""

    def head(self, key: str) -> Head:
        """Returns what the service knows of an object. Raises ObjectMissing."""

    def read(self, key: str, start: int, size: int, version: str | None = None) -> tuple[bytes, Head]:
        """Reads up to `size` bytes from `start`, fewer only at the object's end. `version`: read only this version.

        Raises ObjectMissing or ConditionFailed.
        """

    def put(self, key: str, content: bytes, condition: Condition, mark: str) -> str:
        """Writes a whole object and returns its version. Raises ConditionFailed or WriteUnclear."""

    def begin(self, key: str, mark: str) -> Upload:
        """Begins a large object, which must not exist yet when it is committed."""

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Yields the objects whose keys begin with `prefix`, named by what follows it."""

    def delete(self, key: str, version: str | None) -> None:
        """Deletes an object, or only this version of it. Does nothing if it does not exist. Raises ConditionFailed."""

    def purge(self, key: str) -> None:
        """Deletes an object and all its earlier versions. Does nothing if it does not exist."""

    def keeps_versions(self) -> bool:
        """Whether the service says that the bucket keeps what is deleted. False if it says nothing."""

    def remove_unfinished(self, older_than_seconds: float) -> int:
        """Removes uploads below the URL's prefix that killed writers left, and returns their number. A service that
        removes them by itself returns 0.
        """


@runtime_checkable
class SigningBucket(Protocol):
    """A bucket whose service accepts signed URLs."""

    def sign(self, key: str, method: Method, seconds: int) -> str:
        """Returns a URL that allows `method` on one object for `seconds`, with any condition. Sends no request."""


def find_object_size(
    content_range: object, start: int, size: int, received: int, *, resumed: bool = False
) -> int | None:
    """Returns the object's size from the header of an answer to a request for `size` bytes from `start`. Returns None
    if the `received` bytes are not this range, cut off only at the object's end. `resumed`: the header may be of the
    answer that completed a broken one.
    """
    found = CONTENT_RANGE.match(content_range) if isinstance(content_range, str) else None
    if found is None:
        return None
    first, last, whole = map(int, found.groups())
    begins = start <= first <= last if resumed else start == first
    ends = last == start + received - 1 and received == min(size, whole - start)
    return whole if begins and ends and received > 0 else None
