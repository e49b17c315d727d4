"""A store in a bucket of an object storage service: files are the objects `PREFIX/FOLDER/NAME`.

Services answer a repeated write with "the object exists" when only the answer to the first attempt was lost. So each
write carries a random mark in the object's metadata, and after any failure the store looks whose object is there. A
write that replaces an object keeps the marks of the last ones before it, since another process may have replaced ours
before we look.
"""

import io
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO, Final

from sealift.durable.new_file import Buffer
from sealift.stores.bucket import (
    ABSENT,
    Bucket,
    Condition,
    ConditionFailed,
    Head,
    ObjectMissing,
    Upload,
    WriteUnclear,
)
from sealift.stores.errors import ArtifactDamaged, ArtifactMissing, Conflict, StoreError, StoreUnwritable
from sealift.stores.object_url import ObjectUrl
from sealift.stores.store import NAME, Entry, Folder, Stat, Store, Versioned, Writer, check_name

PART_BYTES: Final = 8 << 20
LARGE_PART_BYTES: Final = 64 << 20
SMALL_PARTS: Final = 5000
"""Parts before they grow. Services take at most 10,000 parts: 40 GB in small parts, then 320 GB in large ones."""
RANGES_AHEAD: Final = 3
"""Ranges that are read at a time by a reader that reads on."""
PAUSES_SECONDS: Final = (0.1, 0.5, 2.0, 5.0, 10.0)
"""Longest pauses before a write without an answer is sent again."""
MARKS: Final = 16
"""Marks that an object keeps: its own write's, and those of the last writes that it replaced. Services limit metadata
to 2 KB."""
MARKER: Final = "sealift-store"
MARKER_TEXT: Final = b"A store of sealed artifacts. Conditional writes were checked when this object was made.\n"


@dataclass
class ObjectStore:
    """A store in any service's bucket. It connects at its first use, and holds no connection when it is pickled."""

    url: ObjectUrl
    connect: Callable[[ObjectUrl], Bucket]
    keys: Store | None = None
    _conditions_checked: bool = field(default=False, init=False, compare=False)

    @property
    def bucket(self) -> Bucket:
        return self.connect(self.url)

    @property
    def location(self) -> str:
        return self.url.location

    @property
    def identity(self) -> str:
        return self.url.identity

    def keeps_versions(self) -> bool:
        return self.bucket.keeps_versions()

    def reach(self) -> None:
        self.bucket.reach()

    def check_writable(self) -> None:
        self.bucket.reach()

    def put(self, folder: Folder, name: str, content: Buffer) -> None:
        with self.create(folder, name) as file:
            file.write(content)

    @contextmanager
    def create(self, folder: Folder, name: str) -> Iterator[Writer]:
        key = object_key(folder, name)
        self._check_conditions()
        writer = _ObjectWriter(self.bucket, key)
        try:
            yield writer
            created = writer.commit()
        except BaseException:
            writer.abort()
            raise
        if created:
            return
        writer.abort()
        if not self._has_content(key, writer.size_bytes, writer.digest):
            raise ArtifactDamaged(
                f"{name} already exists in the store with different content", self._who_can_write()
            ) from None

    def stat(self, folder: Folder, name: str) -> Stat:
        head = self._head(folder, name)
        return Stat(head.size_bytes, head.version)

    def open(self, folder: Folder, name: str) -> BinaryIO:
        head = self._head(folder, name)

        def read_range(start: int, size: int) -> bytes:
            with self._named(name):
                return self.bucket.read(object_key(folder, name), start, size, head.version)[0]

        return io.BufferedReader(ObjectReader(read_range, head.size_bytes), PART_BYTES)

    def get(self, folder: Folder, name: str, at_most: int | None = None) -> bytes:
        return self.read(folder, name, at_most).content

    def get_range(self, folder: Folder, name: str, start: int, size: int) -> bytes:
        key = object_key(folder, name)
        if size == 0:
            self._head(folder, name)
            return b""
        with self._named(name):
            return self.bucket.read(key, start, size)[0]

    def read(self, folder: Folder, name: str, at_most: int | None = None) -> Versioned:
        key = object_key(folder, name)
        first = PART_BYTES if at_most is None else min(PART_BYTES, at_most + 1)
        with self._named(name):
            content, head = self.bucket.read(key, 0, first)
            if at_most is not None and head.size_bytes > at_most:
                raise ArtifactDamaged(
                    f"{name} in {self.location}/{folder} exceeds the limit of {at_most} bytes",
                    self._who_can_write(),
                )
            rest = range(len(content), head.size_bytes, PART_BYTES)
            pieces = [content, *(self.bucket.read(key, start, PART_BYTES, head.version)[0] for start in rest)]
        return Versioned(b"".join(pieces), head.version)

    def swap(self, folder: Folder, name: str, content: Buffer, expected: str | None) -> str:
        key = object_key(folder, name)
        self._check_conditions()
        try:
            replaced = "" if expected is ABSENT else self._mark(key, expected)
            return _put(self.bucket, key, bytes(content), expected, replaced)
        except (ConditionFailed, ObjectMissing):
            raise self._conflict(name) from None

    def entries(self, folder: Folder) -> list[Entry]:
        found = (entry for entry in self.bucket.entries(f"{folder}/") if NAME.match(entry.name))
        return sorted(found, key=lambda entry: entry.name)

    def names(self, folder: Folder) -> list[str]:
        return [entry.name for entry in self.entries(folder)]

    def purge(self, folder: Folder, name: str) -> None:
        self.bucket.purge(object_key(folder, name))

    def remove_unfinished(self, older_than_seconds: float) -> int:
        return self.bucket.remove_unfinished(older_than_seconds)

    def delete(self, folder: Folder, name: str, expected: str | None = None) -> None:
        key = object_key(folder, name)
        try:
            self.bucket.delete(key, expected)
        except ConditionFailed:
            with suppress(ObjectMissing):  # then it is deleted, perhaps by an attempt whose answer was lost
                self.bucket.head(key)
                raise self._conflict(name) from None

    def _check_conditions(self) -> None:
        """Raises StoreUnwritable if the service ignores conditions of writes: then writers would overwrite each other.

        The first writer makes the marker and checks both conditions on it. For later ones, the refusal to make it
        again is the check.
        """
        if self._conditions_checked:
            return
        with suppress(ConditionFailed):
            _put(self.bucket, MARKER, MARKER_TEXT, ABSENT)
            for condition in (ABSENT, f"{secrets.randbits(60)}"):
                try:
                    _put(self.bucket, MARKER, MARKER_TEXT, condition)
                except ConditionFailed:
                    continue
                self.bucket.delete(MARKER, None)
                raise StoreUnwritable(
                    f"the service of {self.location} ignores the conditions If-None-Match and If-Match of writes",
                    "use a service that supports conditional writes, as AWS S3 does",
                )
        self._conditions_checked = True

    def _mark(self, key: str, version: str) -> str:
        """Returns the mark of this version. Raises ConditionFailed if it is not the stored one."""
        head = self.bucket.head(key)
        if head.version != version:
            raise ConditionFailed
        return head.mark

    def _head(self, folder: Folder, name: str) -> Head:
        key = object_key(folder, name)
        with self._named(name):
            return self.bucket.head(key)

    def _has_content(self, key: str, size_bytes: int, digest: bytes) -> bool:
        with suppress(ObjectMissing):
            head = self.bucket.head(key)
            if head.size_bytes != size_bytes:
                return False
            whole = sha256()
            for start in range(0, size_bytes, PART_BYTES):
                whole.update(self.bucket.read(key, start, PART_BYTES, head.version)[0])
            return whole.digest() == digest
        return False

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        try:
            yield
        except ObjectMissing:
            raise ArtifactMissing(
                f"{name} is not in the store {self.location}",
                "check store.url; if the content is lost, restore it, or run `pulumi up` to make it again",
            ) from None
        except ConditionFailed:
            raise self._conflict(name) from None

    def _conflict(self, name: str) -> Conflict:
        return Conflict(f"{name} in the store {self.location} was changed by another process", "run `pulumi up` again")

    def _who_can_write(self) -> str:
        return f"find out who can write to {self.location}"


class _ObjectWriter:
    """Collects pieces into parts. A small object is one put; a large one is sent part by part while it is written."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket, self._key, self._mark = bucket, key, secrets.token_hex(8)
        self._buffer = bytearray()
        self._hash = sha256()
        self._upload: Upload | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: deque[Future[None]] = deque()
        self._parts = 0
        self.size_bytes = 0

    @property
    def digest(self) -> bytes:
        return self._hash.digest()

    def write(self, piece: Buffer) -> None:
        rest = memoryview(piece).cast("B")
        self._hash.update(rest)
        self.size_bytes += len(rest)
        while len(rest):
            taken = rest[: self._part_bytes - len(self._buffer)]
            self._buffer += taken
            rest = rest[len(taken) :]
            if len(self._buffer) == self._part_bytes:
                self._send()

    def commit(self) -> bool:
        """Creates the object. Returns False if another one has its key."""
        try:
            if self._upload is None:
                _put(self._bucket, self._key, bytes(self._buffer), ABSENT)
                return True
            if self._buffer:
                self._send()
            self._wait(0)
            _write(self._bucket, self._key, self._mark, self._upload.commit)
        except ConditionFailed:
            return False
        except ObjectMissing:
            raise StoreUnwritable(
                f"the upload of {self._key} was removed before it was complete", "run `pulumi up` again"
            ) from None
        self._close()
        return True

    def abort(self) -> None:
        if self._upload is not None:
            self._close()
            with suppress(StoreError):
                self._upload.abort()

    @property
    def _part_bytes(self) -> int:
        return PART_BYTES if self._parts < SMALL_PARTS else LARGE_PART_BYTES

    def _send(self) -> None:
        if self._upload is None or self._pool is None:
            self._upload = self._bucket.begin(self._key, self._mark)
            self._pool = ThreadPoolExecutor(self._upload.workers)
        self._wait(self._upload.workers - 1)
        self._parts += 1
        self._under_way.append(self._pool.submit(self._upload.put_part, self._parts, self._buffer))
        self._buffer = bytearray()

    def _wait(self, most: int) -> None:
        """Waits until at most this number of parts are being sent. Raises the error of a part."""
        while len(self._under_way) > most:
            self._under_way.popleft().result()

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


class ObjectReader(io.RawIOBase):
    """One version of an object, read in ranges, so that a broken connection costs one range.

    Who reads on from one range to the next gets the ones after it in advance: a service sends several faster than one.
    """

    def __init__(self, read_range: Callable[[int, int], bytes], size_bytes: int) -> None:
        self._read_range, self._size_bytes = read_range, size_bytes
        self._at, self._range_end = 0, -1
        self._ahead: deque[tuple[int, Future[bytes]]] = deque()
        self._pool: ThreadPoolExecutor | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        if begin + offset < 0:
            raise ValueError("negative seek position")
        self._at = begin + offset
        return self._at

    def readall(self) -> bytes:
        """Reads in ranges of PART_BYTES. The inherited method would read 8 KiB with each request."""
        content = bytearray(max(0, self._size_bytes - self._at))
        filled = 0
        while taken := self.readinto(memoryview(content)[filled:]):
            filled += taken
        return bytes(content[:filled])

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        size = min(len(view), PART_BYTES, self._size_bytes - self._at)
        if size <= 0:
            return 0
        content = self._read(size)
        view[: len(content)] = content
        self._at += len(content)
        return len(content)

    def close(self) -> None:
        self._forget()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        super().close()

    def _read(self, size: int) -> bytes:
        """Reads from the current position, up to a range of PART_BYTES."""
        reads_on = self._at == self._range_end
        self._range_end = self._at + size
        if not reads_on:
            self._forget()
        if not self._ahead and (size < PART_BYTES or not reads_on):
            return self._read_range(self._at, size)
        follows = self._ahead[-1][0] + PART_BYTES if self._ahead else self._at
        while len(self._ahead) < RANGES_AHEAD and follows < self._size_bytes:
            self._ahead.append((follows, self._begin(follows)))
            follows += PART_BYTES
        content = self._ahead.popleft()[1].result()
        if len(content) > size:  # the rest is read again, which happens at most once in a stream
            self._forget()
        return content[:size]

    def _begin(self, start: int) -> "Future[bytes]":
        self._pool = self._pool or ThreadPoolExecutor(RANGES_AHEAD)
        return self._pool.submit(self._read_range, start, PART_BYTES)

    def _forget(self) -> None:
        while self._ahead:
            self._ahead.popleft()[1].cancel()


def _put(bucket: Bucket, key: str, content: bytes, condition: Condition, replaced: str = "") -> str:
    """Writes a whole object that replaces one with the mark `replaced`, and returns the version."""
    own = secrets.token_hex(8)
    mark = ".".join([own, *filter(None, replaced.split("."))][:MARKS])
    return _write(bucket, key, own, lambda: bucket.put(key, content, condition, mark))


def _write(bucket: Bucket, key: str, own: str, send: Callable[[], str]) -> str:
    """Sends a write and returns the version. If it fails, but an object with its mark is there, it succeeded. It is
    sent again only after such a look.
    """
    for pause in (*PAUSES_SECONDS, None):
        try:
            return send()
        except (ConditionFailed, ObjectMissing, StoreError) as error:
            with suppress(ObjectMissing):
                try:
                    head = bucket.head(key)
                except StoreError:
                    raise error from None
                if own in head.mark.split("."):
                    return head.version
            if pause is None or not isinstance(error, WriteUnclear):
                raise
        time.sleep(pause * (0.5 + secrets.randbelow(500) / 1000))  # so that two writers do not keep in step
    raise AssertionError("internal error: the last attempt neither returned nor raised")


def object_key(folder: Folder, name: str) -> str:
    """The key of a file below the URL's prefix. Raises ArtifactMissing for an invalid name."""
    check_name(name)
    return f"{folder}/{name}"
