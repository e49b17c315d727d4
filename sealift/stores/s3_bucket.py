"""Buckets of AWS S3 and of services with its protocol (MinIO, Ceph, Cloudflare R2, versitygw), through boto3.

boto3 finds credentials, region and endpoint in its usual places (environment, profile, workload identity, instance
role), retries requests with back-off, and sends and checks CRC-32 checksums. Writes with conditions are sent once: the
store above looks before it sends them again. Sources: the API reference of S3, and "Conditional requests" in its user
guide.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.parsers import ResponseParserError

from sealift.stores.bucket import (
    ABSENT,
    Condition,
    ConditionFailed,
    Head,
    Method,
    ObjectMissing,
    WriteUnclear,
    find_object_size,
)
from sealift.stores.errors import StoreError, StoreForbidden, StoreFull, StoreUnwritable
from sealift.stores.object_url import ObjectUrl
from sealift.stores.store import Entry

R = TypeVar("R")

MARK: Final = "sealift-write"
"""Name of the metadata that holds a write's mark."""
ATTEMPTS: Final = 6
FIRST_PAUSE_SECONDS: Final = 0.1
READ_SECONDS: Final = 60.0
"""Longest silence of a service that has a request."""
UPLOADS_EXPIRE_SECONDS: Final = 86400.0
"""Age at which an unfinished upload is what a killed process left."""
MISSING: Final = ("NoSuchKey", "404", "NotFound", "NoSuchUpload")
FAILED: Final = ("PreconditionFailed", "412")
BEYOND_THE_END: Final = ("InvalidRange", "416")
COLLISIONS: Final = ("ConditionalRequestConflict", "OperationAborted", "409")
"""Answers to a conditional write that another one crossed. boto3 does not retry them."""
BUSY: Final = ("RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", *COLLISIONS)
BROKEN: Final = (
    ResponseParserError,
    exceptions.ResponseStreamingError,
    exceptions.IncompleteReadError,
    exceptions.ReadTimeoutError,
    exceptions.FlexibleChecksumError,
)
"""Errors while an answer's content is read. boto3 does not retry them."""
FULL: Final = ("QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull")
"""Answers of Ceph, versitygw and MinIO to a write for which there is no space."""
FORBIDDEN: Final = ("AccessDenied", "403", "Forbidden")
PERMISSIONS: Final = "s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload"
HINTS: Final = {
    "PermanentRedirect": "set the bucket's region in store.url, such as ?region=eu-west-1",
    "AuthorizationHeaderMalformed": "set the bucket's region in store.url, such as ?region=eu-west-1",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID, or the profile",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY, or the profile",
    "ExpiredToken": "get new credentials, for example with `aws sso login`",
    "RequestTimeTooSkewed": "set this machine's clock",
}
NO_CREDENTIALS: Final = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where the workload has an identity"
)


def connect(url: ObjectUrl) -> "S3Bucket":
    """The bucket at this URL. Sends no request. Raises StoreUnwritable."""
    try:
        session = boto3.session.Session(profile_name=url.option("profile"), region_name=url.option("region"))
        addressing = "virtual"
        client = _client(session, url, addressing)
        if not (urlsplit(client.meta.endpoint_url).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn")):
            addressing = "path"  # other services rarely have a host name for each bucket
            client = _client(session, url, addressing)
        once = _client(session, url, addressing, 1)
    except exceptions.BotoCoreError as error:
        raise _unusable(url, error) from error
    return S3Bucket(url, client, once)


def _client(session: Any, url: ObjectUrl, addressing: str, attempts: int | None = None) -> Any:
    config = Config(
        signature_version="s3v4",  # signed URLs would have version 2 at services other than AWS
        retries={"mode": "standard", "total_max_attempts": attempts or ATTEMPTS},
        s3={"addressing_style": addressing},
        connect_timeout=10,
        read_timeout=READ_SECONDS,
        max_pool_connections=32,
    )
    return session.client("s3", endpoint_url=url.option("endpoint"), config=config)


@dataclass(frozen=True)
class S3Bucket:
    """See bucket.Bucket."""

    url: ObjectUrl
    client: Any = field(repr=False)
    once: Any = field(repr=False)
    """A client that repeats nothing."""

    def reach(self) -> None:
        self.request(self.client.list_objects_v2, Bucket=self.url.bucket, MaxKeys=1)  # HEAD would not say what is wrong

    def head(self, key: str) -> Head:
        found = self.request(_whole(self.client.head_object, "ContentLength", "ETag"), **self.at(key))
        return Head(found["ContentLength"], found["ETag"], found["Metadata"].get(MARK, ""))

    def read(self, key: str, start: int, size: int, version: str | None = None) -> tuple[bytes, Head]:
        found = self.request(self._read, key=key, start=start, size=size, version=version)
        return found or (b"", self.head(key))

    def put(self, key: str, content: bytes, condition: Condition, mark: str) -> str:
        condition_of_it = {"IfNoneMatch": "*"} if condition is ABSENT else {"IfMatch": condition}
        put = _whole(self.once.put_object, "ETag")
        return str(self.write(put, **self.at(key), **condition_of_it, Metadata={MARK: mark}, Body=content)["ETag"])

    def begin(self, key: str, mark: str) -> "S3Upload":
        with suppress(StoreError, ObjectMissing):
            self._remove_old_uploads(key)
        begun = self.request(
            _whole(self.client.create_multipart_upload, "UploadId"),
            **self.at(key),
            Metadata={MARK: mark},
            ChecksumAlgorithm="CRC32",
        )
        return S3Upload(self, self.at(key) | {"UploadId": begun["UploadId"]})

    def entries(self, prefix: str) -> Iterator[Entry]:
        whole = self.url.key(prefix)
        for found in self._pages(self.client.list_objects_v2, "Contents", whole, "ContinuationToken"):
            yield Entry(found["Key"][len(whole) :], found["Size"], found["LastModified"].timestamp())

    def delete(self, key: str, version: str | None) -> None:
        condition = {} if version is None else {"IfMatch": version}
        with suppress(ObjectMissing):
            self.request(self.client.delete_object, **self.at(key), **condition)

    def purge(self, key: str) -> None:
        whole = self.url.key(key)
        for kind in ("Versions", "DeleteMarkers"):
            versions = self._pages(self.client.list_object_versions, kind, whole, "KeyMarker", "VersionIdMarker")
            for version in [one["VersionId"] for one in versions if one["Key"] == whole]:
                self.request(self.client.delete_object, **self.at(key), VersionId=version)

    def keeps_versions(self) -> bool:
        try:
            found = self.client.get_bucket_versioning(Bucket=self.url.bucket)
        except (exceptions.ClientError, exceptions.BotoCoreError, *BROKEN):  # not allowed, or unknown to the service
            return False
        return bool(found.get("Status") == "Enabled")

    def remove_unfinished(self, older_than_seconds: float) -> int:
        removed = 0
        for upload in self._uploads(self.url.key(""), older_than_seconds):
            self.request(
                self.client.abort_multipart_upload,
                Bucket=self.url.bucket,
                Key=upload["Key"],
                UploadId=upload["UploadId"],
            )
            removed += 1
        return removed

    def sign(self, key: str, method: Method, seconds: int) -> str:
        """See bucket.SigningBucket."""
        operation = "get_object" if method == "GET" else "put_object"
        try:
            return str(self.client.generate_presigned_url(operation, self.at(key), seconds))
        except exceptions.BotoCoreError as error:
            raise _unusable(self.url, error) from error

    def at(self, key: str) -> dict[str, Any]:
        return {"Bucket": self.url.bucket, "Key": self.url.key(key)}

    def write(self, send: Callable[..., R], **parameters: Any) -> R:
        """Sends a write with a condition, once. Raises StoreError, ObjectMissing or ConditionFailed, or WriteUnclear if
        the service may have done it."""
        try:
            return send(**parameters)
        except exceptions.ClientError as error:
            refused = _mapped(self.url, error)
            if (
                isinstance(refused, StoreError)
                and not isinstance(refused, StoreFull)
                and (_code(error) in BUSY or _status(error) >= 500)
            ):
                raise WriteUnclear(refused.message, refused.hint) from error
            raise refused from error
        except (ResponseParserError, exceptions.HTTPClientError, exceptions.ConnectionError) as error:
            unclear = _unusable(self.url, error)
            raise WriteUnclear(unclear.message, unclear.hint) from error
        except exceptions.BotoCoreError as error:
            raise _unusable(self.url, error) from error

    def request(self, send: Callable[..., R], **parameters: Any) -> R:
        """Sends a request, and sends it again where boto3 does not. Raises StoreError, ObjectMissing or
        ConditionFailed."""
        for attempt in range(1, ATTEMPTS):
            try:
                return send(**parameters)
            except BROKEN:
                pass
            except exceptions.ClientError as error:
                if _code(error) not in COLLISIONS:
                    raise _mapped(self.url, error) from error
            except exceptions.BotoCoreError as error:
                raise _unusable(self.url, error) from error
            time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        try:
            return send(**parameters)
        except exceptions.ClientError as error:
            raise _mapped(self.url, error) from error
        except (exceptions.BotoCoreError, *BROKEN) as error:
            raise _unusable(self.url, error) from error

    def _read(self, key: str, start: int, size: int, version: str | None) -> tuple[bytes, Head] | None:
        """None if the range begins at the object's end or behind it."""
        condition = {} if version is None else {"IfMatch": version}
        get = _whole(self.client.get_object, "ContentRange", "ETag")
        try:
            found = get(**self.at(key), **condition, Range=f"bytes={start}-{start + size - 1}")
        except exceptions.ClientError as error:
            if _code(error) in BEYOND_THE_END:
                return None
            raise
        with closing(found["Body"]) as body:  # its own block would give the stream below it, whose errors are others
            content = body.read(size + 1)  # a service may send more than was asked for
        whole = find_object_size(found["ContentRange"], start, size, len(content))
        if whole is None:
            raise exceptions.IncompleteReadError(actual_bytes=len(content), expected_bytes=size)
        if version not in (None, found["ETag"]):
            raise ConditionFailed
        return content, Head(whole, found["ETag"], found["Metadata"].get(MARK, ""))

    def _remove_old_uploads(self, key: str) -> None:
        """Aborts what killed processes left of this object."""
        at = self.at(key)
        for upload in self._uploads(at["Key"], UPLOADS_EXPIRE_SECONDS):
            if upload["Key"] == at["Key"]:
                self.request(self.client.abort_multipart_upload, **at, UploadId=upload["UploadId"])

    def _uploads(self, prefix: str, older_than_seconds: float) -> list[Any]:
        """Returns the unfinished uploads of this age."""
        found = self._pages(self.client.list_multipart_uploads, "Uploads", prefix, "KeyMarker", "UploadIdMarker")
        return [one for one in found if time.time() - one["Initiated"].timestamp() > older_than_seconds]

    def _pages(self, send: Callable[..., Any], kind: str, prefix: str, *markers: str) -> Iterator[Any]:
        """Yields what a listing has of one kind, on all its pages."""
        more: dict[str, Any] = {}
        while True:
            page = self.request(send, Bucket=self.url.bucket, Prefix=prefix, **more)
            yield from page.get(kind, ())
            more = {marker: page[f"Next{marker}"] for marker in markers if page.get(f"Next{marker}")}
            if not more or not page.get("IsTruncated"):
                return


class S3Upload:
    """See bucket.Upload."""

    workers = 3

    def __init__(self, bucket: S3Bucket, at: dict[str, Any]) -> None:
        self._bucket, self._at = bucket, at
        self._parts: dict[int, dict[str, Any]] = {}

    def put_part(self, number: int, content: bytes | bytearray) -> None:
        send = _whole(self._bucket.client.upload_part, "ETag", "ChecksumCRC32")
        put = self._bucket.request(send, **self._at, PartNumber=number, Body=content)
        self._parts[number] = {"PartNumber": number, "ETag": put["ETag"], "ChecksumCRC32": put["ChecksumCRC32"]}

    def commit(self) -> str:
        parts = [self._parts[number] for number in sorted(self._parts)]
        send = _whole(self._bucket.once.complete_multipart_upload, "ETag")
        return str(self._bucket.write(send, **self._at, MultipartUpload={"Parts": parts}, IfNoneMatch="*")["ETag"])

    def abort(self) -> None:
        with suppress(ObjectMissing):
            self._bucket.request(self._bucket.client.abort_multipart_upload, **self._at)


def _whole(send: Callable[..., Any], *fields: str) -> Callable[..., Any]:
    """Returns a function that refuses answers without these fields: a connection may close within the headers."""

    def send_whole(**parameters: Any) -> Any:
        answer = send(**parameters)
        if any(field not in answer for field in fields) or not str(answer.get("ETag", '"')).endswith('"'):
            raise ResponseParserError("the answer's headers are not complete")
        return answer

    return send_whole


def _code(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: exceptions.ClientError) -> int:
    """Returns the answer's status, 0 without an answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _mapped(url: ObjectUrl, error: exceptions.ClientError) -> Exception:
    code = _code(error)
    if code in MISSING:
        return ObjectMissing()
    if code in FAILED:
        return ConditionFailed()
    if code == "NoSuchBucket":
        return StoreUnwritable(
            f"the store {url.location} does not exist: there is no bucket {url.bucket}",
            "create the bucket, or check store.url, its region and its endpoint",
        )
    status = _status(error) or "no status"
    said = f"the store {url.location} cannot be used: the service answered {code} ({status})"
    if code in FULL:
        return StoreFull(said, "make space in the bucket, or raise its quota")
    if code in FORBIDDEN:
        return StoreForbidden(said, f"allow {PERMISSIONS} on it")
    hint = HINTS.get(code, f"allow {PERMISSIONS} on it" if status == 403 else "run it again once the service answers")
    return StoreUnwritable(said, hint)


def _unusable(url: ObjectUrl, error: Exception) -> StoreUnwritable:
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return StoreUnwritable(f"the store {url.location} cannot be used: there are no credentials", NO_CREDENTIALS)
    if isinstance(error, exceptions.ProfileNotFound):
        return StoreUnwritable(
            f"the store {url.location} cannot be used: the profile {url.option('profile') or 'in AWS_PROFILE'} is not "
            "configured",
            "check the profile's name, in ~/.aws/config",
        )
    return StoreUnwritable(
        f"the store {url.location} cannot be used: {type(error).__name__}",
        "check the network, and the endpoint in store.url or AWS_ENDPOINT_URL_S3",
    )
