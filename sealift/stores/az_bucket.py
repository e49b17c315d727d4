"""Containers of Azure Blob Storage, through its own library.

Credentials: AZURE_STORAGE_CONNECTION_STRING, else AZURE_STORAGE_KEY, else AZURE_STORAGE_SAS_TOKEN, else what
azure-identity finds (environment, workload identity, managed identity, `az login`). A large blob is a list of blocks:
Azure removes uncommitted blocks after a week. Sources: "Specifying conditional headers" and "Put Block List" in Azure's
reference.

Errors have no cause: those of the library hold whole URLs, with the SAS token in them.
"""

import base64
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from azure.core import MatchConditions, exceptions
from azure.storage.blob import BlobBlock, ContainerClient, ExponentialRetry

from sealift.stores.bucket import (
    ABSENT,
    CONTENT_RANGE,
    OTHER_RANGE,
    OTHER_RANGE_HINT,
    Condition,
    ConditionFailed,
    Head,
    ObjectMissing,
    find_object_size,
)
from sealift.stores.errors import StoreForbidden, StoreUnwritable
from sealift.stores.object_url import ObjectUrl
from sealift.stores.store import Entry

R = TypeVar("R")

MARK: Final = "sealift_write"
"""Name of the metadata that holds a write's mark. Azure allows no hyphen in it."""
RETRIES: Final = 4
"""Retries of a request, after pauses of 0, 2, 4 and 8 seconds, give or take one."""
MISSING: Final = ("BlobNotFound", "ResourceNotFound", "InvalidBlockList")
"""Answers about a missing blob. The last one is about missing blocks: a commit discards those of all other writers."""
BEYOND_THE_END: Final = 416
FORBIDDEN: Final = 403
COLLISIONS: Final = ("BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet")
ACCOUNT_MISSING: Final = "add ?account=NAME to store.url, or set AZURE_STORAGE_ACCOUNT"
NO_CREDENTIALS: Final = (
    "set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or run `az login`, or run "
    "where the workload has an identity"
)
CONTAINER_MISSING: Final = "create the container, or check store.url and its account"
AUTHENTICATION: Final = "AuthenticationFailed"
KEY_DAMAGED: Final = "AzureSigningError"
HINTS: Final = {
    "ContainerNotFound": CONTAINER_MISSING,
    AUTHENTICATION: "check AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or the connection string",
}
HINTS_BY_STATUS: Final = {
    401: "check the credentials, for example with `az login`",
    403: "check the key, or give this identity the role Storage Blob Data Contributor on the container",
    404: CONTAINER_MISSING,
    None: "check the network, and the account in store.url",
}
"""None: no answer."""


def connect(url: ObjectUrl) -> "AzureContainer":
    """The container at this URL. Sends no request. Raises StoreUnwritable."""
    retry = ExponentialRetry(initial_backoff=0, increment_base=2, retry_total=RETRIES, random_jitter_range=1)
    options: dict[str, Any] = {"retry_policy": retry, "connection_timeout": 10, "read_timeout": 60}
    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
    account = url.option("account") or os.environ.get("AZURE_STORAGE_ACCOUNT")
    if text:
        return AzureContainer(url, _from_connection_string(url, text, options))
    if not account:
        raise _unusable(url, "its storage account is not known", ACCOUNT_MISSING)
    endpoint = f"https://{account}.blob.core.windows.net"
    return AzureContainer(url, ContainerClient(endpoint, url.bucket, credential=_credential(account), **options))


def _from_connection_string(url: ObjectUrl, text: str, options: dict[str, Any]) -> Any:
    try:
        client = ContainerClient.from_connection_string(text, url.bucket, **options)
    except ValueError:
        raise _unusable(
            url,
            "AZURE_STORAGE_CONNECTION_STRING is not a connection string",
            "copy it from the storage account's access keys",
        ) from None
    wanted = url.option("account")
    if wanted and client.account_name != wanted:
        raise _unusable(
            url,
            f"its account is {wanted}, but AZURE_STORAGE_CONNECTION_STRING is of another account",
            "unset AZURE_STORAGE_CONNECTION_STRING, or set that of this account",
        )
    return client


def _credential(account: str) -> Any:
    if key := os.environ.get("AZURE_STORAGE_KEY"):
        return {"account_name": account, "account_key": key}
    if token := os.environ.get("AZURE_STORAGE_SAS_TOKEN"):
        return token
    from azure.identity import DefaultAzureCredential  # takes half a second to import

    return DefaultAzureCredential()


@dataclass(frozen=True)
class AzureContainer:
    """See bucket.Bucket."""

    url: ObjectUrl
    client: Any = field(repr=False)

    def reach(self) -> None:
        if not self.request(self.client.exists):
            raise StoreUnwritable(
                f"the store {self.url.location} does not exist: there is no container {self.url.bucket}",
                CONTAINER_MISSING,
            )

    def head(self, key: str) -> Head:
        found = self.request(self.blob(key).get_blob_properties)
        return Head(found.size, found.etag, (found.metadata or {}).get(MARK, ""))

    def read(self, key: str, start: int, size: int, version: str | None = None) -> tuple[bytes, Head]:
        found = self.request(self._read, key, start, size, version)
        return found or (b"", self.head(key))

    def put(self, key: str, content: bytes, condition: Condition, mark: str) -> str:
        put = self.request(
            self.blob(key).upload_blob,
            content,
            overwrite=condition is not ABSENT,
            validate_content=True,
            metadata={MARK: mark},
            **_condition(condition),
        )
        return str(put["etag"])

    def begin(self, key: str, mark: str) -> "AzureUpload":
        return AzureUpload(self, self.blob(key), mark)

    def entries(self, prefix: str) -> Iterator[Entry]:
        whole = self.url.key(prefix)
        for found in self.request(lambda: [*self.client.list_blobs(name_starts_with=whole)]):
            yield Entry(found.name[len(whole) :], found.size, found.last_modified.timestamp())

    def delete(self, key: str, version: str | None) -> None:
        with suppress(ObjectMissing):
            try:
                self.request(self.blob(key).delete_blob, **(_condition(version) if version else {}))
            except ConditionFailed:
                self.head(key)  # Azure answers so too if there is no blob, to which the condition would apply
                raise

    def purge(self, key: str) -> None:
        """Deletes the blob, its snapshots and its versions. What the account's soft delete retains stays until then."""
        whole = self.url.key(key)
        with suppress(ObjectMissing):
            self.request(self.blob(key).delete_blob, delete_snapshots="include")
        kinds = {"name_starts_with": whole, "include": ["versions"]}
        for found in self.request(lambda: [*self.client.list_blobs(**kinds)]):
            if found.name == whole:
                version = {} if found.version_id is None else {"version_id": found.version_id}
                with suppress(ObjectMissing):
                    self.request(self.blob(key).delete_blob, **version)

    def keeps_versions(self) -> bool:
        """Azure tells it only to those who manage the account."""
        return False

    def remove_unfinished(self, older_than_seconds: float) -> int:
        """Azure removes uncommitted blocks after a week."""
        return 0

    def blob(self, key: str) -> Any:
        return self.client.get_blob_client(self.url.key(key))

    def request(self, send: Callable[..., R], *arguments: Any, **options: Any) -> R:
        """Sends a request. Raises StoreError, ObjectMissing or ConditionFailed."""
        try:
            return send(*arguments, **options)
        except exceptions.AzureError as error:
            raise _mapped(self.url, error) from None

    def _read(self, key: str, start: int, size: int, version: str | None) -> tuple[bytes, Head] | None:
        """None if the range begins at the blob's end or behind it."""
        answers: list[Any] = []  # the library itself shows the range that was asked for
        try:
            found = self.blob(key).download_blob(
                offset=start,
                length=size,
                max_concurrency=1,
                raw_response_hook=lambda answer: answers.append(answer.http_response),
                **(_condition(version) if version else {}),
            )
            content = found.readall()
            tag, mark = found.properties.etag, (found.properties.metadata or {}).get(MARK, "")
        except exceptions.HttpResponseError as error:
            if error.status_code == BEYOND_THE_END:
                return None
            raise
        except (ValueError, TypeError, LookupError, AttributeError):  # of headers that the library cannot read
            raise _unusable(self.url, OTHER_RANGE, OTHER_RANGE_HINT) from None
        if not content and _is_beyond_the_end(answers[-1], start):  # as Azurite answers
            return None
        whole = _find_size([one for one in answers if one.status_code < 300], start, size, len(content))
        if whole is None or not tag:
            raise _unusable(self.url, OTHER_RANGE, OTHER_RANGE_HINT)
        if version not in (None, tag):
            raise ConditionFailed
        return content, Head(whole, tag, mark)


class AzureUpload:
    """See bucket.Upload. Block ids are random: two writers of one blob share a list of uncommitted blocks."""

    workers = 3

    def __init__(self, container: AzureContainer, blob: Any, mark: str) -> None:
        self._container, self._blob, self._mark = container, blob, mark
        self._own = secrets.token_hex(8)
        self._parts: set[int] = set()

    def put_part(self, number: int, content: bytes | bytearray) -> None:
        self._container.request(self._blob.stage_block, self._id(number), bytes(content), validate_content=True)
        self._parts.add(number)

    def commit(self) -> str:
        blocks = [BlobBlock(self._id(number)) for number in sorted(self._parts)]
        send = self._blob.commit_block_list
        try:
            done = self._container.request(send, blocks, metadata={MARK: self._mark}, **_condition(ABSENT))
        except ObjectMissing:
            self._container.request(self._blob.get_blob_properties)
            raise ConditionFailed from None  # another writer's commit discarded our blocks
        return str(done["etag"])

    def abort(self) -> None:
        """Azure removes uncommitted blocks after a week."""

    def _id(self, number: int) -> str:
        return base64.b64encode(f"{self._own}{number:06}".encode()).decode()


def _find_size(answers: list[Any], start: int, size: int, received: int) -> int | None:
    """Returns the blob's size, None if the answers are not this range. To a short answer the library asks for the
    rest."""
    end, whole = start, None
    for answer in answers:
        text = answer.headers.get("Content-Range")
        found = CONTENT_RANGE.match(text or "")
        if found is None or int(found[1]) != end:
            return None
        end = int(found[2]) + 1
        whole = find_object_size(text, start, size, received, resumed=True)
    return whole


def _is_beyond_the_end(answer: Any, start: int) -> bool:
    found = CONTENT_RANGE.match(answer.headers.get("Content-Range") or "")
    return found is not None and int(found[3]) <= start


def _condition(condition: Condition) -> dict[str, Any]:
    if condition is ABSENT:
        return {"match_condition": MatchConditions.IfMissing}
    return {"etag": condition, "match_condition": MatchConditions.IfNotModified}


def _mapped(url: ObjectUrl, error: exceptions.AzureError) -> Exception:
    code = getattr(error, "error_code", None) or type(error).__name__
    code = str(getattr(code, "value", code))
    status = getattr(error, "status_code", None)
    if code in COLLISIONS or status == 412:
        return ConditionFailed()
    if code in MISSING or (status == 404 and code == exceptions.ResourceNotFoundError.__name__):
        return ObjectMissing()
    if code == KEY_DAMAGED:
        return _unusable(url, "its account key is damaged", HINTS[AUTHENTICATION])
    if isinstance(error, exceptions.ClientAuthenticationError) and status is None:
        return _unusable(url, "there are no credentials", NO_CREDENTIALS)
    said = f"the service answered {code} ({status})" if status else code
    hint = HINTS.get(code) or HINTS_BY_STATUS.get(status, "run it again once the service answers")
    forbidden = status == FORBIDDEN and code != AUTHENTICATION
    return _unusable(url, said, hint, StoreForbidden if forbidden else StoreUnwritable)


def _unusable(url: ObjectUrl, why: str, hint: str, kind: type[StoreUnwritable] = StoreUnwritable) -> StoreUnwritable:
    return kind(f"the store {url.location} cannot be used: {why}", hint)
