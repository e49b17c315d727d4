"""Buckets of Google Cloud Storage, through its own library.

Credentials are Google's application default ones: GOOGLE_APPLICATION_CREDENTIALS, `gcloud auth application-default
login`, workload identity. A version is the object's generation, so every write is conditional, and retries are safe. A
large object is one resumable upload, which Google removes after a week if it stays unfinished. Source: "Request
preconditions" in Google's documentation.

Errors have no cause: those of the library hold the URLs of uploads, which whoever has them can continue.
"""

import base64
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import google_crc32c
import requests
from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.fileio import BlobWriter
from google.cloud.storage.retry import DEFAULT_RETRY

from sealift.stores.bucket import (
    ABSENT,
    OTHER_RANGE,
    OTHER_RANGE_HINT,
    Condition,
    ConditionFailed,
    Head,
    ObjectMissing,
    find_object_size,
)
from sealift.stores.errors import StoreError, StoreForbidden, StoreUnwritable
from sealift.stores.object_url import ObjectUrl
from sealift.stores.store import Entry

R = TypeVar("R")

MARK: Final = "sealift-write"
"""Name of the metadata that holds a write's mark."""
CHUNK_BYTES: Final = 8 << 20
"""Bytes of a request of a resumable upload: a multiple of 256 KiB."""
RETRY: Final = DEFAULT_RETRY.with_timeout(60)
TIMEOUT_SECONDS: Final = (10, 60)
FORBIDDEN, NOT_FOUND, PRECONDITION_FAILED, BEYOND_THE_END = 403, 404, 412, 416
NO_BUCKET: Final = "bucket does not exist"
"""What Google says of a missing bucket. Its status is that of a missing object."""
BUCKET_MISSING: Final = "create the bucket, or check store.url"
NO_CREDENTIALS: Final = (
    "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run where "
    "the workload has an identity"
)
HINTS: Final = {
    401: "get new credentials, for example with `gcloud auth application-default login`",
    403: "give this identity the role Storage Object User (roles/storage.objectUser) on the bucket",
}
ERRORS: Final = (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, requests.RequestException)


def connect(url: ObjectUrl) -> "GoogleBucket":
    """The bucket at this URL. Sends no request to it. Raises StoreUnwritable."""
    try:
        client = Client(project=None)
    except ERRORS as error:
        raise _mapped(url, error) from None
    return GoogleBucket(url, client)


@dataclass(frozen=True)
class GoogleBucket:
    """See bucket.Bucket."""

    url: ObjectUrl
    client: Any = field(repr=False)

    def reach(self) -> None:
        try:  # a role for objects allows listing them, and not to ask for the bucket itself
            self.request(lambda: [*self.client.list_blobs(self.url.bucket, max_results=1, retry=RETRY)])
        except ObjectMissing:
            raise self._missing() from None

    def head(self, key: str) -> Head:
        blob = self.blob(key)
        self.request(blob.reload, retry=RETRY, timeout=TIMEOUT_SECONDS)
        return Head(blob.size, str(blob.generation), (blob.metadata or {}).get(MARK, ""))

    def read(self, key: str, start: int, size: int, version: str | None = None) -> tuple[bytes, Head]:
        """The mark is left out: it does not come with the content."""
        found = self._read(key, start, size, version)
        return found or (b"", self.head(key))

    def put(self, key: str, content: bytes, condition: Condition, mark: str) -> str:
        blob = self.blob(key)
        blob.metadata = {MARK: mark}
        expected = _generation(condition)
        with self.only_the_bucket_may_be_missing():
            self.request(
                blob.upload_from_string,
                content,
                content_type="application/octet-stream",
                if_generation_match=expected,
                checksum="crc32c",
                retry=RETRY,
                timeout=TIMEOUT_SECONDS,
            )
        return str(blob.generation)

    def begin(self, key: str, mark: str) -> "GoogleUpload":
        return GoogleUpload(self, key, mark)

    def entries(self, prefix: str) -> Iterator[Entry]:
        whole = self.url.key(prefix)
        for blob in self._blobs(whole, "items(name,size,updated),nextPageToken"):
            yield Entry(blob.name[len(whole) :], blob.size, blob.updated.timestamp())

    def purge(self, key: str) -> None:
        """Deletes the object in all generations. What the bucket's soft delete retains stays until then."""
        whole = self.url.key(key)
        for blob in self._blobs(whole, "items(name,generation),nextPageToken", versions=True):
            if blob.name == whole:
                with suppress(ObjectMissing):
                    self.request(blob.delete, retry=RETRY, timeout=TIMEOUT_SECONDS)  # of its own generation

    def keeps_versions(self) -> bool:
        """Google tells it only to those who may read the bucket's settings, which no role for objects includes."""
        return False

    def remove_unfinished(self, older_than_seconds: float) -> int:
        """Google removes unfinished resumable uploads after a week."""
        return 0

    def _blobs(self, prefix: str, fields: str, **options: Any) -> list[Any]:
        with self.only_the_bucket_may_be_missing():
            return self.request(
                lambda: [*self.client.list_blobs(self.url.bucket, prefix=prefix, fields=fields, retry=RETRY, **options)]
            )

    def delete(self, key: str, version: str | None) -> None:
        with suppress(ObjectMissing):
            try:
                condition = {} if version is None else {"if_generation_match": _generation(version)}
                self.request(self.blob(key).delete, **condition, retry=RETRY, timeout=TIMEOUT_SECONDS)
            except ConditionFailed:
                self.head(key)  # a retry fails so too if the first attempt deleted it
                raise

    def blob(self, key: str) -> Any:
        return self.client.bucket(self.url.bucket).blob(self.url.key(key))

    def request(self, send: Callable[..., R], *arguments: Any, **options: Any) -> R:
        """Sends a request. Raises StoreError, ObjectMissing or ConditionFailed."""
        try:
            return send(*arguments, **options)
        except ERRORS as error:
            raise _mapped(self.url, error) from None

    def _read(self, key: str, start: int, size: int, version: str | None) -> tuple[bytes, Head] | None:
        """None if the range begins at the object's end or behind it."""
        blob = _RangedBlob(self.url.key(key), self.client.bucket(self.url.bucket))
        try:
            content: bytes = self.request(
                blob.download_as_bytes,
                start=start,
                end=start + size - 1,
                raw_download=True,  # as it was stored, whatever the metadata says about compression
                if_generation_match=version and _generation(version),
                checksum=None,  # the library can check no range
                retry=RETRY,
                timeout=TIMEOUT_SECONDS,
            )
        except _BeyondTheEnd:
            return None
        whole = find_object_size(blob.content_range, start, size, len(content), resumed=True)
        if whole is None or blob.generation is None:
            raise _unusable(self.url, OTHER_RANGE, OTHER_RANGE_HINT)
        found = str(blob.generation)
        if version not in (None, found):
            raise ConditionFailed
        if len(content) == whole and blob.crc32c not in (None, _crc32c(content)):
            raise _unusable(self.url, "the answer is not what was stored", "run it again; check the network")
        return content, Head(whole, found, "")

    def _missing(self) -> StoreUnwritable:
        return StoreUnwritable(
            f"the store {self.url.location} does not exist: there is no bucket {self.url.bucket}", BUCKET_MISSING
        )

    def only_the_bucket_may_be_missing(self) -> "_OnlyTheBucket":
        return _OnlyTheBucket(self._missing())


class _RangedBlob(Blob):  # type: ignore[misc]  # it has no types
    """An object of which one range is read. The library itself does not show which one came."""

    content_range: str | None = None

    def _extract_headers_from_download(self, response: requests.Response) -> None:
        super()._extract_headers_from_download(response)
        self.content_range = response.headers.get("Content-Range")


class _BeyondTheEnd(Exception):
    """The range begins at the object's end or behind it."""


class _OnlyTheBucket:
    """Raises that the bucket is missing where a missing object is no error."""

    def __init__(self, error: StoreUnwritable) -> None:
        self._error = error

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is ObjectMissing:
            raise self._error from None


class _Content(BlobWriter):  # type: ignore[misc]  # it has no types
    """Content of a resumable upload. Closing it completes the upload, and garbage collection closes it too."""

    complete = False

    def close(self) -> None:
        if self.complete:
            super().close()


class GoogleUpload:
    """See bucket.Upload."""

    workers = 1

    def __init__(self, bucket: GoogleBucket, key: str, mark: str) -> None:
        self._bucket, self._key = bucket, key
        blob = bucket.blob(key)
        blob.metadata = {MARK: mark}
        self._content = _Content(
            blob, CHUNK_BYTES, retry=RETRY, if_generation_match=0, checksum="crc32c", timeout=TIMEOUT_SECONDS
        )

    def put_part(self, number: int, content: bytes | bytearray) -> None:
        with self._bucket.only_the_bucket_may_be_missing():
            self._bucket.request(self._content.write, content)

    def commit(self) -> str:
        self._content.complete = True
        self._bucket.request(self._content.close)
        return self._bucket.head(self._key).version

    def abort(self) -> None:
        with suppress(StoreError, ObjectMissing, ConditionFailed):
            self._bucket.request(self._content.terminate)


def _generation(version: Condition) -> int:
    """The number of a version; 0 is that of no object. Raises ConditionFailed for a text that is no version."""
    if version is ABSENT:
        return 0
    if not version.isdecimal():
        raise ConditionFailed
    return int(version)


def _crc32c(content: bytes) -> str:
    value: int = google_crc32c.value(content)
    return base64.b64encode(value.to_bytes(4, "big")).decode()


def _mapped(url: ObjectUrl, error: Exception) -> Exception:
    cause = getattr(error, "cause", None)  # of a RetryError
    if isinstance(cause, ERRORS):
        return _mapped(url, cause)
    if isinstance(error, DefaultCredentialsError):
        return _unusable(url, "there are no credentials", NO_CREDENTIALS)
    if isinstance(error, RefreshError):
        return _unusable(url, "the credentials were refused", HINTS[401])
    status = error.code if isinstance(error, GoogleAPICallError) else _status(error)
    if status == BEYOND_THE_END:
        return _BeyondTheEnd()
    if status == PRECONDITION_FAILED:
        return ConditionFailed()
    if status == NOT_FOUND:
        return _unusable(url, "there is no such bucket", BUCKET_MISSING) if NO_BUCKET in str(error) else ObjectMissing()
    if status is None:
        return _unusable(url, type(error).__name__, "check the network")
    hint = HINTS.get(status, "run it again once the service answers")
    return _unusable(
        url, f"the service answered {status}", hint, StoreForbidden if status == FORBIDDEN else StoreUnwritable
    )


def _status(error: Exception) -> int | None:
    response = error.response if isinstance(error, InvalidResponse) else None
    return None if response is None else int(response.status_code)


def _unusable(url: ObjectUrl, why: str, hint: str, kind: type[StoreUnwritable] = StoreUnwritable) -> StoreUnwritable:
    return kind(f"the store {url.location} cannot be used: {why}", hint)
